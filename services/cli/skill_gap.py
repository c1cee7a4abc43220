"""`waymark skill gap` and `ideas`: from the skills somebody claims to occupations, each with its reasons.

What is asked is put together here: the portfolio says which skills and which present occupation, the
catalogue answers for these without knowing whose they are, the vouchers service says who would pay.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.call import Call, calls
from services.cli.exits import Failure
from services.cli.holder import LEARNER, HolderName, own
from services.cli.search import show_recommended
from services.cli.search_options import Region
from services.cli.skill import skill

GAP = {
    "occupation": "label",
    "ISCO-08": "iscoCode",
    "concept": "occupation",
    "taxonomy": "taxonomyVersion",
    "in shortage": "shortage.entry",
}
SKILL = {"skill": "label", "needed": "needed", "held": "held", "concept": "skill"}
IDEA = {
    "occupation": "label",
    "nearness": "nearness",
    "you can": "can",
    "missing": "lacks",
    "in shortage": "shortage.entry",
    "courses": "closing",
    "concept": "occupation",
}
PAYS = {
    "session": "session",
    "programme": "programme",
    "would pay": "outcome.eligible",
    "as one of": "outcome.targetGroup",
    "amount": "outcome.amount",
    "you pay": "outcome.learnerShare",
    "because": "because",
}
NEVER_PAID = ("PROVIDER_SANCTIONED", "SESSION_UNKNOWN")  # whatever the programme; the second only for seconds
PROGRAMMES = 1_000  # shown for a session; more than anybody runs at a time
UNIT_GROUP = 4  # digits of an ISCO-08 code
Language = Annotated[str, typer.Option(help="Language of the skills' names, en.")]
Holder = Annotated[str, typer.Option(help="holders/{id}; default: your own.")]


@skill.command(epilog="Example:  waymark skill gap http://data.europa.eu/esco/occupation/… --funding")
@calls(LEARNER)
def gap(
    call: Call,
    occupation: Annotated[str, typer.Argument(metavar="OCCUPATION", help="Concept URI or ISCO-08 code.")],
    holder: Holder = "",
    region: Region = "",
    language: Language = "",
    funding: Annotated[bool, typer.Option(help="Say which voucher programmes would pay.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=50, help="Show at most so many courses.")] = 10,
) -> None:
    """Show what is missing for an occupation, and the courses that close it."""
    name = own(call, holder)
    profile = call.get(f"{name}:skillProfile")
    body = {"occupation": occupation, "skills": profile.get("skills", []), "pageSize": limit}
    answer = call.post("occupations:skillGap", body | _among(region, language))
    paying = payers(call, name, answer.get("courses", [])) if funding else []
    if call.as_json:
        output.as_json({**answer, **({"funding": paying} if funding else {})})
        return
    output.details(answer, GAP)
    output.table(_needed(answer), SKILL, empty="nothing is known to be needed")
    show_recommended({**answer, "recommendations": answer.get("courses", [])})
    if funding:
        output.table(
            [{**each, "because": because(each)} for each in paying], PAYS, empty="no programme is in force"
        )


@skill.command(epilog="Example:  waymark skill ideas --shortage")
@calls(LEARNER)
def ideas(
    call: Call,
    holder: HolderName = "",
    region: Region = "",
    language: Language = "",
    shortage: Annotated[bool, typer.Option(help="Only occupations in shortage.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=50, help="Show at most so many.")] = 10,
) -> None:
    """Suggest occupations near the skills, never the present one; each says why."""
    name = own(call, holder)
    profile = call.get(f"{name}:skillProfile")
    if not profile.get("skills"):
        call.rows([], IDEA, empty="no skill yet; see `waymark skill create --help`")
        return
    body = {
        "skills": profile["skills"],
        "presentOccupations": profile.get("presentOccupations", []),
        "onlyShortage": shortage,
        "pageSize": limit,
    }
    found = call.post("occupations:recommend", body | _among(region, language)).get("ideas", [])
    _record(call, name, found)
    if not call.as_json:
        found = [_idea(each) for each in found]
    call.rows(found, IDEA, empty="no occupation shares two of the skills, one of them essential")


def payers(call: Call, holder: str, courses: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How each programme in force comes out for the next session of each course, those that pay first; one
    line with `refused`, the reason, for a session that none pays for."""
    learner = holder.replace("holders/", "learners/", 1)
    found: list[dict[str, Any]] = []
    for each in courses:
        if session := each["hit"].get("nextSession", {}).get("name"):
            found += [{"session": session, **check} for check in _checks(call, learner, session)]
    return sorted(found, key=lambda check: not check["outcome"].get("eligible", False))


def because(check: dict[str, Any]) -> str:
    """Why a programme pays, or the clauses that it does not pay for, for people."""
    if "refused" in check:
        return str(check["refused"])
    clauses = check["outcome"].get("clauses", [])
    open_ = [each for each in clauses if each.get("outcome") != "OUTCOME_PASSED"]
    said = [f"{each['clause']}: {each.get('reasonCode') or output.text(each['outcome'])}" for each in open_]
    return "\n".join(said) or "every clause passed"


def _checks(call: Call, learner: str, session: str) -> list[dict[str, Any]]:
    try:
        return call.posted(f"{learner}:checkProgrammes", {"session": session}, "checks", PROGRAMMES)
    except Failure as failure:
        if failure.reason not in NEVER_PAID:
            raise
        return [{"outcome": {"eligible": False}, "refused": failure.reason}]


def _record(call: Call, holder: str, shown: list[dict[str, Any]]) -> None:
    """Tells the portfolio what is about to be shown; it counts for who consented, without saying who did."""
    codes = sorted({idea["iscoCode"] for idea in shown if len(idea.get("iscoCode", "")) == UNIT_GROUP})
    if codes:
        call.post(f"{holder}:recordShownIdeas", {"iscoCodes": codes})


def _among(region: str, language: str) -> dict[str, Any]:
    among = {"nutsCode": region, "shortageNutsCode": region, "language": language}
    return {"among": {key: value for key, value in among.items() if value}}


def _needed(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**each, "held": held, "needed": "essential" if each.get("essential") else "optional"}
        for held, key in ((False, "missingSkills"), (True, "heldSkills"))
        for each in answer.get(key, [])
    ]


def _idea(idea: dict[str, Any]) -> dict[str, Any]:
    closing = [output.text(each["hit"].get("titles", {})) for each in idea.get("courses", [])]
    return {
        **idea,
        "nearness": f"{idea.get('nearness', 0):.2f}",
        "can": _labels(idea.get("sharedSkills", [])),
        "lacks": _labels(idea.get("missingSkills", [])),
        "closing": "\n".join(closing),
    }


def _labels(skills: list[dict[str, Any]]) -> str:
    return "\n".join(each.get("label") or each["skill"] for each in skills)
