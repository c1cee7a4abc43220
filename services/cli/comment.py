"""`waymark comment`: invited people say something to a page, and its holder publishes it or not."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import output, share
from services.cli.amounts import in_days
from services.cli.call import Call, calls
from services.cli.holder import LEARNER, own
from services.cli.options import Limit
from services.cli.page import Name as PageName

comment = typer.Typer(help="Comments on pages by invited people: invite, read, publish, hide.")
INVITATION = {
    "invitation": "name",
    "page": "page",
    "label": "label",
    "state": "state",
    "comments": "comments",
    "of": "maxComments",
    "until": "expireTime",
}
COMMENT = {"comment": "name", "page": "page", "author": "author", "says": "text", "state": "state"}
Link = Annotated[str, typer.Argument(metavar="LINK", help="The link as you got it, or what is after its #.")]
Invitation = Annotated[str, typer.Argument(metavar="INVITATION", help="holders/{id}/pageInvitations/{id}")]
Name = Annotated[str, typer.Argument(metavar="COMMENT", help="holders/{id}/pageComments/{id}")]
OPEN = "v1/pageInvitations:open"


def register(app: typer.Typer) -> None:
    """Adds `comment` to the command line `app`."""
    app.add_typer(comment, name="comment", no_args_is_help=True)


@comment.command(epilog="Example:  waymark comment invite holders/0198…/pages/0198… --label 'the foreman'")
@calls(LEARNER)
def invite(
    call: Call,
    page: PageName,
    label: Annotated[str, typer.Option(help="What you call it, for example whom it is for.")] = "",
    comments: Annotated[int, typer.Option(min=1, max=20, help="How many comments it takes.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=90, help="How long the link works.")] = 30,
) -> None:
    """Make a link to one page for somebody who is to say something to it; it is shown this once."""
    wanted = {"page": page, "label": label, "maxComments": comments, "expireTime": in_days(days)}
    made = call.post(f"{own(call, '')}/pageInvitations", {"pageInvitation": wanted})
    address = f"{call.caller.client.state.edge}/{OPEN}#{made['token']}"
    if call.as_json:
        output.as_json({**made, "link": address})
    else:
        output.details(made["pageInvitation"] | {"link": address}, INVITATION | {"link": "link"})


@comment.command(epilog="Example:  waymark comment invitations")
@calls(LEARNER)
def invitations(call: Call, limit: Limit = 50) -> None:
    """List your invitations, ended ones included, newest first; without their secrets."""
    call.many(f"{own(call, '')}/pageInvitations", INVITATION, limit, empty="nobody is invited")


@comment.command(epilog="Example:  waymark comment withdraw holders/0198…/pageInvitations/0198…")
@calls(LEARNER)
def withdraw(call: Call, name: Invitation) -> None:
    """Withdraw an invitation; what was said by it stays."""
    call.one(call.post(f"{name}:withdraw"), INVITATION)


@comment.command(
    "open", epilog="Example:  waymark comment open 'http://127.0.0.1:8180/v1/pageInvitations:open#…'"
)
@calls()
def open_(call: Call, link: Link) -> None:
    """Read the page, as who is invited; needs no account, and the person sees that you did."""
    answer = call.post("pageInvitations:open", {"token": link.rpartition("#")[2]})
    if call.as_json:
        output.as_json(answer)
    else:
        share.show_page(answer["page"])
        output.details(answer, {"comments left": "remainingComments", "until": "expireTime"})


@comment.command(epilog="Example:  waymark comment give LINK 'Straight seams.' --author 'Tom Maes'")
@calls()
def give(
    call: Call,
    link: Link,
    text: Annotated[str, typer.Argument(help="What you say.")],
    author: Annotated[str, typer.Option(help="Who you are, by name.")],
) -> None:
    """Say something to the page; its holder decides whether others see it."""
    body = {"token": link.rpartition("#")[2], "author": author, "text": text}
    call.one(call.post("pageInvitations:comment", body), {"comments left": "remainingComments"})


@comment.command("list", epilog="Example:  waymark comment list")
@calls(LEARNER)
def list_(call: Call, limit: Limit = 50) -> None:
    """List what was said to your pages, newest first."""
    call.many(f"{own(call, '')}/pageComments", COMMENT, limit, empty="nothing was said yet")


@comment.command(epilog="Example:  waymark comment publish holders/0198…/pageComments/0198…")
@calls(LEARNER)
def publish(call: Call, name: Name) -> None:
    """Show a comment with its page from now on."""
    call.one(call.post(f"{name}:publish"), COMMENT)


@comment.command(epilog="Example:  waymark comment hide holders/0198…/pageComments/0198…")
@calls(LEARNER)
def hide(call: Call, name: Name) -> None:
    """Show a comment no more."""
    call.one(call.post(f"{name}:hide"), COMMENT)
