"""Log-in by the company account: there, and back."""

from __future__ import annotations

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.providers.base import ProviderException
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from requests import RequestException

from regions import company
from regions.company.adapter import CompanyAdapter
from regions.company.provider import ID, Callback, Company, Door, app
from regions.permissions import PUBLIC, rule


@rule(PUBLIC)
@never_cache
@require_GET
def company_login(request: HttpRequest) -> HttpResponse:
    """Sends the browser to the provider. By GET, since a policy on forms would hold for wherever the provider sends
    the browser on; nothing here changes by it."""
    if not company.configured():
        raise Http404
    onward = request.GET.get("next", "")
    known = url_has_allowed_host_and_scheme(onward, {request.get_host()}, request.is_secure())
    if request.user.is_authenticated:
        return redirect(onward if known else "home")
    try:
        return Company(request, app=app()).begin(request, onward if known else "")
    except (RequestException, ProviderException, ValueError) as error:
        return failed(request, error)


@rule(PUBLIC)
@never_cache
@require_GET
def company_callback(request: HttpRequest) -> HttpResponse:
    """Where the provider sends the browser back to."""
    if not company.configured():
        raise Http404
    try:
        answer: HttpResponse = Callback.adapter_view(Door(request))(request)
    except (KeyError, ValueError, TypeError) as error:  # a provider may say anything
        return failed(request, error)
    return answer


def failed(request: HttpRequest, error: Exception) -> HttpResponse:
    try:
        CompanyAdapter(request).on_authentication_error(request, ID, exception=error)
    except ImmediateHttpResponse as told:
        return told.response
    raise AssertionError(error)
