"""`waymark skill counting`: consent to being counted by gender; `exposure ideas`: what was counted."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.call import Call, calls, enum
from services.cli.exposure import exposure
from services.cli.holder import LEARNER, own
from services.cli.options import Limit

TERMS = "idea-exposure-1"
RECEIPT = {
    "receipt": "name",
    "gender": "gender",
    "terms": "terms",
    "given": "createTime",
    "withdrawn": "withdrawTime",
}
counting = typer.Typer(help="Consent to count by gender which occupations are suggested; off by default.")


class Gender(StrEnum):
    """Gender as the person says it."""

    WOMAN = "woman"
    MAN = "man"
    OTHER = "other"


@counting.command(epilog="Example:  waymark skill counting give woman")
@calls(LEARNER)
def give(call: Call, gender: Annotated[Gender, typer.Argument(help="Gender as you say it.")]) -> None:
    """Consent to being counted, by the terms in docs/ideas.md."""
    body = {"gender": enum("GENDER", gender), "terms": TERMS}
    call.one(call.post(f"{own(call, '')}/exposureConsents", body), RECEIPT)


@counting.command(epilog="Example:  waymark skill counting withdraw holders/0198…/exposureConsents/0198…")
@calls(LEARNER)
def withdraw(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="RECEIPT", help="holders/{id}/exposureConsents/{id}")],
) -> None:
    """End a consent at once; the receipt stays."""
    call.one(call.post(f"{name}:withdraw"), RECEIPT)


@counting.command("list", epilog="Example:  waymark skill counting list")
@calls(LEARNER)
def list_(call: Call, limit: Limit = 50) -> None:
    """List your receipts, newest first."""
    call.many(f"{own(call, '')}/exposureConsents", RECEIPT, limit, empty="no consent was ever given")


@exposure.command("ideas", epilog="Example:  waymark exposure ideas 2026-10")
@calls("auditor")
def ideas(
    call: Call,
    month: Annotated[str, typer.Argument(help="Month that is over, 2026-10.")],
    limit: Limit = 500,
) -> None:
    """List to how many people of a gender occupation groups were suggested, of those who consented."""
    columns = {"ISCO-08": "iscoCode", "gender": "gender", "people": "people", "too few": "suppressed"}
    call.many("ideaExposures", columns, limit, empty="nobody who consented was shown anything", month=month)
