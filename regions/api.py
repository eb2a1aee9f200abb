"""Editorial API: the regional lists."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
