"""Checking a file that holds a credential, with what issuers publish and whom this office trusts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from waymark.errors.v1 import reason_pb2

from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from services.portfolio.domain.credentials import checking, reading, strict_json
from services.portfolio.store import issuers

if TYPE_CHECKING:
    from services.portfolio.app import PortfolioApp


def check_file(app: PortfolioApp, content: bytes) -> tuple[reading.Read, checking.Checked]:
    """Returns the credential in a file and what checking it came to; raises Refusal(CREDENTIAL_UNREADABLE).

    Asks addresses of issuers, so that no transaction may be open.
    """

    def trusted(issuer: str) -> bool:
        with transaction(app, read_only=True) as tx:
            return issuers.is_trusted(tx, app.origin, issuer)

    try:
        read = reading.read(content)
        return read, checking.check(read, app.documents.for_check(), trusted, _now(app))
    except strict_json.UnreadableError as error:
        raise Refusal(reason_pb2.REASON_CREDENTIAL_UNREADABLE) from error


def _now(app: PortfolioApp) -> datetime:
    """Returns the time by the database's clock (UTC), which decides expiry for every process alike."""
    with transaction(app, read_only=True) as tx:
        return tx.now.astimezone(UTC)
