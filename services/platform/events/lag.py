"""How far a consumer is behind, kept where the server's health check finds it without asking Kafka."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from services.platform.db.schema import consumer_lag

if TYPE_CHECKING:
    import sqlalchemy

_insert = insert(consumer_lag)
_KEEP = _insert.on_conflict_do_update(
    index_elements=["topic", "partition"], set_={"lag": _insert.excluded.lag, "measured_at": func.now()}
)


def keep_lag(engine: sqlalchemy.Engine, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes lags by `topic` and `partition`, as measured now by the database's clock."""
    if rows:
        with engine.begin() as connection:
            connection.execute(_KEEP, rows)
