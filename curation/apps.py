from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CurationConfig(AppConfig):
    name = "curation"
    verbose_name = _("curation")

    def ready(self) -> None:
        from prometheus_client import REGISTRY

        from curation import events, metrics, reranking

        events.listen()
        reranking.listen()
        for collector in (metrics.Servers(), metrics.House(metrics.ingest), metrics.House(metrics.log)):
            REGISTRY.register(collector)
