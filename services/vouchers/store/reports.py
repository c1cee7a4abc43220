"""Counts by programme and month."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from services.platform.db.transaction import Transaction

_APPLICATIONS = text("""SELECT programme_id,
  count(*) FILTER (WHERE created_at >= :start AND created_at < :end) AS applications,
  count(*) FILTER (WHERE state = 2 AND decided_at >= :start AND decided_at < :end) AS granted,
  count(*) FILTER (WHERE state = 3 AND decided_at >= :start AND decided_at < :end) AS refused
FROM applications
WHERE (CAST(:programme AS text) = '' OR programme_id = :programme)
  AND ((created_at >= :start AND created_at < :end) OR (decided_at >= :start AND decided_at < :end))
GROUP BY programme_id""")
_REASONS = text("""SELECT programme_id, code, count(*) AS times
FROM applications, unnest(reason_codes) AS code
WHERE state = 3 AND decided_at >= :start AND decided_at < :end
  AND (CAST(:programme AS text) = '' OR programme_id = :programme)
GROUP BY programme_id, code""")
_VOUCHERS = text("""SELECT programme_id, sum(value_cents) AS issued FROM vouchers
WHERE created_at >= :start AND created_at < :end
  AND (CAST(:programme AS text) = '' OR programme_id = :programme)
GROUP BY programme_id""")
_REDEMPTIONS = text("""SELECT programme_id,
  count(*) FILTER (WHERE created_at >= :start AND created_at < :end) AS reserved,
  count(*) FILTER (WHERE accepted_at >= :start AND accepted_at < :end) AS accepted,
  coalesce(sum(accepted_cents) FILTER (WHERE accepted_at >= :start AND accepted_at < :end), 0)
    AS accepted_cents,
  coalesce(sum(accepted_cents) FILTER (WHERE state = 7 AND updated_at >= :start AND updated_at < :end), 0)
    AS paid_cents
FROM redemptions
WHERE (CAST(:programme AS text) = '' OR programme_id = :programme)
  AND (created_at >= :start AND created_at < :end OR updated_at >= :start AND updated_at < :end
    OR accepted_at >= :start AND accepted_at < :end)
GROUP BY programme_id""")
_STATEMENTS = {
    "applications": _APPLICATIONS,
    "reasons": _REASONS,
    "vouchers": _VOUCHERS,
    "redemptions": _REDEMPTIONS,
}


def month(tx: Transaction, start: datetime, end: datetime, programme_id: str) -> dict[str, list[Row[Any]]]:
    """Returns the counts between two moments (UTC, end excluded); an empty programme means every one."""
    values = {"start": start, "end": end, "programme": programme_id}
    return {name: list(tx.execute(statement, values)) for name, statement in _STATEMENTS.items()}
