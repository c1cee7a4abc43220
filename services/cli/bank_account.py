"""`waymark bank-account`: where providers' money goes; a change needs two people and 72 hours."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.call import Call, calls
from services.cli.options import Limit

bank_account = typer.Typer(
    help="Accounts of providers: proposed, confirmed by a second person, used 72 hours later."
)
ACCOUNT = {
    "account": "name",
    "owner": "holderName",
    "iban": "iban",
    "state": "state",
    "confirmed": "confirmTime",
    "used from": "effectiveTime",
}
Name = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="organisations/{organisation}/bankAccounts/{id}")
]
Provider = Annotated[str, typer.Argument(help="organisations/{id}")]


def register(app: typer.Typer) -> None:
    """Adds `bank-account` to the command line `app`."""
    app.add_typer(bank_account, name="bank-account", no_args_is_help=True)


@bank_account.command(
    epilog="Example:  waymark bank-account propose organisations/harbour 'Harbour Academy' BE68539007547034"
)
@calls("finance:maker")
def propose(
    call: Call,
    provider: Provider,
    owner: Annotated[str, typer.Argument(help="Name of the account's owner.")],
    iban: Annotated[str, typer.Argument(help="IBAN; spaces do not matter.")],
    bic: Annotated[str, typer.Option(help="BIC; not needed within SEPA.")] = "",
) -> None:
    """Propose the account a provider is paid to."""
    account = {"holderName": owner, "iban": iban, "bic": bic}
    call.one(call.post(f"{provider}/bankAccounts", account), ACCOUNT)


@bank_account.command(
    epilog="Example:  waymark bank-account confirm organisations/harbour/bankAccounts/0198…"
)
@calls("finance:checker")
def confirm(call: Call, name: Name) -> None:
    """Confirm a proposed account; by another person than the one who proposed it."""
    call.one(call.post(f"{name}:confirm"), ACCOUNT)


@bank_account.command(
    epilog="Example:  waymark bank-account withdraw organisations/harbour/bankAccounts/0198…"
)
@calls("finance:maker")
def withdraw(call: Call, name: Name) -> None:
    """Take an account back before it is used; one person is enough."""
    call.one(call.post(f"{name}:withdraw"), ACCOUNT)


@bank_account.command(epilog="Example:  waymark bank-account show organisations/harbour/bankAccounts/0198…")
@calls("auditor")
def show(call: Call, name: Name) -> None:
    """Show an account."""
    call.one(call.get(name), ACCOUNT)


@bank_account.command("list", epilog="Example:  waymark bank-account list organisations/harbour")
@calls("auditor")
def list_(call: Call, provider: Provider, limit: Limit = 50) -> None:
    """List a provider's accounts, newest first."""
    call.many(f"{provider}/bankAccounts", ACCOUNT, limit, empty="no account yet")
