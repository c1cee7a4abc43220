"""One cache of compiled statements for all databases of a test process.

SQLAlchemy keeps one for each engine, and here each test has engines of its own: a quarter of what tests of a
service spent went into compiling what an earlier one had compiled already.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

COMPILED: dict[Any, Any] = {}


class SharedDialect(PGDialect_psycopg):
    """Equal to every other that writes and reads values in the same way."""

    supports_statement_cache = True

    @classmethod
    def engine_created(cls, engine: sqlalchemy.Engine) -> None:
        """Called for each new engine."""
        engine.update_execution_options(compiled_cache=COMPILED)

    def _ways(self) -> tuple[Any, ...]:
        return self._json_serializer, self._json_deserializer, self.use_native_hstore

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SharedDialect) and self._ways() == other._ways()

    def __hash__(self) -> int:
        return hash(self._ways())


def share_compiled() -> None:
    """Lets engines made from now on share their statements."""
    registry.register("postgresql.psycopg", __name__, SharedDialect.__name__)
