"""For load balancers and Prometheus: alive, ready, and the figures."""

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django_prometheus import exports

from regions.permissions import PUBLIC, rule


@rule(PUBLIC)
def livez(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@rule(PUBLIC)
def readyz(request: HttpRequest) -> HttpResponse:
    """200 once PostgreSQL answers with the newest schema's tables, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM feeds_consumer LIMIT 1")
    except Error:
        return HttpResponse("PostgreSQL does not answer, or is not migrated\n", status=503, content_type="text/plain")
    return HttpResponse("ok\n", content_type="text/plain")


@rule(PUBLIC)
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics. Open, so keep the path inside the house (docs/operating.md)."""
    return exports.ExportToDjangoView(request)
