"""`waymark submission`: pages handed in to a counsellor or an assessor, frozen as they were."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli import output, share
from services.cli.amounts import in_days
from services.cli.call import Call, calls, enum
from services.cli.holder import LEARNER, own
from services.cli.options import Limit, subject_of
from services.cli.page import Format, Out
from services.cli.share import PageFormat

submission = typer.Typer(help="Pages handed in: a frozen copy for one recipient, and their answer.")
SUBMISSION = {
    "submission": "name",
    "of": "source",
    "to": "recipient",
    "at": "organisation",
    "note": "note",
    "state": "state",
    "answer": "feedback",
    "until": "expireTime",
    "SHA-256": "sha256",
}
ROW = {key: SUBMISSION[key] for key in ("submission", "state", "until")}
RECEIVED = {
    "submission": "pageSubmission",
    "state": "state",
    "handed in": "createTime",
    "until": "expireTime",
}
Name = Annotated[str, typer.Argument(metavar="SUBMISSION", help="holders/{id}/pageSubmissions/{id}")]


def register(app: typer.Typer) -> None:
    """Adds `submission` to the command line `app`."""
    app.add_typer(submission, name="submission", no_args_is_help=True)


@submission.command(
    epilog="Example:  waymark submission create holders/…/pages/… counsellor:Tess organisations/office"
)
@calls(LEARNER)
def create(
    call: Call,
    source: Annotated[str, typer.Argument(help="holders/{id}/pages/{id} or …/pageCollections/{id}.")],
    recipient: Annotated[str, typer.Argument(help="Subject of their token, or ROLE:NAME as for --as.")],
    organisation: Annotated[str, typer.Argument(help="organisations/{id} they act for.")],
    note: Annotated[str, typer.Option(help="What you say to it.")] = "",
    days: Annotated[int, typer.Option(min=1, max=366, help="How long they can read it.")] = 90,
) -> None:
    """Hand a page or a collection in: frozen as it is now, whatever you change later."""
    body = {"source": source, "recipient": subject_of(recipient), "organisation": organisation}
    body |= {"note": note, "expireTime": in_days(days)}
    call.one(call.post(f"{own(call, '')}/pageSubmissions", body), SUBMISSION)


@submission.command("list", epilog="Example:  waymark submission list")
@calls(LEARNER)
def list_(call: Call, limit: Limit = 50) -> None:
    """List what you handed in, newest first."""
    call.many(f"{own(call, '')}/pageSubmissions", ROW, limit, empty="nothing handed in")


@submission.command(
    epilog="Example:  waymark submission received --as counsellor:Tess --org organisations/office"
)
@calls("counsellor")
def received(call: Call, limit: Limit = 50) -> None:
    """List what was handed in to you and can still be read."""
    call.many("receivedSubmissions", RECEIVED, limit, empty="nothing was handed in to you")


@submission.command(epilog="Example:  waymark submission show holders/0198…/pageSubmissions/0198…")
@calls(LEARNER)
def show(call: Call, name: Name) -> None:
    """Show a submission; the recipient's look is written to the access log."""
    call.one(call.get(name), SUBMISSION)


@submission.command(
    epilog="Example:  waymark submission read holders/0198…/pageSubmissions/0198… "
    "--as counsellor:Tess --org organisations/office"
)
@calls(LEARNER)
def read(call: Call, name: Name) -> None:
    """Read what was frozen; the recipient's look is written to the access log."""
    answer = call.get(f"{name}:pages")
    if call.as_json:
        output.as_json(answer)
        return
    for page in answer["pages"]:
        share.show_page(page)
    output.details(answer, {"collection": "title", "frozen": "freezeTime"})


@submission.command(
    epilog="Example:  waymark submission render holders/0198…/pageSubmissions/0198… --out copy.html"
)
@calls(LEARNER)
def render(call: Call, name: Name, out: Out, format_: Format = PageFormat.HTML) -> None:
    """Write what was frozen down, for the web or for print."""
    call.save(f"{name}:render", out, format=enum("PAGE_FORMAT", format_))


@submission.command(
    epilog="Example:  waymark submission file holders/…/pageSubmissions/… holders/…/evidence/… "
    "--as counsellor:Tess --org organisations/office"
)
@calls("counsellor")
def file(
    call: Call, name: Name, evidence: Annotated[str, typer.Argument(help="holders/{id}/evidence/{id}")]
) -> None:
    """Show an address from which a file on it can be had for some minutes, as the recipient."""
    call.one(call.get(f"{name}:file", evidence=evidence), {"address": "url", "works for": "lifetime"})


@submission.command(
    "return",
    epilog="Example:  waymark submission return holders/0198…/pageSubmissions/0198… 'Well done.' "
    "--as counsellor:Tess --org organisations/office",
)
@calls("counsellor")
def return_(
    call: Call, name: Name, feedback: Annotated[str, typer.Argument(help="What you answer.")]
) -> None:
    """Answer a submission, as the recipient."""
    call.one(call.post(f"{name}:return", {"feedback": feedback}), SUBMISSION)


@submission.command(epilog="Example:  waymark submission withdraw holders/0198…/pageSubmissions/0198…")
@calls(LEARNER)
def withdraw(call: Call, name: Name) -> None:
    """Withdraw a submission; the recipient reads nothing any more."""
    call.one(call.post(f"{name}:withdraw"), SUBMISSION)
