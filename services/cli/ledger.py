"""`waymark ledger`: where every cent is, and proof that nobody changed it."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import output
from services.cli.call import Call, calls, listed
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit

ledger = typer.Typer(help="The double-entry ledger: entries, balances, signed checkpoints, verification.")


def register(app: typer.Typer) -> None:
    """Adds `ledger` to the command line `app`."""
    app.add_typer(ledger, name="ledger", no_args_is_help=True)


@ledger.command(epilog="Example:  waymark ledger verify && echo intact")
@calls("auditor")
def verify(call: Call) -> None:
    """Read every entry, compare hashes, sums, balances, checkpoints; exit code 1 when anything is wrong."""
    answer = call.post("ledger:verify")
    answer.setdefault("intact", False)
    fields = {
        "intact": "intact",
        "entries": "entryCount",
        "transactions": "transactionCount",
        "checkpoints": "checkpointCount",
    }
    call.one(answer, fields)
    found = answer.get("findings", [])
    if found and not call.as_json:
        output.table(found, {"chain": "shard", "entry": "sequence", "kind": "kind", "what": "text"})
    if not answer["intact"]:
        raise Failure(
            ExitCode.OTHER,
            "The ledger is not what it should be.",
            remedy="Stop payouts and call the auditor.",
        )


@ledger.command(epilog="Example:  waymark ledger balances")
@calls("auditor")
def balances(call: Call) -> None:
    """Sum balances by kind of account; all of them sum to zero."""
    found = call.get("ledger/balances").get("balances", [])
    call.rows(found, {"account": "accountKind", "holds": "amount"}, empty="no entries yet")


@ledger.command(epilog="Example:  waymark ledger entries --reference redemptions/0198…")
@calls("auditor")
def entries(
    call: Call,
    reference: Annotated[str, typer.Option(help="Only for this redemption, voucher or batch.")] = "",
    owner: Annotated[str, typer.Option(help="Only of this owner.")] = "",
    limit: Limit = 50,
) -> None:
    """List entries by chain and place."""
    columns = {
        "chain": "shard",
        "entry": "sequence",
        "operation": "operation",
        "account": "accountKind",
        "owner": "accountOwner",
        "amount": "amount",
        "for": "reference",
    }
    call.many("ledger/entries", columns, limit, reference=reference, account_owner=owner, empty="no entries")


@ledger.command(epilog="Example:  waymark ledger checkpoints --json")
@calls("auditor")
def checkpoints(call: Call, limit: Limit = 50) -> None:
    """List signed checkpoints, newest first."""
    found = listed(call.caller, "ledger/checkpoints", limit)
    columns = {"chain": "shard", "up to": "sequence", "hash": "hash", "key": "keyId", "when": "createTime"}
    call.rows(found, columns, empty="no checkpoint yet")
