from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CurationConfig(AppConfig):
    name = "curation"
    verbose_name = _("curation")

    def ready(self) -> None:
        from curation import events, reranking

        events.listen()
        reranking.listen()
