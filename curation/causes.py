"""Why the system withdraws a post, in words."""

from django.utils.translation import gettext_lazy as _

CAUSES = {
    "deleted": _("deleted at X"),
    "protected": _("its author shows posts to followers alone"),
    "suspended": _("its author is suspended at X"),
    "withheld": _("X withholds it in this country"),
    "erased": _("its author asked to be erased"),
    "unverified": _("X could not be asked for a day whether it still stands"),
}
