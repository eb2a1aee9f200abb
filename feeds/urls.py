"""Routes of what the desk shows of feeds, and of the public ticker page."""

from django.urls import path

from feeds import feed_views, ticker_views, views

urlpatterns = [
    path("live/<slug:market>/", views.live, name="market-live"),
    path("live/<slug:market>/<slug:category>/", views.live, name="live"),
    path("resting/<slug:market>/", views.resting, name="market-resting"),
    path("resting/<slug:market>/<slug:category>/", views.resting, name="resting"),
    path("calls/", views.calls, name="feed-calls"),
    path("phone/<slug:market>/", views.phone, name="market-phone"),
    path("phone/<slug:market>/<slug:category>/", views.phone, name="phone"),
    path("leaving/<slug:market>/", views.leaving, name="market-leaving"),
    path("leaving/<slug:market>/<slug:category>/", views.leaving, name="leaving"),
    path("closing/<slug:code>/", views.closing, name="market-closing"),
    path("closing/<slug:code>/<slug:category>/", views.closing, name="closing"),
    path("feed/<slug:market>/", feed_views.feed, name="market-feed"),
    path("feed/<slug:market>/snapshots/<int:number>/", feed_views.snapshot, name="market-snapshot"),
    path("feed/<slug:market>/hold/", feed_views.hold, name="hold-market"),
    path("feed/<slug:market>/release/", feed_views.release, name="release-market"),
    path("feed/<slug:market>/<slug:category>/", feed_views.feed, name="channel-feed"),
    path("feed/<slug:market>/<slug:category>/snapshots/<int:number>/", feed_views.snapshot, name="channel-snapshot"),
    path("feed/<slug:market>/<slug:category>/hold/", feed_views.hold, name="hold-channel"),
    path("feed/<slug:market>/<slug:category>/release/", feed_views.release, name="release-channel"),
    path("ticker/worker.js", ticker_views.worker, name="ticker-worker"),
    path("ticker/<slug:market>/", ticker_views.ticker, name="ticker"),
    path("ticker/<slug:market>/app.webmanifest", ticker_views.manifest, name="ticker-app"),
    path("ticker/<slug:market>/<slug:category>/", ticker_views.ticker, name="channel-ticker"),
    path("ticker/<slug:market>/<slug:category>/app.webmanifest", ticker_views.manifest, name="channel-ticker-app"),
]
