"""Signing what is issued here and putting it into the wallet of its holder."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from waymark.portfolio.v1 import credential_pb2 as pb

from services.platform.db.transaction import Transaction
from services.portfolio.domain.credentials import checking, issuing, reading
from services.portfolio.store import credentials
from services.portfolio.store.vault import Vault


def award(
    tx: Transaction, vault: Vault, unsigned: dict[str, Any], signer: issuing.Signer
) -> tuple[str, bytes]:
    """Signs a credential by each kind of proof and puts it into a wallet; returns its name and the JSON.

    Raises Refusal(QUOTA_EXCEEDED).
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
    return credentials.add(tx, vault, credential, files).name, signed
