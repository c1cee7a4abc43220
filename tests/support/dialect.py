"""One cache of compiled statements for all databases of a test process, and one look at what the server is.

SQLAlchemy keeps both for each engine, and here each test has engines of its own: a quarter of what tests of a
service spent went into compiling what an earlier one had compiled already.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

COMPILED: dict[Any, Any] = {}
FOUND: dict[Any, dict[str, Any]] = {}  # by ways of a dialect: what it found out from a server


class SharedDialect(PGDialect_psycopg):
    """Equal to every other that writes and reads values in the same way."""

    supports_statement_cache = True

    @classmethod
    def engine_created(cls, engine: sqlalchemy.Engine) -> None:
        """Called for each new engine."""
        engine.update_execution_options(compiled_cache=COMPILED)

    def initialize(self, connection: sqlalchemy.Connection) -> None:
        """Asks the first server what it is; the others are of the same kind."""
        found = FOUND.get(self._ways())
        if found is None:
            before = dict(vars(self))
            super().initialize(connection)  # type: ignore[no-untyped-call]
            now = vars(self).items()
            found = FOUND[self._ways()] = {n: v for n, v in now if n not in before or before[n] is not v}
        vars(self).update(found)

    def _ways(self) -> tuple[Any, ...]:
        return self._json_serializer, self._json_deserializer, self.use_native_hstore

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SharedDialect) and self._ways() == other._ways()

    def __hash__(self) -> int:
        return hash(self._ways())


def share_compiled() -> None:
    """Lets engines made from now on share their statements."""
    registry.register("postgresql.psycopg", __name__, SharedDialect.__name__)
