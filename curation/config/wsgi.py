"""The pages and APIs, for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curation.config.settings")
application = get_wsgi_application()
