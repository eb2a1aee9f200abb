"""The house's settings and all its middleware, with the DRF view alone."""

from curation.config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.rest"
