from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegionsConfig(AppConfig):
    name = "regions"
    verbose_name = _("regions")

    def ready(self) -> None:
        from regions import rights  # noqa: F401  registers the rules
