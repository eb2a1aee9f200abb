"""The Celery application. Queues: celery, and ingest for reading X."""

import os

from celery import Celery
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curation.config.settings")

app = Celery("tickerdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks(lambda: [name for name in settings.INSTALLED_APPS if name in ("regions", "curation", "feeds")])
