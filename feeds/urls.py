"""Routes of what the desk shows of feeds, and of the public ticker page."""

from django.urls import path

from feeds import views

urlpatterns = [
    path("live/<str:market>/", views.live, name="market-live"),
    path("live/<str:market>/<slug:category>/", views.live, name="live"),
    path("phone/<str:market>/", views.phone, name="market-phone"),
    path("phone/<str:market>/<slug:category>/", views.phone, name="phone"),
    path("ticker/<str:market>/", views.ticker, name="ticker"),
    path("ticker/<str:market>/<slug:category>/", views.ticker, name="channel-ticker"),
]
