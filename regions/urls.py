"""Pages of regions."""

from django.urls import URLPattern, path

from regions import settings_urls, views

urlpatterns: list[URLPattern] = [
    *settings_urls.urlpatterns,
    path("language/", views.choose_language, name="choose-language"),
    path("lists/<slug:market>/people/", views.people_list, name="people"),
    path("lists/<slug:market>/people/sheet.csv", views.people_sheet, name="people-sheet"),
    path("lists/<slug:market>/people/bring/", views.bring_people, name="bring-people"),
    path("lists/<slug:market>/people/invite/", views.invite, name="invite"),
    path("lists/<slug:market>/people/invitations/<int:pk>/", views.withdraw_invitation, name="withdraw-invitation"),
    path("lists/<slug:market>/people/<int:pk>/", views.change_person, name="change-person"),
    path("accounts/company/", views.company_login, name="company-login"),
    path("accounts/company/callback/", views.company_callback, name="company-callback"),
    path("invitation/<str:token>/", views.invitation, name="invitation"),
]
