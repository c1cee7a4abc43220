"""`waymark application`: what a learner would be granted for a session, and asking for it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.application import APPLICATION, application
from services.cli.application_desk import declared
from services.cli.call import Call, calls
from services.cli.options import Limit
from services.cli.voucher import LEARNER, LearnerName, learner_of

OUTCOME = {
    "eligible": "eligible",
    "decided at once": "automatic",
    "group": "targetGroup",
    "amount": "amount",
    "learner pays": "learnerShare",
    "by": "programmeVersion",
    "shortage list": "shortageListVersion",
}
CLAUSES = {
    "clause": "clause",
    "outcome": "outcome",
    "reason": "reasonCode",
    "law": "legalReference",
    "facts": "facts",
}
MISSING = {"missing fact": "key", "who can say it": "suppliers"}
PROGRAMMES = {
    "programme": "programme",
    "called": "displayNames",
    "eligible": "outcome.eligible",
    "amount": "outcome.amount",
    "learner pays": "outcome.learnerShare",
    "why not": "why",
}
Programme = Annotated[str, typer.Argument(metavar="PROGRAMME", help="programmes/{id}")]
Session = Annotated[str, typer.Argument(metavar="SESSION", help="courses/{course}/sessions/{session}")]
Facts = Annotated[
    list[str] | None,
    typer.Option("--fact", help="A fact the learner declares, such as education_level=3; repeat for more."),
]
Languages = Annotated[
    list[str] | None,
    typer.Option("--language", help="Language of the texts of built-in rules, with --json; repeat for more."),
]


@application.command(
    epilog="Example:  waymark application check programmes/training courses/welding/sessions/spring "
    "--fact education_level=3 --as learner:Anouk"
)
@calls(LEARNER)
def check(
    call: Call,
    programme: Programme,
    session: Session,
    fact: Facts = None,
    learner: LearnerName = "",
    language: Languages = None,
) -> None:
    """Check every clause of a programme for a session; nothing is stored."""
    asked = {"programme": programme, "session": session, "declaredFacts": _facts(fact)}
    asked |= {"languageCodes": language or []}
    found = call.post(f"{learner_of(call, learner)}:checkEligibility", asked)
    call.one(found, OUTCOME)
    used = [{**each, "facts": _used(each.get("facts", []))} for each in found.get("clauses", [])]
    call.part(used, CLAUSES)
    if found.get("missing"):
        call.part(found["missing"], MISSING)


@application.command(
    epilog="Example:  waymark application programmes courses/welding/sessions/spring --as learner:Anouk"
)
@calls(LEARNER)
def programmes(
    call: Call, session: Session, fact: Facts = None, learner: LearnerName = "", limit: Limit = 50
) -> None:
    """List what each programme in force would pay of a session, and why the others would not."""
    path, asked = f"{learner_of(call, learner)}:checkProgrammes", {"session": session}
    found = call.posted(path, {**asked, "declaredFacts": _facts(fact)}, "checks", limit)
    call.rows(found if call.as_json else [_with_reasons(each) for each in found], PROGRAMMES, empty="none")


@application.command(
    epilog="Example:  waymark application create programmes/training courses/welding/sessions/spring "
    "--fact education_level=3 --as learner:Anouk"
)
@calls(LEARNER)
def create(
    call: Call,
    programme: Programme,
    session: Session,
    fact: Facts = None,
    learner: LearnerName = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come of it; store nothing.")
    ] = False,
) -> None:
    """Apply for a voucher: decided at once where the rules can, else put before a caseworker."""
    wanted = {"learner": learner_of(call, learner), "programme": programme, "session": session}
    body = {"application": wanted, "declaredFacts": _facts(fact), "validateOnly": dry_run}
    call.one(call.post("applications", body), APPLICATION)


def _facts(typed: list[str] | None) -> list[dict[str, Any]]:
    return [declared(each) for each in typed or []]


def _used(facts: list[dict[str, Any]]) -> str:
    """`age=34 (pes, 3 days old)`: what a clause rests on, how sure and how old it is."""
    return ", ".join(
        f"{fact['key']}={fact.get('value', '')} ({output.word(fact.get('source', ''))}, "
        f"{fact.get('ageDays', 0)} days old)"
        for fact in facts
    )


def _with_reasons(check: dict[str, Any]) -> dict[str, Any]:
    clauses = check["outcome"].get("clauses", [])
    return {**check, "why": sorted({each["reasonCode"] for each in clauses if each.get("reasonCode")})}
