"""Vectors of courses, by pgvector: a table for each model, made when it is first needed and dropped for the
next one. No migration makes it: its width is the model's, and a database without the extension is none the
worse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy
from sqlalchemy import LargeBinary, bindparam, cast, column, delete, func, select, table, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.types import UserDefinedType

from services.catalogue.store.columns import UuidText
from services.platform.db.transaction import Transaction

PREFIX = "course_vectors_"
EXPLORED = 200  # courses that the index looks at, and so finds at most; pgvector's own 40 are too few
NEARER = 2.0  # standard deviations
SAMPLE = 500  # courses, to know how near any are to some words
_OTHERS = text(
    "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()"
    " AND starts_with(tablename, :prefix) AND tablename <> :own"
)
_EXPLORE = select(func.set_config("hnsw.ef_search", str(EXPLORED), True))  # noqa: FBT003  of PostgreSQL


class _Vector(UserDefinedType[str]):
    """The type of pgvector, numbers written as a list."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "vector"


class CourseVectors:
    """The vectors by one model."""

    def __init__(self, model: str) -> None:
        self.key = hashlib.blake2b(model.encode(), digest_size=6).hexdigest()
        self._name = PREFIX + self.key
        self._table = table(
            self._name, column("course", UuidText), column("digest", LargeBinary), column("vector", _Vector())
        )

    def there(self, tx: Transaction) -> bool:
        """True when the table is."""
        return bool(tx.execute(select(func.to_regclass(self._name).is_not(None))).scalar_one())

    def make(self, tx: Transaction, width: int) -> None:
        """Makes the table for vectors of `width` numbers unless there, and drops those of other models.

        Raises SQLAlchemy's errors where the extension is not there and the role may not add it.
        """
        run = tx.connection.exec_driver_sql
        run("CREATE EXTENSION IF NOT EXISTS vector")
        for other in tx.execute(_OTHERS, {"prefix": PREFIX, "own": self._name}).scalars():
            run(f"DROP TABLE {other}")
        run(
            f"CREATE TABLE IF NOT EXISTS {self._name} (course UUID PRIMARY KEY REFERENCES courses (id)"
            f" ON DELETE CASCADE, digest BYTEA NOT NULL, vector vector({width:d}) NOT NULL)"
        )
        run(
            f"CREATE INDEX IF NOT EXISTS {self._name}_nearest ON {self._name}"
            " USING hnsw (vector vector_cosine_ops)"
        )

    def digests(self, tx: Transaction, ids: Collection[str]) -> dict[str, bytes]:
        """Returns of which text each course has its vector, by a digest."""
        c = self._table.c
        found = tx.execute(select(c.course, c.digest).where(c.course.in_(list(ids))))
        return {row.course: bytes(row.digest) for row in found}

    def put(self, tx: Transaction, vectors: Mapping[str, tuple[bytes, Sequence[float]]]) -> None:
        """Keeps the digest of its text and the vector of each course."""
        if not vectors:
            return
        values = {"course": bindparam("of"), "digest": bindparam("text"), "vector": _given("numbers")}
        statement = insert(self._table).values(values)
        fresh = {name: statement.excluded[name] for name in ("digest", "vector")}
        tx.execute(
            statement.on_conflict_do_update(index_elements=["course"], set_=fresh),
            [
                {"of": course, "text": digest, "numbers": str(list(vector))}
                for course, (digest, vector) in vectors.items()
            ],
        )

    def forget(self, tx: Transaction, ids: Collection[str]) -> None:
        """Removes the vectors of courses."""
        tx.execute(delete(self._table).where(self._table.c.course.in_(list(ids))))

    def nearest(
        self,
        connection: sqlalchemy.Connection,
        vector: Sequence[float],
        size: int,
        among: Sequence[str] | None = None,
    ) -> list[str]:
        """Returns the ids of the courses nearest to a vector, nearest first: of all, or exactly of some.

        Those alone that are nearer than most: by NEARER standard deviations than a sample is on average.
        """
        c = self._table.c
        distance = c.vector.op("<=>", return_type=sqlalchemy.Float())(_given("numbers"))
        # By their ids, which say nothing of what courses teach.
        sample = select(distance.label("far")).order_by(c.course).limit(SAMPLE).subquery()
        usual = select(func.avg(sample.c.far) - NEARER * func.stddev_pop(sample.c.far)).scalar_subquery()
        found = select(c.course, distance.label("far")).limit(size)
        if among is None:
            connection.execute(_EXPLORE)
            found = found.order_by(distance)
        else:
            # A sum, since the index, asked for the mere distance, would look at the nearest of all alone.
            found = found.where(c.course.in_(list(among))).order_by(distance + 0)
        near = found.subquery()
        statement = select(near.c.course).where(near.c.far <= usual).order_by(near.c.far)
        return list(connection.execute(statement, {"numbers": str(list(vector))}).scalars())


def _given(name: str) -> sqlalchemy.Cast[str]:
    return cast(bindparam(name, type_=sqlalchemy.Text()), _Vector())
