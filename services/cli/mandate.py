"""`waymark mandate`: what counsellors may see and do, by the holder's word."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.amounts import in_days
from services.cli.call import Call, calls, enum, listed
from services.cli.holder import LEARNER, own
from services.cli.options import Limit, subject_of

mandate = typer.Typer(help="Permissions for counsellors: give one, see them, take one back.")
MANDATE = {
    "mandate": "name",
    "counsellor": "counsellor",
    "of": "organisation",
    "for": "purpose",
    "by law": "legalBasis",
    "of questionnaire": "questionnaire",
    "opens": "parts",
    "on your behalf": "actOnBehalf",
    "days used": "uses",
    "days allowed": "maxUses",
    "state": "state",
    "until": "expireTime",
    "withdrawn": "revokeTime",
}
BESIDES = {"still opens": "name", "for": "purpose", "of": "organisation", "until": "expireTime"}
MOST = 500  # mandates that a portfolio has


class Purpose(StrEnum):
    """What a mandate is for."""

    GUIDANCE = "guidance"
    PATHWAY = "pathway"
    SPECIAL_CATEGORY = "special-category"
    CASE = "case"


class Part(StrEnum):
    """Which part of a portfolio a mandate opens."""

    HOLDER = "holder"
    ENTRIES = "entries"
    SKILLS = "skills"
    EVIDENCE = "evidence"
    CREDENTIALS = "credentials"
    GOALS_AND_PLANS = "goals-and-plans"
    PATHWAYS = "pathways"
    VALIDATION = "validation"
    MENTORING = "mentoring"
    QUESTIONNAIRES = "questionnaires"
    PAGES = "pages"
    DOCUMENTS = "documents"
    CASE = "case"


class LegalBasis(StrEnum):
    """By which ground in law: Articles 6 and 9 of the GDPR."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal-obligation"
    PUBLIC_TASK = "public-task"
    EXPLICIT_CONSENT = "explicit-consent"


def register(app: typer.Typer) -> None:
    """Adds `mandate` to the command line `app`."""
    app.add_typer(mandate, name="mandate", no_args_is_help=True)


@mandate.command(
    epilog="Examples:  waymark mandate create counsellor:Tess organisations/office --days 90 · "
    "waymark mandate create counsellor:Tess organisations/office --part entries --part skills --uses 3 · "
    "waymark mandate create counsellor:Ivo organisations/office --purpose special-category "
    "--questionnaire holders/0198…/questionnaires/0198…"
)
@calls(LEARNER)
def create(
    call: Call,
    counsellor: Annotated[
        str, typer.Argument(help="Subject of the counsellor's token, or ROLE:NAME as for --as.")
    ],
    organisation: Annotated[str, typer.Argument(help="organisations/{id} the counsellor acts for.")],
    purpose: Annotated[
        Purpose,
        typer.Option(
            help="`guidance` opens the portfolio and leads the case, `pathway` opens the pathways alone, "
            "`case` takes part in the case alone, `special-category` opens what one questionnaire asks of "
            "health and the like, and nothing else."
        ),
    ] = Purpose.GUIDANCE,
    on_behalf: Annotated[
        bool, typer.Option("--on-behalf", help="Let them write for you too; you can read what they wrote.")
    ] = False,
    questionnaire: Annotated[
        str,
        typer.Option(help="holders/{id}/questionnaires/{id} that `special-category` opens; one a mandate."),
    ] = "",
    legal_basis: Annotated[
        LegalBasis | None,
        typer.Option(help="By which ground in law; default: your consent, explicit for `special-category`."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="How long it holds.")] = 90,
    parts: Annotated[
        list[Part] | None,
        typer.Option("--part", help="Open this part alone; may be repeated; default: all of the purpose."),
    ] = None,
    uses: Annotated[
        int, typer.Option(min=0, help="On how many days they may use it while it holds; 0: on any.")
    ] = 0,
) -> None:
    """Let a counsellor see your portfolio, or work on your pathways."""
    body = {
        "counsellor": subject_of(counsellor),
        "organisation": organisation,
        "purpose": enum("MANDATE_PURPOSE", purpose),
        "expireTime": in_days(days),
        "actOnBehalf": on_behalf,
        "questionnaire": questionnaire,
        "parts": [enum("MANDATE_PART", part) for part in parts or []],
        "maxUses": uses,
        "legalBasis": enum("MANDATE_LEGAL_BASIS", legal_basis) or "MANDATE_LEGAL_BASIS_UNSPECIFIED",
    }
    call.one(call.post(f"{own(call, '')}/mandates", body), MANDATE)


@mandate.command("list", epilog="Example:  waymark mandate list")
@calls(LEARNER)
def list_(call: Call, limit: Limit = 50) -> None:
    """List your mandates, ended ones included, newest first."""
    call.many(f"{own(call, '')}/mandates", MANDATE, limit, empty="nobody has a mandate")


@mandate.command(epilog="Example:  waymark mandate revoke holders/0198…/mandates/0198…")
@calls(LEARNER)
def revoke(
    call: Call, name: Annotated[str, typer.Argument(metavar="MANDATE", help="holders/{id}/mandates/{id}")]
) -> None:
    """Withdraw a mandate; the counsellor's very next look under it is refused. Says what else they have."""
    ended = call.post(f"{name}:revoke")
    call.one(ended, MANDATE)
    if not call.as_json:
        others = listed(call.caller, f"{own(call, '')}/mandates", MOST)
        besides = [each for each in others if _opens(each, ended["counsellor"])]
        call.part(besides, BESIDES, empty="no other mandate opens anything to this counsellor")


def _opens(each: dict[str, Any], counsellor: str) -> bool:
    return bool(each["counsellor"] == counsellor and each["state"] == "STATE_ACTIVE")
