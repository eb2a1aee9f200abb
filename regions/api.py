"""Editorial API: the regional lists."""

from django.urls import URLPattern

from regions import people_api, settings_api

urlpatterns: list[URLPattern] = [*people_api.urlpatterns, *settings_api.urlpatterns]
