"""`waymark application`: the desk's own commands, and what a learner does about an application."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli import letters
from services.cli.amounts import json_day
from services.cli.application import APPLICATION, CASEWORKER, Name, application
from services.cli.call import Call, calls, enum
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit, subject_of

LEARNER = "learner"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
INQUIRY = {
    "question": "name",
    "asks for": "kind",
    "fact": "factKey",
    "note": "note",
    "until": "dueDate",
    "state": "state",
    "answered with": "evidence",
    "told": "answeredFact",
    "answer's note": "answerNote",
}
Question = Annotated[str, typer.Argument(metavar="QUESTION", help="applications/{id}/inquiries/{id}")]
Etag = Annotated[str, typer.Option(help="Etag read before; refused when somebody changed it since.")]


class Kind(StrEnum):
    """What an applicant is asked for."""

    FACT = "fact"
    PROOF_OF_EDUCATION = "proof-of-education"
    PROOF_OF_WORK = "proof-of-work"
    PROOF_OF_RESIDENCE = "proof-of-residence"
    PROOF_OF_DISABILITY = "proof-of-disability"
    OTHER_DOCUMENT = "other-document"


@application.command(
    epilog="Examples:  waymark application assign applications/0198… · waymark application assign "
    "applications/0198… --to caseworker:Noor --as supervisor"
)
@calls(CASEWORKER)
def assign(
    call: Call,
    name: Name,
    to: Annotated[str, typer.Option(help="Colleague, named by a supervisor; default: you.")] = "",
    take_over: Annotated[bool, typer.Option("--take-over", help="Also when another has it.")] = False,
    etag: Etag = "",
) -> None:
    """Take an application in hand, or put it into a colleague's."""
    body = {"assignee": subject_of(to) if to else "", "takeOver": take_over, "etag": etag}
    call.one(call.post(f"{name}:assign", body), APPLICATION)


@application.command(
    epilog="Examples:  waymark application ask applications/0198… proof-of-work 2026-12-15 · waymark "
    "application ask applications/0198… fact 2026-12-15 --fact education_level"
)
@calls(CASEWORKER)
def ask(
    call: Call,
    name: Name,
    kind: Annotated[Kind, typer.Argument(help="What you need.")],
    until: Annotated[str, typer.Argument(help="Last day to answer, 2026-12-15.")],
    fact: Annotated[str, typer.Option(help="Which fact, with `fact`.")] = "",
    note: Annotated[str, typer.Option(help="More about it, for the applicant; kept sealed.")] = "",
) -> None:
    """Ask the applicant for a fact or a document; the application waits."""
    asked = {"kind": enum("KIND", kind), "factKey": fact, "dueDate": json_day(until), "note": note}
    call.one(call.post(f"{name}/inquiries", asked), INQUIRY)


@application.command(epilog="Example:  waymark application questions applications/0198… --as learner:Noor")
@calls(CASEWORKER)
def questions(call: Call, name: Name, limit: Limit = 50) -> None:
    """List what an applicant was asked, with the answers."""
    call.many(f"{name}/inquiries", INQUIRY, limit, empty="nothing was asked")


@application.command(
    epilog="Examples:  waymark application answer applications/0198…/inquiries/0198… --fact "
    "education_level=3 · waymark application answer … --evidence holders/5f0c…/evidence/0198…"
)
@calls(LEARNER)
def answer(
    call: Call,
    name: Question,
    fact: Annotated[str, typer.Option(help="The fact asked for, key=value.")] = "",
    evidence: Annotated[
        list[str] | None, typer.Option(help="File of your portfolio; repeat for more.")
    ] = None,
    note: Annotated[str, typer.Option(help="More about it; kept sealed.")] = "",
) -> None:
    """Answer what you were asked."""
    body: dict[str, Any] = {"evidence": evidence or [], "note": note}
    if fact:
        body["fact"] = declared(fact)
    call.one(call.post(f"{name}:answer", body), INQUIRY)


@application.command(epilog="Example:  waymark application unask applications/0198…/inquiries/0198…")
@calls(CASEWORKER)
def unask(call: Call, name: Question) -> None:
    """Take a question back."""
    call.one(call.post(f"{name}:withdraw"), INQUIRY)


@application.command(epilog="Example:  waymark application withdraw applications/0198… --as learner:Noor")
@calls(LEARNER)
def withdraw(call: Call, name: Name, etag: Etag = "") -> None:
    """Take back your application while nobody has decided or drawn it, or your appeal."""
    call.one(call.post(f"{name}:withdraw", {"etag": etag}), APPLICATION)


@application.command(
    epilog="Example:  waymark application appeal applications/0198… --grounds 'I left that job in May'"
)
@calls(LEARNER)
def appeal(
    call: Call,
    name: Name,
    grounds: Annotated[str, typer.Option(help="Why the decision is wrong; kept sealed.")],
    etag: Etag = "",
) -> None:
    """Appeal, once, against the refusal of your application."""
    call.one(call.post(f"{name}:appeal", {"grounds": grounds, "etag": etag}), APPLICATION)


@application.command(
    "decide-appeal",
    epilog="Example:  waymark application decide-appeal applications/0198… --grant --reason 'papers seen'",
)
@calls(CASEWORKER)
def decide_appeal(
    call: Call,
    name: Name,
    grant: Annotated[
        bool, typer.Option("--grant/--refuse", help="Grant the voucher, or let the refusal stand.")
    ],
    reason: Annotated[str, typer.Option(help="Why, for the learner; kept sealed.")],
    etag: Etag = "",
) -> None:
    """Decide an appeal; by another person than decided first."""
    body = {"grant": grant, "reason": reason, "etag": etag}
    call.one(call.post(f"{name}:decideAppeal", body), APPLICATION)


@application.command(
    epilog="Example:  waymark application letter applications/0198… --language nl --out letter.pdf"
)
@calls(CASEWORKER)
def letter(
    call: Call,
    name: Name,
    out: letters.Out,
    language: letters.Language = "en",
    form: letters.Form = letters.Format.PDF,
    first: Annotated[bool, typer.Option("--first", help="Of the first decision, before an appeal.")] = False,
) -> None:
    """Write the letter that tells the decision."""
    letters.write(call, name, out, language, form, **({"first_decision": "true"} if first else {}))


def declared(typed: str) -> dict[str, Any]:
    """`education_level=3` as a fact in JSON: a whole number, yes or no, a day, or a text. Raises Failure."""
    key, equals, value = typed.partition("=")
    if not equals or not key or not value:
        raise Failure(ExitCode.USAGE, f"{typed!r} is no fact.", remedy="Write it like education_level=3.")
    if value in ("true", "false"):
        return {"key": key, "flag": value == "true"}
    if DAY.fullmatch(value):
        return {"key": key, "date": json_day(value)}
    return {"key": key, "number": value} if value.isdigit() else {"key": key, "text": value}
