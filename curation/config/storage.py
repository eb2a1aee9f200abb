"""Static files under names that change with what they hold, those that modules import too."""

from collections.abc import Callable
from re import Match
from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

ROOMS = ("regions/", "curation/", "feeds/")


class OwnModules:
    """Imports are rewritten in our own modules alone: libraries name types in comments that look like imports."""

    support_js_module_import_aggregation = True

    def url_converter(self, name: str, *rest: Any, **more: Any) -> Callable[[Match[str]], str]:
        if name.endswith(".js") and not name.startswith(ROOMS):
            return lambda found: found[0]
        convert: Callable[[Match[str]], str] = super().url_converter(name, *rest, **more)  # type: ignore[misc]
        return convert


class Hashed(OwnModules, ManifestStaticFilesStorage):  # type: ignore[misc]
    """For the demo: compressing the libraries takes half a minute."""


class HashedAndCompressed(OwnModules, CompressedManifestStaticFilesStorage):
    pass
