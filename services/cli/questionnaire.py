"""`waymark questionnaire`: filled in by a person and by others, scored, looked at over time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.amounts import in_days
from services.cli.call import Call, calls
from services.cli.exits import ExitCode, Failure
from services.cli.holder import LEARNER, own
from services.cli.instrument import questions
from services.cli.options import Limit

questionnaire = typer.Typer(help="Questionnaires: begin, fill, have others fill, complete, see progress.")
QUESTIONNAIRE = {
    "questionnaire": "name",
    "asks": "instrumentVersion",
    "state": "state",
    "comes to": "result.titles",
    "percent": "result.percent",
    "means": "result.descriptions",
    "support suggested": "result.suggestedTier",
    "channel": "channel",
    "asked for a human": "humanRequestTime",
    "completed": "result.completeTime",
    "etag": "etag",
}
COLUMNS = {key: QUESTIONNAIRE[key] for key in ("questionnaire", "asks", "state", "comes to", "channel")}
PART = {
    "part": "name",
    "filled by": "filledBy",
    "special": "specialCategory",
    "state": "state",
    "until": "expireTime",
    "filled": "fillTime",
    "by": "giver",
}
ELEMENT = {"element": "element", "percent": "percent", "level": "level"}
ANSWER = {"question": "question", "answer": "option", "text": "text"}
QUESTION = {"question": "id", "asks": "titles", "answers": "answers"}
ASKED = {"about": "holderName", "questionnaire": "titles", "for": "descriptions", "part": "part.titles"}
OPEN = "v1/questionnaireParts:open"
Name = Annotated[
    str, typer.Argument(metavar="QUESTIONNAIRE", help="holders/{id}/questionnaires/{id}", show_default=False)
]
PartName = Annotated[
    str, typer.Argument(metavar="PART", help="holders/{id}/questionnaires/{id}/parts/{part}")
]
Given = Annotated[
    list[str], typer.Argument(metavar="QUESTION=ANSWER", help="Id of the question, and the answer; repeat.")
]
Holder = Annotated[str, typer.Option(help="holders/{id}, for a counsellor; default: your own.")]
Link = Annotated[str, typer.Argument(metavar="LINK", help="The link as you got it, or what is after its #.")]


def register(app: typer.Typer) -> None:
    """Adds `questionnaire` to the command line `app`."""
    app.add_typer(questionnaire, name="questionnaire", no_args_is_help=True)


@questionnaire.command(epilog="Example:  waymark questionnaire begin instruments/digital-check/versions/1")
@calls(LEARNER)
def begin(
    call: Call,
    instrument: Annotated[str, typer.Argument(help="instruments/{id}/versions/{n}")],
    holder: Holder = "",
) -> None:
    """Begin a questionnaire; as a counsellor, for somebody who lets you."""
    path = f"{own(call, holder)}/questionnaires"
    _shown(call, call.post(path, {"instrumentVersion": instrument}))


@questionnaire.command(
    epilog="Example:  waymark questionnaire fill holders/0198…/questionnaires/0198…/parts/me "
    "services-login=no services-form=partly"
)
@calls(LEARNER)
def fill(call: Call, name: PartName, given: Given) -> None:
    """Fill a part of your own, or fill it anew while the questionnaire is open."""
    asked = _questions(call, name)
    call.one(call.post(f"{name}:fill", {"answers": _answers(asked, given)}), PART)


@questionnaire.command(epilog="Example:  waymark questionnaire complete holders/0198…/questionnaires/0198…")
@calls(LEARNER)
def complete(call: Call, name: Name) -> None:
    """Complete a questionnaire and see what it comes to."""
    _shown(call, call.post(f"{name}:complete"))


@questionnaire.command(
    "ask-human", epilog="Example:  waymark questionnaire ask-human holders/0198…/questionnaires/0198…"
)
@calls(LEARNER)
def ask_human(call: Call, name: Name) -> None:
    """Ask for a human, whatever the answers came to."""
    _shown(call, call.post(f"{name}:requestHuman"))


@questionnaire.command(epilog="Example:  waymark questionnaire show holders/0198…/questionnaires/0198…")
@calls(LEARNER)
def show(call: Call, name: Name) -> None:
    """Show a questionnaire, its parts and its result."""
    _shown(call, call.get(name))


@questionnaire.command("list", epilog="Example:  waymark questionnaire list")
@calls(LEARNER)
def list_(call: Call, holder: Holder = "", limit: Limit = 50) -> None:
    """List questionnaires, newest first."""
    call.many(f"{own(call, holder)}/questionnaires", COLUMNS, limit, empty="no questionnaire yet")


@questionnaire.command(epilog="Example:  waymark questionnaire delete holders/0198…/questionnaires/0198…")
@calls(LEARNER)
def delete(call: Call, name: Name) -> None:
    """Remove a questionnaire with all that was answered."""
    call.delete(name)


@questionnaire.command(
    epilog="Example:  waymark questionnaire read holders/0198…/questionnaires/0198…/parts/me · add --special "
    "for a part on health, as the counsellor with a mandate for just that"
)
@calls(LEARNER)
def read(
    call: Call,
    name: PartName,
    special: Annotated[bool, typer.Option("--special", help="A part of special categories.")] = False,
) -> None:
    """Read what was answered in a part."""
    found = call.get(f"{name}:special" if special else name)
    call.one(found, PART)
    call.part(found.get("answers", []), ANSWER, empty="nothing yet")


@questionnaire.command(
    epilog="Example:  waymark questionnaire ask holders/0198…/questionnaires/0198…/parts/school --days 14"
)
@calls(LEARNER)
def ask(
    call: Call,
    name: PartName,
    days: Annotated[int, typer.Option(min=1, max=90, help="How long the link works.")] = 30,
) -> None:
    """Make a link by which somebody fills their part; it is shown this once, and works once."""
    made = call.post(f"{name}:ask", {"expireTime": in_days(days)})
    address = f"{call.caller.client.state.edge}/{OPEN}#{made['token']}"
    if call.as_json:
        output.as_json({**made, "link": address})
    else:
        output.details(made["questionnairePart"] | {"link": address}, PART | {"link": "link"})


@questionnaire.command(
    epilog="Example:  waymark questionnaire withdraw holders/0198…/questionnaires/0198…/parts/school"
)
@calls(LEARNER)
def withdraw(call: Call, name: PartName) -> None:
    """Withdraw the link to a part."""
    call.one(call.post(f"{name}:withdraw"), PART)


@questionnaire.command(
    "open", epilog="Example:  waymark questionnaire open 'http://127.0.0.1:8180/v1/questionnaireParts:open#…'"
)
@calls()
def open_(call: Call, link: Link) -> None:
    """Look at what you are asked; needs no account, and the person sees that you did."""
    found = call.post("questionnaireParts:open", {"token": link.rpartition("#")[2]})
    call.one(found, ASKED)
    call.part(questions(found.get("questions", [])), QUESTION)


@questionnaire.command(
    epilog="Example:  waymark questionnaire give LINK --giver 'Eva Maes, teacher' regular=yes strong='builds'"
)
@calls()
def give(
    call: Call,
    link: Link,
    given: Given,
    giver: Annotated[str, typer.Option(help="Who you are: name and office.")],
) -> None:
    """Fill the part that you are asked for, and so use the link up."""
    token = link.rpartition("#")[2]
    asked = call.post("questionnaireParts:open", {"token": token}).get("questions", [])
    body = {"token": token, "giver": giver, "answers": _answers(asked, given)}
    answer = call.post("questionnaireParts:give", body)
    output.as_json(answer) if call.as_json else typer.echo("thank you; the part is filled")


@questionnaire.command(
    epilog="Example:  waymark questionnaire progress instruments/career-check --language nl --out way.svg"
)
@calls(LEARNER)
def progress(
    call: Call,
    instrument: Annotated[str, typer.Argument(help="instruments/{id}")],
    language: Annotated[str, typer.Option(help="Language of the words.")] = "en",
    out: Annotated[Path | None, typer.Option(help="Where to write the chart, as SVG.")] = None,
    holder: Holder = "",
) -> None:
    """Show how your results went over time: as a table, and as a chart where you say where to."""
    path = f"{own(call, holder)}/questionnaires:progress"
    found = call.get(path, instrument=instrument, language_code=language)
    output.as_json(found) if call.as_json else typer.echo(found["table"])
    if out:
        out.write_text(found["svg"], encoding="utf-8")
        typer.echo(f"{out}: {len(found['svg'].encode())} bytes", err=True)


def _shown(call: Call, found: dict[str, Any]) -> None:
    call.one(found, QUESTIONNAIRE)
    call.part(found.get("parts", []), PART)
    if elements := found.get("result", {}).get("elements"):
        call.part([{"percent": 0} | each for each in elements], ELEMENT)


def _questions(call: Call, part: str) -> list[dict[str, Any]]:
    """The questions of a part, by the instrument of its questionnaire."""
    name, _, part_id = part.partition("/parts/")
    version = call.get(call.get(name)["instrumentVersion"])
    return [each for each in version["questions"] if each["part"] == part_id]


def _answers(asked: list[dict[str, Any]], given: list[str]) -> list[dict[str, str]]:
    """Answers in JSON: the option where the question has some, else the text; raises Failure."""
    with_options = {each["id"]: bool(each.get("options")) for each in asked}
    answers = []
    for each in given:
        question, equals, answer = each.partition("=")
        if not equals or question not in with_options:
            known = ", ".join(with_options)
            text = f"`{each}` is no answer to a question of this part."
            raise Failure(ExitCode.USAGE, text, remedy=f"Write QUESTION=ANSWER; there are {known}.")
        answers.append({"question": question, ("option" if with_options[question] else "text"): answer})
    return answers
