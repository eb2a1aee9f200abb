"""Pages of regions, and the pages for errors that the switchboard names."""

from regions.views.company import company_callback, company_login
from regions.views.errors import broken, forbidden, forged, missing, refused, too_often
from regions.views.invitations import invitation
from regions.views.language import choose_language
from regions.views.people import bring_people, change_person, invite, people_list, people_sheet, withdraw_invitation

__all__ = [
    "bring_people",
    "broken",
    "change_person",
    "choose_language",
    "company_callback",
    "company_login",
    "forbidden",
    "forged",
    "invitation",
    "invite",
    "missing",
    "people_list",
    "people_sheet",
    "refused",
    "too_often",
    "withdraw_invitation",
]
