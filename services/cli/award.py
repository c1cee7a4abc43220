"""`waymark award`: awarding bodies, what they issue and take back, and whose credentials are trusted."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import output
from services.cli.amounts import in_days
from services.cli.call import Call, calls
from services.cli.options import Limit

award = typer.Typer(help="Awarding bodies: issue credentials, take them back; trust issuers elsewhere.")
BODY = {
    "awarding body": "name",
    "called": "displayName",
    "organisation": "organisation",
    "DID": "did",
    "made": "createTime",
}
KEYS = {"key": "verificationMethod", "since": "createTime", "until": "retireTime"}
ISSUED = {
    "issued": "name",
    "achievement": "achievement.title",
    "holder": "holder",
    "state": "state",
    "valid from": "validFrom",
    "until": "validUntil",
    "credential": "credential",
}
ROW = {key: ISSUED[key] for key in ("issued", "achievement", "state", "until")}
PAGE = {
    "issued": "name",
    "achievement": "achievement.title",
    "criteria": "achievement.criteria",
    "by": "issuerName",
    "DID": "issuerDid",
    "valid": "valid",
    "state": "state",
    "valid from": "validFrom",
    "until": "validUntil",
}
TRUSTED = {"trusted": "name", "issuer": "issuerId", "called": "displayName", "why": "reason"}
MANAGER = "catalogue_manager"
STAFF = "provider"
Body = Annotated[str, typer.Argument(metavar="BODY", help="credentialIssuers/{id}")]
Name = Annotated[str, typer.Argument(metavar="ISSUED", help="credentialIssuers/{id}/issuedCredentials/{id}")]


def register(app: typer.Typer) -> None:
    """Adds `award` to the command line `app`."""
    app.add_typer(award, name="award", no_args_is_help=True)


@award.command(epilog="Example:  waymark award body organisations/quay --called 'Quay School'")
@calls(MANAGER)
def body(
    call: Call,
    organisation: Annotated[str, typer.Argument(help="organisations/{id} whose staff may issue.")],
    called: Annotated[str, typer.Option(help="What every credential calls it.")],
    url: Annotated[str, typer.Option(help="Where it tells of itself.")] = "",
) -> None:
    """Make an organisation an awarding body, with a key of its own."""
    wanted = {"organisation": organisation, "displayName": called, **({"url": url} if url else {})}
    call.one(call.post("credentialIssuers", wanted), BODY)


@award.command("bodies", epilog="Example:  waymark award bodies")
@calls()
def bodies(call: Call, limit: Limit = 50) -> None:
    """List awarding bodies, newest first."""
    call.many("credentialIssuers", BODY, limit)


@award.command("show-body", epilog="Example:  waymark award show-body credentialIssuers/0198…")
@calls()
def show_body(call: Call, name: Body) -> None:
    """Show an awarding body with its keys, former ones too."""
    answer = call.get(name)
    call.one(answer, BODY)
    call.part(answer["keys"], KEYS)


@award.command(epilog="Example:  waymark award did credentialIssuers/0198…")
@calls()
def did(call: Call, name: Body) -> None:
    """Print the DID document of an awarding body, as whoever checks its credentials reads it: JSON."""
    output.as_json(call.get(f"{name}/did.json"))


@award.command(
    "status-list",
    epilog="Example:  waymark award status-list credentialIssuers/0198…/statusLists/1-revocation",
)
@calls()
def status_list(
    call: Call,
    name: Annotated[
        str,
        typer.Argument(metavar="LIST", help="credentialIssuers/{id}/statusLists/{id}, from a credential."),
    ],
) -> None:
    """Print a status list, signed, as whoever checks a credential reads it: JSON."""
    output.as_json(call.get(name))


@award.command("rotate-key", epilog="Example:  waymark award rotate-key credentialIssuers/0198…")
@calls(MANAGER)
def rotate_key(call: Call, name: Body) -> None:
    """Give an awarding body a new key; what the former one signed stays valid."""
    answer = call.post(f"{name}:rotateKey")
    call.one(answer, BODY)
    call.part(answer["keys"], KEYS)


@award.command(
    epilog="Example:  waymark award issue credentialIssuers/0198… holders/0198… --id https://quay.example/welding"
    " --title Welding --description 'Welds plates' --criteria 'Has welded ten' --org organisations/quay"
)
@calls(STAFF)
def issue(
    call: Call,
    name: Body,
    holder: Annotated[str, typer.Argument(metavar="HOLDER", help="holders/{id}")],
    id_: Annotated[str, typer.Option("--id", help="Id of the achievement, the same for all who achieve it.")],
    title: Annotated[str, typer.Option(help="What it is called.")],
    description: Annotated[str, typer.Option(help="What it is.")],
    criteria: Annotated[str, typer.Option(help="What one must do or know.")],
    skill: Annotated[list[str] | None, typer.Option(help="URI of a skill it shows; repeat for more.")] = None,
    days: Annotated[int, typer.Option(min=0, help="How long it is valid; 0: without end.")] = 0,
) -> None:
    """Issue an achievement into the wallet of a holder."""
    achievement = {"id": id_, "title": title, "description": description, "criteria": criteria}
    wanted = {
        "holder": holder,
        "achievement": {**achievement, "skillUris": skill or []},
        **({"validUntil": in_days(days)} if days else {}),
    }
    call.one(call.post(f"{name}/issuedCredentials", wanted), ISSUED)


@award.command("list", epilog="Example:  waymark award list credentialIssuers/0198… --org organisations/quay")
@calls(STAFF)
def list_(call: Call, name: Body, limit: Limit = 50) -> None:
    """List what an awarding body issued, newest first."""
    call.many(f"{name}/issuedCredentials", ROW, limit)


@award.command(epilog="Example:  waymark award show credentialIssuers/0198…/issuedCredentials/0198…")
@calls(STAFF)
def show(call: Call, name: Name) -> None:
    """Show what was issued."""
    call.one(call.get(name), ISSUED)


@award.command(epilog="Example:  waymark award page credentialIssuers/0198…/issuedCredentials/0198…")
@calls()
def page(call: Call, name: Name) -> None:
    """Show what anybody may see who was shown a credential; nothing of its holder."""
    call.one(call.get(f"{name}:page"), PAGE)


@award.command(epilog="Example:  waymark award revoke credentialIssuers/0198…/issuedCredentials/0198…")
@calls(STAFF)
def revoke(call: Call, name: Name) -> None:
    """Take a credential back for good."""
    call.one(call.post(f"{name}:revoke"), ISSUED)


@award.command(epilog="Example:  waymark award suspend credentialIssuers/0198…/issuedCredentials/0198…")
@calls(STAFF)
def suspend(call: Call, name: Name) -> None:
    """Suspend a credential for now."""
    call.one(call.post(f"{name}:suspend"), ISSUED)


@award.command(epilog="Example:  waymark award reinstate credentialIssuers/0198…/issuedCredentials/0198…")
@calls(STAFF)
def reinstate(call: Call, name: Name) -> None:
    """Put a suspended credential in force again."""
    call.one(call.post(f"{name}:reinstate"), ISSUED)


@award.command(
    epilog="Example:  waymark award trust did:web:partner.example --called Partner --why agreements/1"
)
@calls(MANAGER)
def trust(
    call: Call,
    issuer: Annotated[str, typer.Argument(metavar="ISSUER", help="DID or address, as its credentials say.")],
    called: Annotated[str, typer.Option(help="What it is called.")],
    why: Annotated[str, typer.Option(help="Why it is trusted.")] = "",
) -> None:
    """Trust an issuer elsewhere."""
    wanted = {"issuerId": issuer, "displayName": called, "reason": why}
    call.one(call.post("trustedIssuers", wanted), TRUSTED)


@award.command(epilog="Example:  waymark award trusted")
@calls()
def trusted(call: Call, limit: Limit = 50) -> None:
    """List trusted issuers, newest first."""
    call.many("trustedIssuers", TRUSTED, limit)


@award.command(epilog="Example:  waymark award distrust trustedIssuers/0198…")
@calls(MANAGER)
def distrust(
    call: Call, name: Annotated[str, typer.Argument(metavar="TRUSTED", help="trustedIssuers/{id}")]
) -> None:
    """Trust an issuer no more."""
    call.delete(name)
