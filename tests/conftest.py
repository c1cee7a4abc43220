"""Fixtures for all tests. Only imports: each lives in tests/support."""

from tests.support.databases import database
from tests.support.events import rig
from tests.support.parts import kafka, postgres, s3
from tests.support.servers import serve

__all__ = ["database", "kafka", "postgres", "rig", "s3", "serve"]
