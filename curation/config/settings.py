"""Settings. Everything that differs between installations is an environment variable of docs/settings.md."""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from curation.config.beat import ring_for
from curation.config.env import address, boolean, count, database, group_roles, off, one_of, read, words
from curation.config.logs import logging_for
from curation.config.rules import RULES_OF_LIBRARIES  # noqa: F401  read by regions.middleware

BASE_DIR = Path(__file__).resolve().parent.parent.parent

# --- from the environment ---------------------------------------------------------------------------------------
SECRET_KEY = read("SECRET_KEY")
ERASURE_KEY = read("ERASURE_KEY", str, SECRET_KEY)
DEBUG = read("DEBUG", boolean, False)
ALLOWED_HOSTS = read("ALLOWED_HOSTS", words, ["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = read("CSRF_TRUSTED_ORIGINS", words, [])
SECURE = read("SECURE", boolean, True)
DATABASES = {"default": read("DATABASE_URL", database)}
REDIS_URL = read("REDIS_URL", address("redis", "rediss", "unix"))
CELERY_BROKER_URL = read("CELERY_BROKER_URL", address("redis", "rediss", "amqp", "amqps"), REDIS_URL)
X_API_BASE_URL = read("X_API_BASE_URL", address("http", "https"), "https://api.x.com")
X_BEARER_TOKEN = read("X_BEARER_TOKEN", str, "")
X_BATCH_COMPLIANCE = read("X_BATCH_COMPLIANCE", boolean, False)
X_COMPLIANCE_HOSTS = read("X_COMPLIANCE_HOSTS", words, ["storage.googleapis.com"])
FEED_ROOT = read("FEED_ROOT", Path, BASE_DIR / ".feeds")
FEED_BUCKET = read("FEED_BUCKET", str, "")
FEED_BUCKET_URL = read("FEED_BUCKET_URL", address("http", "https"), "")
FEED_BUCKET_REGION = read("FEED_BUCKET_REGION", str, "")
FEED_BUCKET_FOLDER = read("FEED_BUCKET_FOLDER", str, "")
LOG_SEALS = read("LOG_SEALS", Path, FEED_ROOT.parent / ".seals" / "log.jsonl")
ERASURE_LOG = read("ERASURE_LOG", Path, LOG_SEALS.with_name("erasures.jsonl"))
PUBLIC_FEED_URL = read("PUBLIC_FEED_URL", address("http", "https"), "http://localhost:8000/api/v1/feeds/")
EVENTS_URL = read("EVENTS_URL", address("http", "https"), "http://localhost:8001/events/")
CONSOLE_URL = read("CONSOLE_URL", address("http", "https"), "http://localhost:8000")
INGEST_LEASE_SECONDS = read("INGEST_LEASE_SECONDS", count, 150)
INGEST_SLOW_AT_ONCE = read("INGEST_SLOW_AT_ONCE", count, max(1, (os.cpu_count() or 2) // 2))
PICTURE_HOSTS = read("PICTURE_HOSTS", words, ["https://pbs.twimg.com", "https://video.twimg.com"])
PICTURE_BASE = read("PICTURE_BASE", str, "")
STATIC_ROOT = read("STATIC_ROOT", Path, BASE_DIR / ".static")
LOG_LEVEL = read("LOG_LEVEL", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
LOG_FORMAT = read("LOG_FORMAT", one_of("json", "plain"), "json")
SENTRY_DSN = read("SENTRY_DSN", address("http", "https"), "")

OIDC_ISSUER = read("OIDC_ISSUER", address("https") if SECURE else address("http", "https"), "")
OIDC_CLIENT_ID = read("OIDC_CLIENT_ID") if OIDC_ISSUER else ""
OIDC_CLIENT_SECRET = read("OIDC_CLIENT_SECRET", str, "")
OIDC_NAME = read("OIDC_NAME", str, "")
OIDC_SCOPES = read("OIDC_SCOPES", words, ["openid", "profile", "email"])
OIDC_GROUPS_CLAIM = read("OIDC_GROUPS_CLAIM", str, "groups")
OIDC_ROLES = read("OIDC_ROLES", group_roles, [])
OIDC_STRANGERS = read("OIDC_STRANGERS", one_of("refuse", "admit"), "refuse")
OIDC_MATCH_EMAIL = read("OIDC_MATCH_EMAIL", boolean, False)
OIDC_ONLY = read("OIDC_ONLY", boolean if OIDC_ISSUER else off("OIDC_ISSUER is not set"), False)
TRUSTED_PROXIES = read("TRUSTED_PROXIES", count, 0)

CONSOLE_ORIGINS = {CONSOLE_URL.rstrip("/"), *CSRF_TRUSTED_ORIGINS}

# --- the house --------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "regions",
    "curation",
    "feeds",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "csp",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "pgtrigger",
    "rest_framework",
    "rules",
    "template_partials",
]
ROOT_URLCONF = "curation.config.urls"
WSGI_APPLICATION = "curation.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "regions.User"
MIDDLEWARE = [
    "feeds.middleware.BareFeedsMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "regions.middleware.UserLanguageMiddleware",
    "regions.middleware.SamePersonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "regions.middleware.OwnPagesMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "regions.middleware.RuleMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "curation.console.console",
            ],
        },
    }
]

# --- PostgreSQL: psycopg2, one connection a thread, nothing waits for ever --------------------------------------
DATABASES["default"] |= {
    "CONN_MAX_AGE": 600,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": DATABASES["default"].get("OPTIONS", {})
    | {
        "connect_timeout": 5,
        "options": "-c lock_timeout=5s -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s",
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 6_000_000  # bytes: a list of 10,000 rows that is brought in
CACHES = {
    "default": {
        "BACKEND": "curation.config.caching.RedisOrMemory",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "tickerdesk",
    }
}

# --- jobs: Redis is a doorbell, never a record ------------------------------------------------------------------
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_ROUTES = {"curation.tasks.poll_*": {"queue": "ingest"}}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker, however long
CELERY_BROKER_HEARTBEAT = 20  # seconds
BY_RABBITMQ = CELERY_BROKER_URL.startswith("amqp")
# Quorum queues survive the loss of one of three machines. They have no global prefetch: Celery asks for each consumer.
CELERY_TASK_DEFAULT_QUEUE_TYPE = CELERY_TASK_CREATE_MISSING_QUEUE_TYPE = "quorum" if BY_RABBITMQ else "classic"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"confirm_publish": True, "read_timeout": 10, "write_timeout": 10}
    if BY_RABBITMQ
    else {"visibility_timeout": 300, "socket_timeout": 10, "socket_connect_timeout": 5, "socket_keepalive": True}
)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False  # else each piece of a traceback becomes an event
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"  # keeps nothing in a file: a time ahead would silence it until then
CELERY_BEAT_SCHEDULE = {
    "poll due sources": ring_for("curation.tasks.poll_due_sources", every=2, lies_at_most=10),
    "recheck live": ring_for("feeds.tasks.recheck_live", every=60, lies_at_most=55),
    "recheck pending": ring_for("curation.tasks.recheck_pending", every=120, lies_at_most=110),
    "reconcile usage": ring_for("curation.tasks.reconcile_usage", every=3600, lies_at_most=3000),
    "tidy ingest": ring_for("curation.tasks.tidy_ingest", every=3600),
    "lapse old candidates": ring_for("curation.tasks.lapse_old_candidates", every=60),
    "carry blocks": ring_for("curation.tasks.carry_blocks", every=2, lies_at_most=10),
    "batch compliance": ring_for("curation.tasks.batch_compliance", every=600, lies_at_most=550),
    "purge old texts": ring_for("feeds.tasks.purge_old", every=3600),
    "forget old keys": ring_for("curation.tasks.forget_old_keys", every=3600),
}

# --- people and safety ------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
if OIDC_ONLY:  # sessions that began with a password end
    AUTHENTICATION_BACKENDS = ["rules.permissions.ObjectPermissionBackend", "regions.accounts.CompanyBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNT_ADAPTER = "regions.accounts.ClosedAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
SOCIALACCOUNT_ADAPTER = "regions.company.adapter.CompanyAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "add_webauthn": "regions.passkeys.AddForm",
    "login_webauthn": "regions.passkeys.LoginForm",
    "authenticate": "regions.second_step.CodeForm",
}
MFA_TOTP_ISSUER = "Tickerdesk"
MFA_TOTP_TOLERANCE = 1  # a code that changed while it was typed still counts
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE  # passkeys then work on http://localhost
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # no mail leaves the house
CSRF_FAILURE_VIEW = "regions.views.forged"
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # nginx sends plain http to https (deploy/here/listen.conf)
    "security.W021",  # a preload list binds the whole domain: its owner's to say, in nginx
]
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: []
    for feature in (
        *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation"),
        *("gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment"),
        *("picture-in-picture", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
    )
}
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", *PICTURE_HOSTS],
        "font-src": [SELF],
        "connect-src": [SELF, EVENTS_URL],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- languages and times ----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("de", _("German")),
    ("nl", _("Dutch")),
    ("el", _("Greek")),
    ("ro", _("Romanian")),
    ("hr", _("Croatian")),
    ("en", _("English")),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "curation.config.formats"
USE_TZ = True
TIME_ZONE = "UTC"

# --- static files -----------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "curation.config.storage.HashedAndCompressed"},
}
if FEED_BUCKET:
    STORAGES["feeds"] = {
        "BACKEND": "feeds.bucket.FeedBucket",
        "OPTIONS": {
            "bucket_name": FEED_BUCKET,
            "endpoint_url": FEED_BUCKET_URL or None,
            "region_name": FEED_BUCKET_REGION or None,
            "location": FEED_BUCKET_FOLDER.strip("/"),
        },
    }
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["map", "png", "jpg", "gz", "br", "woff2"]

# --- API --------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "regions.tokens.PersonsToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["regions.permissions.RulePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "regions.problems.as_problem",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
REST_KNOX = {"TOKEN_TTL": None, "AUTH_HEADER_PREFIX": "Token"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tickerdesk",
    "VERSION": "1",
    "DESCRIPTION": "The published feed (for everyone) and the editorial API (for members of a market).",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "feeds.schema.add_feeds"],
    "ENUM_NAME_OVERRIDES": {
        "SourceKindEnum": "regions.models.Source.Kind",
        "BlockKindEnum": "regions.models.Block.Kind",
    },
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": False},  # links would stand within buttons
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- logs -------------------------------------------------------------------------------------------------------
LOGGING = logging_for(LOG_LEVEL, LOG_FORMAT)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = TRUSTED_PROXIES > 0  # nginx gives each request its own
if SENTRY_DSN:
    import sentry_sdk

    sentry_sdk.init(dsn=SENTRY_DSN, send_default_pii=False)
