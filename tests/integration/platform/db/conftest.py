"""A database with the platform's tables and one table for effects."""

import pytest

from tests.support.databases import Database, Databases
from tests.support.events import platform_database


@pytest.fixture
def platform(database: Databases) -> Database:
    return platform_database(database)
