"""Pages of regions."""

from django.urls import URLPattern, path

from regions import views

urlpatterns: list[URLPattern] = [
    path("language/", views.choose_language, name="choose-language"),
]
