"""Routes of settings, markets and categories."""

from django.urls import URLPattern, path

from regions.views import places, settings

urlpatterns: list[URLPattern] = [
    path("lists/<slug:market>/settings/", settings.market_settings, name="market-settings"),
    path("lists/<slug:market>/settings/<slug:category>/", settings.channel_settings, name="channel-settings"),
    path("places/", places.places, name="places"),
    path("places/markets/add/", places.add_market, name="add-market"),
    path("places/markets/<slug:code>/", places.change_market, name="change-market"),
    path("places/markets/<slug:code>/switch/", places.switch_market, name="switch-market"),
    path("places/categories/add/", places.add_category, name="add-category"),
    path("places/categories/<slug:slug>/", places.change_category, name="change-category"),
]
