"""Fixtures for all tests, each from tests/support, the profile of the property tests, and the log."""

import structlog
from hypothesis import HealthCheck, settings

from tests.support.databases import admin, database
from tests.support.dialect import share_compiled
from tests.support.events import rig
from tests.support.parts import kafka, postgres, s3
from tests.support.scheduling import (
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_xdist_make_scheduler,
)
from tests.support.servers import serve

__all__ = [
    "admin",
    "database",
    "kafka",
    "postgres",
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "pytest_xdist_make_scheduler",
    "rig",
    "s3",
    "serve",
]

share_compiled()

# How long an example takes says nothing about it on a machine whose cores are all at work.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# Drawn in boxes with every local, as is structlog's way, a traceback takes half a second, and tests of what
# nobody foresaw log many.
*before, _ = structlog.get_config()["processors"]
plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*before, plain])
