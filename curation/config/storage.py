"""Static files under names that change with what they hold, those that modules import too."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Hashed(ManifestStaticFilesStorage):
    """For the demo: compressing the libraries takes half a minute."""

    support_js_module_import_aggregation = True


class HashedAndCompressed(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
