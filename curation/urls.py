"""Routes of the desk."""

from django.urls import path

from curation import views

urlpatterns = [
    path("", views.home, name="home"),
    path("desk/<slug:market>/", views.desk, name="market-desk"),
    path("desk/<slug:market>/decisions/", views.decide_many, name="decide-many"),
    path("desk/<slug:market>/decisions/reach/", views.reach_of_many, name="reach-many"),
    path("desk/<slug:market>/decisions/<slug:verb>/", views.panel_many, name="panel-many"),
    path("desk/<slug:market>/acts/<int:pk>/undo/", views.undo, name="undo"),
    path("desk/<slug:market>/changes/", views.changes, name="market-changes"),
    path("desk/<slug:market>/recent/", views.recent, name="recent"),
    path("desk/<slug:market>/here/", views.here, name="here"),
    path("desk/<slug:market>/arrivals/", views.arrivals, name="market-arrivals"),
    path("desk/<slug:market>/<slug:category>/", views.desk, name="desk"),
    path("desk/<slug:market>/<slug:category>/changes/", views.changes, name="changes"),
    path("desk/<slug:market>/<slug:category>/arrivals/", views.arrivals, name="arrivals"),
    path("desk/<slug:market>/<slug:category>/candidates/<int:pk>/", views.decide, name="decide"),
    path("desk/<slug:market>/<slug:category>/candidates/<int:pk>/similar/", views.similar, name="similar"),
    path("desk/<slug:market>/<slug:category>/candidates/<int:pk>/panel/<slug:verb>/", views.panel, name="panel"),
    path("desk/<slug:market>/<slug:category>/candidates/<int:pk>/reach/", views.panel_reach, name="panel-reach"),
    path("link/<slug:market>/", views.link, name="link"),
    path("link/<slug:market>/add/", views.add_link, name="add-link"),
    path("log/<slug:market>/", views.market_log, name="market-log"),
    path("log/<slug:market>/sheet.csv", views.log_sheet, name="log-sheet"),
    path("my/decisions/", views.my_log, name="my-log"),
    path("posts/<int:post>/", views.post_log, name="post-log"),
    path("acts/<int:pk>/undo/", views.undo_act, name="undo-act"),
    path("profile/", views.profile, name="profile"),
    path("profile/layout/", views.fold_column, name="fold-column"),
    path("palette/", views.palette, name="palette"),
    path("pauses/try-again/", views.try_again, name="try-again"),
    path("erase/<slug:market>/", views.erase, name="erase"),
    path("erase/<slug:market>/author/", views.erase_author, name="erase-author"),
]
