"""`waymark share`: secret links that show chosen fields of a portfolio."""

from __future__ import annotations

import secrets
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.amounts import in_days
from services.cli.call import Call, calls, enum
from services.cli.entry import ROW as ENTRIES
from services.cli.evidence import ROW as EVIDENCE
from services.cli.holder import HOLDER, LEARNER, own
from services.cli.options import Limit
from services.cli.pathway import ROW as PATHWAYS
from services.cli.skill import ROW as SKILLS

share = typer.Typer(help="Secret links to chosen fields of a portfolio: make, open, withdraw.")


class PageFormat(StrEnum):
    """How pages are written down."""

    HTML = "html"
    PDF = "pdf"


LINK = {
    "share link": "name",
    "label": "label",
    "for": "purpose",
    "by law": "legalBasis",
    "shows": "fields",
    "pages": "pages",
    "anonymous": "anonymous",
    "gives files": "files",
    "state": "state",
    "uses": "uses",
    "of": "maxUses",
    "needs a PIN": "pinRequired",
    "until": "expireTime",
}
DOWNLOAD = {"address": "url", "works for": "lifetime"}
PAGE = {"page": "title", "template": "template", "language": "languageCode"}
OPEN = "v1/shareLinks:open"
Link = Annotated[str, typer.Argument(metavar="LINK", help="The link as you got it, or what is after its #.")]
Pin = Annotated[str, typer.Option(help="PIN, when the link needs one.")]


def register(app: typer.Typer) -> None:
    """Adds `share` to the command line `app`."""
    app.add_typer(share, name="share", no_args_is_help=True)


@share.command(epilog="Example:  waymark share create holder.given_name entries.title --label 'for the dock'")
@calls(LEARNER)
def create(
    call: Call,
    fields: Annotated[
        list[str], typer.Argument(help="What to show: `holder.given_name`, `entries.title`, `pathways`, …")
    ],
    label: Annotated[str, typer.Option(help="What you call it, for example whom it is for.")] = "",
    purpose: Annotated[
        str,
        typer.Option(help="What they may use it for; who opens the link reads it, unless it is anonymous."),
    ] = "",
    days: Annotated[int, typer.Option(min=1, help="How long it opens.")] = 14,
    uses: Annotated[int, typer.Option(min=1, help="How often it opens.")] = 3,
    pin: Annotated[
        str, typer.Option(help="PIN of 4 to 12 digits; default: one is made.", show_default=False)
    ] = "",
    pages: Annotated[
        list[str] | None,
        typer.Option("--page", help="Page or collection that `pages` shows, in order; default: all."),
    ] = None,
    no_pin: Annotated[bool, typer.Option("--no-pin", help="Whoever has the link may open it.")] = False,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Show entries and skills without anything that says whose.")
    ] = False,
    files: Annotated[bool, typer.Option("--files", help="Give the files that it shows, too.")] = False,
) -> None:
    """Make a link; link and PIN are shown this once. Send them by different ways."""
    given = "" if no_pin else pin or f"{secrets.randbelow(10**6):06d}"
    link = {
        "label": label,
        "purpose": purpose,
        "fields": fields,
        "expireTime": in_days(days),
        "maxUses": uses,
        "pages": pages or [],
        "anonymous": anonymous,
        "files": files,
    }
    made = call.post(f"{own(call, '')}/shareLinks", {"shareLink": link, "pin": given})
    address = f"{call.caller.client.state.edge}/{OPEN}#{made['token']}"
    if call.as_json:
        output.as_json({**made, "link": address, "pin": given})
    else:
        output.details(
            made["shareLink"] | {"link": address, "pin": given}, LINK | {"link": "link", "PIN": "pin"}
        )


@share.command("list", epilog="Example:  waymark share list")
@calls(LEARNER)
def list_(call: Call, limit: Limit = 50) -> None:
    """List your links, ended ones included, newest first; without their secrets."""
    call.many(f"{own(call, '')}/shareLinks", LINK, limit, empty="no link yet")


@share.command(epilog="Example:  waymark share revoke holders/0198…/shareLinks/0198…")
@calls(LEARNER)
def revoke(
    call: Call, name: Annotated[str, typer.Argument(metavar="SHARE", help="holders/{id}/shareLinks/{id}")]
) -> None:
    """Withdraw a link; the very next opening is refused."""
    call.one(call.post(f"{name}:revoke"), LINK)


@share.command(
    "open", epilog="Example:  waymark share open 'http://127.0.0.1:8180/v1/shareLinks:open#…' --pin 246810"
)
@calls()
def open_(
    call: Call,
    link: Link,
    pin: Pin = "",
) -> None:
    """Look at what a link shows, as an employer would; needs no account, and the person sees that you did."""
    answer = call.post("shareLinks:open", {"token": link.rpartition("#")[2], "pin": pin})
    if call.as_json:
        output.as_json(answer)
    else:
        show(answer)


@share.command(
    epilog="Example:  waymark share pages 'http://127.0.0.1:8180/v1/shareLinks:open#…' --out pages.html"
)
@calls()
def pages(
    call: Call,
    link: Link,
    out: Annotated[Path, typer.Option(help="Where to write them.")],
    format_: Annotated[
        PageFormat, typer.Option("--format", help="A page of the web, or PDF.")
    ] = PageFormat.HTML,
    pin: Pin = "",
) -> None:
    """Write the pages that a link shows to a file; it counts as a look, which the person sees."""
    body = {"token": link.rpartition("#")[2], "pin": pin, "format": enum("PAGE_FORMAT", format_)}
    call.file(out, call.caller.rest_bytes("POST", "/v1/shareLinks:openPages", body))


@share.command(
    epilog="Example:  waymark share file 'http://127.0.0.1:8180/v1/shareLinks:open#…' "
    "holders/0198…/evidence/0198…"
)
@calls()
def file(
    call: Call,
    link: Link,
    evidence: Annotated[str, typer.Argument(metavar="FILE", help="Its name, as `open` shows it.")],
    pin: Pin = "",
) -> None:
    """Show an address from which a file that a link shows can be had for some minutes; counts as a look."""
    body = {"token": link.rpartition("#")[2], "pin": pin, "evidence": evidence}
    call.one(call.post("shareLinks:file", body), DOWNLOAD)


def show(answer: dict[str, Any]) -> None:
    """Prints the parts of a portfolio that a link shows, with what it shows of each."""
    portfolio: dict[str, Any] = answer.get("portfolio", {})
    if portfolio.get("holder"):
        output.details(portfolio["holder"], HOLDER)
    for part, columns in (
        ("entries", ENTRIES),
        ("skillClaims", SKILLS),
        ("evidence", EVIDENCE),
        ("pathways", PATHWAYS),
    ):
        rows = portfolio.get(part, [])
        filled = {name: path for name, path in columns.items() if any(output.at(row, path) for row in rows)}
        if filled:
            output.table(rows, filled)
    for page in portfolio.get("pages", []):
        show_page(page)
    output.details(
        answer, {"for": "purpose", "shown": "fields", "opens again": "remainingUses", "until": "expireTime"}
    )


def show_page(page: dict[str, Any]) -> None:
    """Prints a page as others see it: what is on it in order, then what was said to it."""
    output.details(page, PAGE)
    items = [
        {"kind": kind, "what": _said(thing)} for item in page.get("items", []) for kind, thing in item.items()
    ]
    output.table(items, {"block": "kind", "what": "what"}, empty="nothing on it")
    if page.get("comments"):
        output.table(page["comments"], {"author": "author", "says": "text", "when": "commentTime"})


def _said(thing: Any) -> Any:
    """What stands for a thing in a line: its text, title, label or file name."""
    if isinstance(thing, str):
        return thing
    paths = ("title", "label", "summary.title", "fileName", "conceptUri")
    return next((said for path in paths if (said := output.at(thing, path))), "")
