"""The wallet: what each credential says and was found to be, and the file it came in, both sealed."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.credential_pb2 import (
    CREDENTIAL_FILE_FORM_UNSPECIFIED,
    Credential,
    CredentialFileForm,
)

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import names
from services.portfolio.store import credential_tables
from services.portfolio.store.collection import Collection
from services.portfolio.store.vault import Vault

CREDENTIALS = Collection(credential_tables.credentials, "credentials", Credential)
AS_IT_CAME = CREDENTIAL_FILE_FORM_UNSPECIFIED
_FILES = credential_tables.credential_files


def add(
    tx: Transaction,
    vault: Vault,
    credential: Credential,
    files: Mapping[CredentialFileForm.ValueType, bytes],
    *,
    refusable: bool = True,
) -> Credential:
    """Adds a credential with its file by form, unless `refusable` whatever the quota; raises
    Refusal(ALREADY_EXISTS, QUOTA_EXCEEDED)."""
    print_ = vault.key.blind("credential file", credential.sha256)
    if CREDENTIALS.newest(tx, vault, 1, print=print_):
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS)
    try:
        put = CREDENTIALS.add if refusable else CREDENTIALS.append
        made = put(tx, vault, credential, print=print_)
    except IntegrityError:  # a twin was faster
        raise Refusal(reason_pb2.REASON_ALREADY_EXISTS) from None
    row = names.last(made.name)
    rows = [
        {
            "holder_id": vault.holder,
            "credential_id": row,
            "form": form,
            "sealed": vault.key.seal(_FILES.name, _place(row, form), content),
        }
        for form, content in files.items()
    ]
    tx.execute(insert(_FILES), rows)
    return made


def file_of(
    tx: Transaction, vault: Vault, credential_id: str, form: CredentialFileForm.ValueType = AS_IT_CAME
) -> bytes:
    """Returns the file of a credential, byte for byte; raises Refusal(NOT_FOUND), also for a form it has
    not."""
    query = select(_FILES.c.sealed).where(
        _FILES.c.holder_id == vault.holder, _FILES.c.credential_id == credential_id, _FILES.c.form == form
    )
    return vault.key.open(_FILES.name, _place(credential_id, form), tx.one(query).sealed)


def files_of(tx: Transaction, vault: Vault, credential_id: str) -> list[tuple[int, bytes]]:
    """Returns the files of a credential by form, byte for byte; none for a credential that is not there."""
    query = select(_FILES.c.form, _FILES.c.sealed).where(
        _FILES.c.holder_id == vault.holder, _FILES.c.credential_id == credential_id
    )
    rows = tx.execute(query.order_by(_FILES.c.form)).all()
    return [
        (row.form, vault.key.open(_FILES.name, _place(credential_id, row.form), row.sealed)) for row in rows
    ]


def _place(credential_id: str, form: int) -> str:
    return f"{credential_id}/{form}"
