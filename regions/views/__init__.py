"""Pages of regions, and the pages for errors that the switchboard names."""

from regions.views.errors import broken, forbidden, forged, missing, refused, too_often
from regions.views.language import choose_language

__all__ = ["broken", "choose_language", "forbidden", "forged", "missing", "refused", "too_often"]
