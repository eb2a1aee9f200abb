"""Logging: structlog for everybody, one line an event. tweepy stays at INFO: its DEBUG prints the bearer token."""

import re
from collections.abc import MutableMapping
from typing import Any

import structlog

# A link of an invitation lets somebody in: it stands in no log.
LINKS = re.compile(r"(invitation(?:/|%2F))[\w-]{8,}", re.IGNORECASE)


def without_links(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Every text of an event, invitations' secrets left out."""
    for name, told in event.items():
        if isinstance(told, str) and "nvitation" in told:
            event[name] = LINKS.sub(r"\1...", told)
    return event


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    without_links,
]


def logging_for(level: str, form: str) -> dict[str, Any]:
    """Django's LOGGING for a level and a form, `json` (one object a line) or `plain` (for eyes)."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if form == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["console"], "propagate": False, "level": level},
            "django_structlog": {"level": "WARNING"},
            "tweepy": {"level": "INFO"},
            "tweepy.client": {"level": "INFO"},
            "urllib3": {"level": "INFO"},
            "requests_oauthlib": {"level": "INFO"},
        },
    }
