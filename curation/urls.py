"""Routes of the desk."""

from django.urls import path

from curation import views

urlpatterns = [
    path("", views.home, name="home"),
    path("desk/<str:market>/", views.desk, name="market-desk"),
    path("desk/<str:market>/decisions/", views.decide_many, name="decide-many"),
    path("desk/<str:market>/acts/<int:pk>/undo/", views.undo, name="undo"),
    path("desk/<str:market>/changes/", views.changes, name="market-changes"),
    path("desk/<str:market>/arrivals/", views.arrivals, name="market-arrivals"),
    path("desk/<str:market>/<slug:category>/", views.desk, name="desk"),
    path("desk/<str:market>/<slug:category>/changes/", views.changes, name="changes"),
    path("desk/<str:market>/<slug:category>/arrivals/", views.arrivals, name="arrivals"),
    path("desk/<str:market>/<slug:category>/candidates/<int:pk>/", views.decide, name="decide"),
]
