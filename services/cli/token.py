"""`waymark token`: an access token from the development issuer of the running stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from services.cli.stack.development_grant import DEVELOPMENT_GRANT, ROLES
from services.cli.stack.paths import option


class NoIssuer(Exception):
    """The development issuer of this home cannot be asked; the text says what to do."""


def request_token(
    home: Path, role: str, *, subject: str = "", organisation: str = "", lifetime: int | None = None
) -> dict[str, Any]:
    """Asks the issuer of the stack in `home` for a token.

    `role` holds one or more names separated by blanks, `lifetime` is in seconds. Returns the answer of the
    token endpoint (`access_token`, `expires_in`, `subject`). Raises NoIssuer, or ValueError with the
    issuer's reason.
    """
    path = home / "issuer" / "address"
    if not path.exists():
        raise NoIssuer(
            f"No development issuer has run in {home}. Start one with `waymark up {option(home)}`; with an "
            "identity provider of your own, ask that for the token."
        )
    form = {"grant_type": DEVELOPMENT_GRANT, "role": role, "subject": subject, "org": organisation}
    if lifetime is not None:
        form["lifetime"] = str(lifetime)
    address = path.read_text().strip()
    try:
        # trust_env off: a proxy has no business with an address on this machine. Certificates, which take
        # long to load, are for TLS.
        secure = address.startswith("https://")
        answer = httpx.post(f"{address}/token", data=form, trust_env=False, timeout=10, verify=secure)
    except httpx.TransportError as error:
        raise NoIssuer(f"The issuer at {address} does not answer; is the stack in {home} running?") from error
    body: dict[str, Any] = answer.json()
    if answer.status_code != 200:
        raise ValueError(body.get("error_description", body.get("error", "refused")))
    return body


def register(app: typer.Typer) -> None:
    """Adds `token` to the command line `app`."""

    @app.command(
        epilog="Examples:  waymark token learner · waymark token provider --org organisations/acme · "
        'curl -H "authorization: Bearer $(waymark token auditor)" …'
    )
    def token(
        role: Annotated[str, typer.Argument(help=f"One of: {', '.join(ROLES)}.")],
        subject: Annotated[
            str, typer.Option(help="A UUID, or a name that becomes a stable UUID. Default: one per role.")
        ] = "",
        org: Annotated[str, typer.Option(help="organisations/{id} to act for.")] = "",
        lifetime: Annotated[int, typer.Option(help="Seconds until it runs out.", min=1)] = 3600,
        home: Annotated[
            Path, typer.Option(envvar="WAYMARK_HOME", help="Folder of the running stack.")
        ] = Path(".waymark"),
        as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer.")] = False,
    ) -> None:
        """Print an access token of the development issuer, for curl, grpcurl or a client."""
        try:
            answer = request_token(home, role, subject=subject, organisation=org, lifetime=lifetime)
        except NoIssuer as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(3) from error
        except ValueError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from error
        typer.echo(json.dumps(answer) if as_json else answer["access_token"])
