from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FeedsConfig(AppConfig):
    name = "feeds"
    verbose_name = _("feeds")

    def ready(self) -> None:
        from prometheus_client import REGISTRY

        from curation import notices as above
        from curation.metrics import House
        from curation.wellbeing import rooms
        from feeds import health, metrics, notices, operations

        operations.listen()
        rooms.join(health.told_of)
        above.join(notices.told_of)
        for told in (metrics.feeds, metrics.machine):
            REGISTRY.register(House(told))
