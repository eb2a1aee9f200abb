"""The house's routes, and one that answers each fault."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from curation.config.urls import handler403, handler404, handler429, handler500
from curation.config.urls import urlpatterns as of_the_house
from regions.permissions import PUBLIC, rule
from regions.problems import Refusal
from regions.views import forbidden, forged, too_often

__all__ = ["handler403", "handler404", "handler429", "handler500", "urlpatterns"]


class Overtaken(Refusal):
    status, code, detail = 409, "stale_version", "Ben Buche 14:02:31."  # type: ignore[assignment]


@rule(PUBLIC)
def fault(request: HttpRequest, kind: str) -> HttpResponse:
    if kind == "overtaken":
        raise Overtaken
    if kind == "refused":
        raise Refusal("14:02:31.")
    if kind == "broken":
        raise RuntimeError("a fault of ours")
    return {"forbidden": forbidden, "forged": forged, "often": too_often}[kind](request)


urlpatterns = [path("faults/<slug:kind>/", fault, name="fault"), *of_the_house]
