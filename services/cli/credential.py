"""`waymark credential`: the wallet of a portfolio, and the checking of any credential."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.call import Call, calls
from services.cli.holder import LEARNER, Etag, HolderName, own
from services.cli.options import Limit
from services.cli.skill import ROW as SKILL_ROW
from services.cli.uploads import encoded

credential = typer.Typer(help="Credentials: bring, check, bake and hand on; and check what you were shown.")
CREDENTIAL = {
    "credential": "name",
    "title": "summary.title",
    "issuer": "summary.issuerName",
    "issuer's id": "summary.issuerId",
    "format": "summary.format",
    "valid from": "summary.validFrom",
    "until": "summary.validUntil",
    "skills": "summary.skillUris",
    "verdict": "verdict.state",
    "checked": "verdict.checkTime",
    "type": "contentType",
    "SHA-256": "sha256",
    "etag": "etag",
}
SHOWN = {"says": "statement", "about": "subjectId"} | CREDENTIAL  # of a file that is not one's own
ROW = {key: CREDENTIAL[key] for key in ("credential", "title", "issuer", "verdict", "until")}
CHECKS = {"check": "kind", "outcome": "outcome", "why": "finding", "where": "detail"}
Name = Annotated[str, typer.Argument(metavar="CREDENTIAL", help="holders/{id}/credentials/{id}")]
File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="JSON, JWT, or PNG or SVG with one baked in.")
]
Out = Annotated[Path, typer.Option(help="Where to write it.")]
AsJwt = Annotated[bool, typer.Option("--jwt", help="As JWT; to be had of what was issued here.")]


def register(app: typer.Typer) -> None:
    """Adds `credential` to the command line `app`."""
    app.add_typer(credential, name="credential", no_args_is_help=True)


@credential.command("import", epilog="Example:  waymark credential import badge.png")
@calls(LEARNER)
def import_(call: Call, file: File) -> None:
    """Bring a credential into your wallet; it is checked, and kept byte for byte."""
    _checked(call, call.post(f"{own(call, '')}/credentials:import", {"content": encoded(file)}))


@credential.command("list", epilog="Example:  waymark credential list")
@calls(LEARNER)
def list_(call: Call, holder: HolderName = "", limit: Limit = 50) -> None:
    """List the wallet, newest first; a counsellor's look is written to the access log."""
    call.many(f"{own(call, holder)}/credentials", ROW, limit, empty="no credential yet")


@credential.command(epilog="Example:  waymark credential show holders/0198…/credentials/0198…")
@calls(LEARNER)
def show(call: Call, name: Name) -> None:
    """Show a credential and what the last check came to."""
    _checked(call, call.get(name))


@credential.command(epilog="Example:  waymark credential check holders/0198…/credentials/0198…")
@calls(LEARNER)
def check(call: Call, name: Name) -> None:
    """Check a credential of the wallet once more."""
    _checked(call, call.post(f"{name}:check"))


@credential.command(
    "claim-skills",
    epilog="Example:  waymark credential claim-skills holders/0198…/credentials/0198…"
    " http://data.europa.eu/esco/skill/0005…",
)
@calls(LEARNER)
def claim_skills(
    call: Call,
    name: Name,
    skills: Annotated[list[str] | None, typer.Argument(help="Which of its skills; none: all.")] = None,
) -> None:
    """Take over skills that a valid credential names, as claims by the credential."""
    chosen = skills or call.get(name)["summary"].get("skillUris", [])
    claims = call.post(f"{name}:claimSkills", {"skillUris": chosen})["skillClaims"] if chosen else []
    call.rows(claims, SKILL_ROW, empty="it names no skill")


@credential.command(epilog="Example:  waymark credential verify shown.json")
@calls()
def verify(call: Call, file: File) -> None:
    """Check a credential that you were shown; needs no account, and nothing of it is kept."""
    _checked(call, call.post("credentials:verify", {"content": encoded(file)}), SHOWN)


@credential.command(
    epilog="Example:  waymark credential download holders/0198…/credentials/0198… --out badge.png"
)
@calls(LEARNER)
def download(call: Call, name: Name, out: Out, jwt: AsJwt = False) -> None:
    """Write the file of a credential to disk, as it came."""
    _written(call.get(f"{name}:file", **_form(jwt=jwt)), out)


@credential.command(
    epilog="Example:  waymark credential bake holders/0198…/credentials/0198… logo.svg --out badge.svg"
)
@calls(LEARNER)
def bake(
    call: Call,
    name: Name,
    image: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="PNG or SVG to put it into.")],
    out: Out,
    jwt: AsJwt = False,
) -> None:
    """Write a picture that carries a credential."""
    _written(call.post(f"{name}:bake", {"image": encoded(image), **_form(jwt=jwt)}), out)


@credential.command(epilog="Example:  waymark credential delete holders/0198…/credentials/0198…")
@calls(LEARNER)
def delete(call: Call, name: Name, etag: Etag = "") -> None:
    """Remove a credential from the wallet; that revokes nothing."""
    call.delete(name, etag=etag)


def _form(*, jwt: bool) -> dict[str, str]:
    return {"form": "CREDENTIAL_FILE_FORM_JWT"} if jwt else {}


def _checked(call: Call, answer: dict[str, Any], fields: Mapping[str, str] = CREDENTIAL) -> None:
    call.one(answer, fields)
    call.part(answer["verdict"]["checks"], CHECKS)


def _written(answer: dict[str, Any], out: Path) -> None:
    content = base64.b64decode(answer["content"])
    out.write_bytes(content)
    typer.echo(f"{out}: {len(content)} bytes of {answer['contentType']}")
