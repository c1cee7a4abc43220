"""Signing what is issued here and putting it into the wallet of its holder."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from waymark.portfolio.v1 import credential_pb2 as pb
from waymark.portfolio.v1.events_pb2 import IssuedCredentialMoved
from waymark.portfolio.v1.issued_credential_pb2 import IssuedCredential

from services.platform.db.transaction import Transaction
from services.portfolio.domain.credentials import checking, issuing, reading
from services.portfolio.domain.keys import KeyRing
from services.portfolio.domain.states import word
from services.portfolio.store import credentials, issued_credentials, issuers
from services.portfolio.store.vault import Vault


def issue(
    tx: Transaction,
    vault: Vault,
    issuer: issuing.Issuer,
    keys: KeyRing,
    wanted: IssuedCredential,
    *,
    refusable: bool = True,
) -> IssuedCredential:
    """Issues an achievement of an awarding body into a wallet and tells so; `valid_from` must be set.

    Raises Refusal(QUOTA_EXCEEDED), where it is `refusable`.
    """
    signer = issuers.signer_of(tx, keys, issuer)
    issued, place = issued_credentials.add(tx, issuer.id, vault.holder, wanted)
    unsigned = issuing.achievement_credential(issuer, issued, place, vault.holder)
    issued.credential, _ = award(tx, vault, unsigned, signer, refusable=refusable)
    tell(tx, issued)
    return issued


def tell(tx: Transaction, issued: IssuedCredential) -> None:
    """Tells that what was issued came to the state it is in."""
    state = word(IssuedCredential.State, issued.state)
    tx.publish(IssuedCredentialMoved(issued_credential=issued.name, to_state=state))


def award(
    tx: Transaction, vault: Vault, unsigned: dict[str, Any], signer: issuing.Signer, *, refusable: bool = True
) -> tuple[str, bytes]:
    """Signs a credential by each kind of proof and puts it into a wallet; returns its name and the JSON.

    Raises Refusal(QUOTA_EXCEEDED), where it is `refusable`.
    """
    signed = json.dumps(issuing.proven(unsigned, signer, tx.now), ensure_ascii=False).encode()
    credential = pb.Credential(
        summary=checking.summary_of(unsigned),
        verdict=checking.untouched(tx.now),
        content_type=reading.JSON,
        sha256=hashlib.sha256(signed).hexdigest(),
    )
    token = issuing.as_token(unsigned, signer).encode()
    files = {credentials.AS_IT_CAME: signed, pb.CREDENTIAL_FILE_FORM_JWT: token}
    return credentials.add(tx, vault, credential, files, refusable=refusable).name, signed
