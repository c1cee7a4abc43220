"""`waymark ledger`: where every cent is, and proof that nobody changed it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.cli import output
from services.cli.amounts import day_query
from services.cli.call import Call, calls, listed
from services.cli.options import Limit

SHARES = {
    "source": "fundingSource",
    "movement": "movement",
    "amount": "amount",
    "redemption": "redemption",
    "version": "programmeVersion",
    "batch": "payoutBatch",
    "transaction": "transaction",
}
ledger = typer.Typer(help="The double-entry ledger: entries, balances, signed checkpoints, verification.")


def register(app: typer.Typer) -> None:
    """Adds `ledger` to the command line `app`."""
    app.add_typer(ledger, name="ledger", no_args_is_help=True)


@ledger.command(
    epilog="Examples:  waymark ledger verify && echo intact · waymark ledger verify --against rounds.json"
)
@calls("auditor")
def verify(
    call: Call,
    against: Annotated[
        Path | None,
        typer.Option(
            help="Rounds that `ledger checkpoints --json` wrote earlier and that were kept elsewhere: they "
            "show when the newest were removed or made anew.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Read every entry, compare hashes, sums, balances, rounds; exit code 1 when anything is wrong."""
    from services.cli.ledger_check import broken, kept_rounds, verified

    answer = verified(call.caller, kept_rounds(against) if against else [])
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
        columns = {"chain": "shard", "entry": "sequence", "round": "round", "kind": "kind", "what": "text"}
        output.table(found, columns)
    if not answer["intact"]:
        raise broken(found)


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


@ledger.command(epilog="Example:  waymark ledger checkpoints --json > rounds.json")
@calls("auditor")
def checkpoints(
    call: Call,
    limit: Limit = 50,
    by_chain: Annotated[
        bool, typer.Option("--by-chain", help="Those of single chains, from before there were rounds.")
    ] = False,
) -> None:
    """List signed rounds, newest first; kept outside, they are what `verify --against` compares."""
    if by_chain:
        path = "ledger/checkpoints"
        columns = {"chain": "shard", "up to": "sequence", "hash": "hash"}
    else:
        path = "ledger/rounds"
        columns = {"round": "number", "chains": "markCount", "digest": "digest"}
    found = listed(call.caller, path, limit)
    call.rows(found, {**columns, "key": "keyId", "when": "createTime"}, empty="no checkpoint yet")


@ledger.command(epilog="Example:  waymark ledger keys --json > keys.json")
@calls()
def keys(call: Call) -> None:
    """Print the public keys that verify rounds, former ones too; with --json a JWK set."""
    found = call.get("ledgerKeys")
    if call.as_json:
        output.as_json(found)
    else:
        output.table(found.get("keys", []), {"key": "kid", "kind": "crv", "public": "x"})


@ledger.command(epilog="Example:  waymark ledger trace redemptions/0198…")
@calls("auditor")
def trace(
    call: Call,
    what: Annotated[
        str,
        typer.Argument(
            help="A transaction of the ledger, redemptions/{id}, payoutBatches/{id} or fundingSources/{id}."
        ),
    ],
    limit: Limit = 50,
) -> None:
    """Trace a payment to the funding sources that bear it, or a source to its payments."""
    collection, _, _ = what.rpartition("/")
    filters = {
        "redemptions": "redemption",
        "payoutBatches": "payout_batch",
        "fundingSources": "funding_source",
    }
    if collection in filters:
        query = {filters[collection]: what}
        call.many("paymentShares", SHARES, limit, empty="no payment yet", **query)
        return
    if collection:
        raise typer.BadParameter("give a transaction, a redemption, a payout batch or a funding source")
    answer = call.get(f"ledger/transactions/{what}:trace")
    call.one(answer, {"transaction": "transaction", "pot": "pot", "pot's source": "potFundingSource"})
    call.part(answer.get("paymentShares", []), SHARES)
    call.part(
        answer.get("entries", []), {"account": "accountKind", "owner": "accountOwner", "amount": "amount"}
    )


@ledger.command(epilog="Example:  waymark ledger sources --programme programmes/demo --from 2026-01-01")
@calls("auditor")
def sources(
    call: Call,
    programme: Annotated[str, typer.Option(help="Only this programmes/{id}.")] = "",
    start: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")] = "",
    end: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")] = "",
) -> None:
    """Sum what each funding source bears of the payments, by programme."""
    query = {"programme": programme, **day_query("start_date", start), **day_query("end_date", end)}
    columns = {
        "source": "fundingSource",
        "programme": "programme",
        "paid": "paid",
        "returned": "returned",
        "recovered": "recovered",
        "bears": "net",
    }
    call.rows(call.get("paymentShares:sums", **query).get("sums", []), columns, empty="no payment yet")
