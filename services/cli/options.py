"""Options that commands share, and the caller they describe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.cli.client import Caller

Home = Annotated[
    Path | None,
    typer.Option(envvar="WAYMARK_HOME", help="Folder of the running stack.", show_default=".waymark"),
]
PortBase = Annotated[
    int | None,
    typer.Option(
        "--port-base",
        min=1024,
        max=65_000,
        help="First port of the stack. Default: the one of the last run, or the first free range from 8080.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]
ActAs = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="ROLE[:NAME]",
        help="Act in this role, as this person; another name is another person. Development issuer only.",
    ),
]
Organisation = Annotated[str, typer.Option("--org", help="organisations/{id} to act for.")]
Token = Annotated[
    str,
    typer.Option(envvar="WAYMARK_TOKEN", help="Access token of your own identity provider, instead of --as."),
]
Provider = Annotated[
    str, typer.Option(help="Only of this organisations/{id}; a provider's default: its own.")
]
Limit = Annotated[int, typer.Option(min=1, help="Show at most so many.")]
Why = Annotated[str, typer.Argument(metavar="REASON", help="Why; others read it, so nothing about persons.")]


@contextmanager
def calling(
    home: Path | None, act_as: str = "", *, token: str = "", organisation: str = ""
) -> Iterator[Caller]:
    """A caller over the edge of the stack in `home`; raises Failure when it cannot be found or reached.

    `act_as` is `ROLE` or `ROLE:NAME`; empty means a call without a token. A given `token` wins over it.
    """
    # Here and not above: `--help` and shell completion need neither gRPC nor HTTP.
    from services.cli.client import Caller, Client

    client = Client(home)
    try:
        role, _, name = act_as.partition(":")
        if token:
            yield Caller(client, token)
        elif role:
            yield client.acting_as(role, act_as if name else "", organisation)
        else:
            yield client.anonymous()
    finally:
        client.close()


def subject_of(person: str) -> str:
    """Subject of a person's tokens: `ROLE:NAME` as for `--as` with the development issuer, else a subject."""
    from services.cli.stack.issuer import subject_id

    return subject_id(person) if ":" in person else person
