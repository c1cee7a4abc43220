"""`waymark ledger`: where every cent is, and proof that nobody changed it."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import output
from services.cli.call import listed
from services.cli.exits import ExitCode, Failure
from services.cli.options import ActAs, AsJson, Home, Limit, Token, calling

ledger = typer.Typer(help="The double-entry ledger: entries, balances, signed checkpoints, verification.")


def register(app: typer.Typer) -> None:
    """Adds `ledger` to the command line `app`."""
    app.add_typer(ledger, name="ledger", no_args_is_help=True)


@ledger.command(epilog="Example:  waymark ledger verify && echo intact")
def verify(act_as: ActAs = "auditor", token: Token = "", home: Home = None, as_json: AsJson = False) -> None:
    """Read every entry, compare hashes, sums, balances, checkpoints; exit code 1 when anything is wrong."""
    with calling(home, act_as, token=token) as caller:
        answer = caller.rest("POST", "/v1/ledger:verify", {})
    answer.setdefault("intact", False)
    fields = {
        "intact": "intact",
        "entries": "entryCount",
        "transactions": "transactionCount",
        "checkpoints": "checkpointCount",
    }
    output.one(answer, fields, as_json)
    found = answer.get("findings", [])
    if found and not as_json:
        output.table(found, {"chain": "shard", "entry": "sequence", "kind": "kind", "what": "text"})
    if not answer["intact"]:
        raise Failure(
            ExitCode.OTHER,
            "The ledger is not what it should be.",
            remedy="Stop payouts and call the auditor.",
        )


@ledger.command(epilog="Example:  waymark ledger balances")
def balances(
    act_as: ActAs = "auditor", token: Token = "", home: Home = None, as_json: AsJson = False
) -> None:
    """Sum balances by kind of account; all of them sum to zero."""
    with calling(home, act_as, token=token) as caller:
        found = caller.rest("GET", "/v1/ledger/balances").get("balances", [])
    output.many(found, {"account": "accountKind", "holds": "amount"}, as_json, empty="no entries yet")


@ledger.command(epilog="Example:  waymark ledger entries --reference redemptions/0198…")
def entries(
    reference: Annotated[str, typer.Option(help="Only for this redemption, voucher or batch.")] = "",
    owner: Annotated[str, typer.Option(help="Only of this owner.")] = "",
    limit: Limit = 50,
    act_as: ActAs = "auditor",
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
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
    with calling(home, act_as, token=token) as caller:
        found = listed(caller, "ledger/entries", limit, reference=reference, account_owner=owner)
    output.many(found, columns, as_json, empty="no entries")


@ledger.command(epilog="Example:  waymark ledger checkpoints --json")
def checkpoints(
    limit: Limit = 50,
    act_as: ActAs = "auditor",
    token: Token = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List signed checkpoints, newest first."""
    with calling(home, act_as, token=token) as caller:
        found = listed(caller, "ledger/checkpoints", limit)
    columns = {"chain": "shard", "up to": "sequence", "hash": "hash", "key": "keyId", "when": "createTime"}
    output.many(found, columns, as_json, empty="no checkpoint yet")
