"""Commands of `waymark organisation` for accreditations."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.cli.amounts import json_day
from services.cli.call import Call, calls
from services.cli.exits import ExitCode, Failure
from services.cli.organisation import ACCREDITATION, MANAGER, Name, organisation

AccreditationName = Annotated[
    str, typer.Argument(metavar="ACCREDITATION", help="organisations/{id}/accreditations/{id}")
]
Criteria = Annotated[
    list[str] | None,
    typer.Option("--criterion", help="CODE=SCORE/MINIMUM, 0 to 100 each; may be given again."),
]
ReviewBy = Annotated[str, typer.Option(help="Day by which it is to be reviewed, 2027-12-31.")]


@organisation.command(
    epilog="Examples:  waymark organisation accredit organisations/harbour 2028-12-31 · --from 2027-01-01"
    " --scheme Qualiopi --field 07 --level 4 --region BE2"
)
@calls(MANAGER)
def accredit(
    call: Call,
    name: Name,
    until: Annotated[str, typer.Argument(help="Last day in force, 2028-12-31.")],
    first: Annotated[str, typer.Option("--from", help="First day in force; default: today.")] = "",
    scheme: Annotated[str, typer.Option(help="Scheme it is granted under.")] = "",
    field: Annotated[
        list[str] | None, typer.Option(help="ISCED-F field it covers; may be given again; default: all.")
    ] = None,
    level: Annotated[
        list[int] | None,
        typer.Option(min=1, max=8, help="EQF level it covers; may be given again; default: all."),
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="NUTS code it covers; may be given again; default: all.")
    ] = None,
    evidence: Annotated[
        list[str] | None, typer.Option(help="What it rests on, nothing about persons; may be given again.")
    ] = None,
    criterion: Criteria = None,
    review_by: ReviewBy = "",
) -> None:
    """Accredit an organisation for voucher-funded training, where it meets every criterion.

    Accreditations of several schemes or scopes stand side by side.
    """
    body = {
        "validTo": json_day(until),
        "scheme": scheme,
        "scope": {"iscedFCodes": field or [], "eqfLevels": level or [], "nutsCodes": region or []},
        "evidence": evidence or [],
        **({"validFrom": json_day(first)} if first else {}),
        **_held_against(criterion, review_by),
    }
    call.one(call.post(f"{name}/accreditations", body), ACCREDITATION)


@organisation.command(
    epilog="Example:  waymark organisation review organisations/harbour/accreditations/0198…"
    " --criterion 4.2=80/60"
)
@calls(MANAGER)
def review(
    call: Call,
    name: AccreditationName,
    criterion: Criteria = None,
    review_by: ReviewBy = "",
) -> None:
    """Hold an accreditation against its criteria anew."""
    call.one(call.post(f"{name}:review", _held_against(criterion, review_by)), ACCREDITATION)


@organisation.command(
    epilog="Example:  waymark organisation withdraw organisations/harbour/accreditations/0198… 'audit 7'"
)
@calls(MANAGER)
def withdraw(
    call: Call,
    name: AccreditationName,
    reason: Annotated[str, typer.Argument(help="Why, for the record; nothing about persons.")],
) -> None:
    """End an accreditation at once: no voucher is taken from now on."""
    call.one(call.post(f"{name}:withdraw", {"reason": reason}), ACCREDITATION)


def _held_against(criteria: list[str] | None, review_by: str) -> dict[str, Any]:
    """What an accreditation is held against, as the contracts have it; raises Failure."""
    body: dict[str, Any] = {"criteria": []}
    for given in criteria or []:
        code, _, rest = given.partition("=")
        score, _, minimum = rest.partition("/")
        if not code or not score.isdecimal() or not minimum.isdecimal():
            raise Failure(ExitCode.USAGE, f"{given!r} is no CODE=SCORE/MINIMUM.", remedy="Write 4.2=80/60.")
        body["criteria"].append({"code": code, "score": int(score), "minimum": int(minimum)})
    return body | ({"reviewDate": json_day(review_by)} if review_by else {})
