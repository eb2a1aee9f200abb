from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FeedsConfig(AppConfig):
    name = "feeds"
    verbose_name = _("feeds")

    def ready(self) -> None:
        from curation.wellbeing import rooms
        from feeds import health, operations

        operations.listen()
        rooms.join(health.told_of)
