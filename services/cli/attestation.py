"""`waymark attestation`: employers and peers attest skills, by one-time links."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated

import typer

from services.cli import output
from services.cli.amounts import in_days
from services.cli.call import Call, calls, enum
from services.cli.holder import LEARNER, own
from services.cli.options import Limit
from services.cli.skill import Level

attestation = typer.Typer(help="Employers and peers attest skills, by links that work once.")
REQUEST = {
    "request": "name",
    "skill claim": "skillClaim",
    "label": "label",
    "as": "source",
    "state": "state",
    "until": "expireTime",
    "endorsement": "credential",
}
ASKED = {
    "asks": "holderName",
    "skill": "label",
    "concept": "conceptUri",
    "says": "level",
    "asks you as": "source",
    "until": "expireTime",
}
Link = Annotated[str, typer.Argument(metavar="LINK", help="The link as you got it, or what is after its #.")]
OPEN = "v1/attestationRequests:open"


def register(app: typer.Typer) -> None:
    """Adds `attestation` to the command line `app`."""
    app.add_typer(attestation, name="attestation", no_args_is_help=True)


@attestation.command(
    epilog="Example:  waymark attestation ask holders/0198…/skillClaims/0198… --label 'Scheldt Logistics'"
)
@calls(LEARNER)
def ask(
    call: Call,
    claim: Annotated[str, typer.Argument(metavar="CLAIM", help="holders/{id}/skillClaims/{id}")],
    label: Annotated[str, typer.Option(help="What you call it, for example whom it is for.")] = "",
    days: Annotated[int, typer.Option(min=1, max=90, help="How long the link works.")] = 30,
    peer: Annotated[bool, typer.Option("--peer", help="For who worked or learnt beside you.")] = False,
) -> None:
    """Make a link for an employer, or for a peer; it is shown this once, and works once."""
    source = "SKILL_SOURCE_PEER" if peer else "SKILL_SOURCE_EMPLOYER"
    wanted = {"skillClaim": claim, "label": label, "expireTime": in_days(days), "source": source}
    made = call.post(f"{own(call, '')}/attestationRequests", {"attestationRequest": wanted})
    address = f"{call.caller.client.state.edge}/{OPEN}#{made['token']}"
    if call.as_json:
        output.as_json({**made, "link": address})
    else:
        output.details(made["attestationRequest"] | {"link": address}, REQUEST | {"link": "link"})


@attestation.command("list", epilog="Example:  waymark attestation list")
@calls(LEARNER)
def list_(call: Call, limit: Limit = 50) -> None:
    """List your requests, newest first; without their secrets."""
    call.many(f"{own(call, '')}/attestationRequests", REQUEST, limit, empty="no request yet")


@attestation.command(epilog="Example:  waymark attestation withdraw holders/0198…/attestationRequests/0198…")
@calls(LEARNER)
def withdraw(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="REQUEST", help="holders/{id}/attestationRequests/{id}")],
) -> None:
    """Withdraw a request."""
    call.one(call.post(f"{name}:withdraw"), REQUEST)


@attestation.command(
    "open", epilog="Example:  waymark attestation open 'http://127.0.0.1:8180/v1/attestationRequests:open#…'"
)
@calls()
def open_(call: Call, link: Link) -> None:
    """Look at what is asked of you; needs no account, and the person sees that you did."""
    call.one(call.post("attestationRequests:open", {"token": link.rpartition("#")[2]}), ASKED)


@attestation.command(
    epilog="Example:  waymark attestation give LINK --attester 'Tom Maes' --employer 'Scheldt Logistics'"
    " --level advanced --out endorsement.json"
)
@calls()
def give(
    call: Call,
    link: Link,
    attester: Annotated[str, typer.Option(help="Who attests, by name.")],
    level: Annotated[Level, typer.Option(help="How well the person has the skill.")],
    employer: Annotated[str, typer.Option(help="For which employer; not needed of a peer.")] = "",
    position: Annotated[str, typer.Option(help="As what you attest.")] = "",
    comment: Annotated[str, typer.Option(help="What you have seen.")] = "",
    out: Annotated[Path | None, typer.Option(help="Where to write the endorsement, for you to keep.")] = None,
) -> None:
    """Attest the skill, and so use the link up."""
    said = {"attester": attester, "employer": employer, "position": position, "comment": comment}
    body = {"token": link.rpartition("#")[2], "attestation": {**said, "level": enum("SKILL_LEVEL", level)}}
    content = base64.b64decode(call.post("attestationRequests:give", body)["credential"])
    if out:
        out.write_bytes(content)
        typer.echo(f"{out}: {len(content)} bytes")
    else:
        typer.echo(content.decode())
