"""What awarding bodies publish: DID documents and status lists, for anybody who checks what they issued."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.portfolio.domain.credentials import controllers, issuing
from services.portfolio.domain.credentials.controllers import UnreachableError
from services.portfolio.store import issued_credentials, issuers

if TYPE_CHECKING:
    from services.portfolio.app import PortfolioApp

_DID = re.compile(r"/v1/credentialIssuers/([^/]+)/did\.json")
_LIST = re.compile(r"/v1/credentialIssuers/([^/]+)/statusLists/([1-9][0-9]{0,8})-([a-z]+)")


def did_document(app: PortfolioApp, tx: Transaction, issuer_id: str) -> bytes:
    """Returns the DID document of an awarding body, former keys included; raises Refusal(NOT_FOUND)."""
    issuer = issuers.get(tx, app.origin, issuer_id)
    multikeys = {row.multikey: row.multikey for row in issuers.keys_of(tx, issuer_id)}
    return _written(controllers.did_document(issuer.did, multikeys))


def status_list(app: PortfolioApp, tx: Transaction, issuer_id: str, number: int, purpose: str) -> bytes:
    """Returns a status list of an awarding body as it is now, signed; raises Refusal(NOT_FOUND)."""
    issuer = issuers.get(tx, app.origin, issuer_id)
    taken = issued_credentials.taken_back(tx, issuer_id, number, int(issuing.PURPOSES[purpose]))
    signer = issuers.signer_of(tx, app.keys, issuer)
    return _written(issuing.status_credential(issuer, signer, number, purpose, taken, tx.now))


def own(app: PortfolioApp, address: str) -> bytes | None:
    """Returns what this service itself would answer at an address of its own, None for any other address.

    Raises UnreachableError for an address of its own where nothing is.
    """
    path = address.removeprefix(app.origin)
    if path == address:
        return None
    did, listed = _DID.fullmatch(path), _LIST.fullmatch(path)
    try:
        with transaction(app, read_only=True) as tx:
            if did:
                return did_document(app, tx, did[1])
            if listed and listed[3] in issuing.PURPOSES:
                return status_list(app, tx, listed[1], int(listed[2]), listed[3])
    except Refusal as error:
        raise UnreachableError(address) from error
    raise UnreachableError(address)


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
