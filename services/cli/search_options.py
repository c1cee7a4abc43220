"""Which courses `waymark search` looks for: its options, and the parameters that they come to."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

import typer

from services.cli.amounts import json_money
from services.cli.call import enum
from services.cli.organisation import Sector


class Kind(StrEnum):
    """Kinds of offers."""

    COURSE = "course"
    EXAM = "exam"
    GUIDANCE = "guidance"
    WORKSHOP = "workshop"


class Mode(StrEnum):
    """Ways of teaching."""

    ON_SITE = "on-site"
    ONLINE = "online"
    BLENDED = "blended"
    DISTANCE = "distance"


class Facet(StrEnum):
    """What hits are counted by."""

    ORGANISATION = "provider"
    ISCO_CODE = "occupation"
    MODE = "mode"
    LANGUAGE = "language"
    EQF_LEVEL = "eqf"
    KIND = "kind"
    REGION = "region"
    START_MONTH = "month"
    SHORTAGE = "shortage"
    VOUCHER_ELIGIBLE = "voucher"
    TARGET_GROUP = "group"
    TERRITORY = "territory"
    SECTOR = "sector"


class Order(StrEnum):
    """Orders of hits."""

    RELEVANCE = "relevance"
    NEXT_START = "start"


Region = Annotated[str, typer.Option(help="Only with a session in this NUTS region.")]
Occupations = Annotated[
    list[str] | None, typer.Option("--occupation", help="ISCO-08 code or concept URI; repeat for more.")
]
Kinds = Annotated[
    list[Kind] | None,
    typer.Option("--kind", help="Courses, exams, or services beside them; repeat for more."),
]
Sectors = Annotated[
    list[Sector] | None,
    typer.Option("--sector", help="Only of organisations of this sector; repeat for more."),
]
Groups = Annotated[
    list[str] | None, typer.Option("--group", help="Only for this target group; repeat for more.")
]
Territories = Annotated[
    list[str] | None, typer.Option("--territory", help="Only for this priority territory; repeat for more.")
]
Providers = Annotated[
    list[str] | None,
    typer.Option("--provider", help="Only of this organisation, organisations/{id}; repeat for more."),
]
Modes = Annotated[list[Mode] | None, typer.Option("--mode", help="Only taught in this way; repeat for more.")]
Languages = Annotated[
    list[str] | None, typer.Option("--taught-in", help="Only taught in this language, nl; repeat for more.")
]
Facets = Annotated[
    list[Facet] | None, typer.Option("--count", help="Count all hits by this; repeat for more.")
]
EqfFrom = Annotated[int, typer.Option(min=0, max=8, help="Only at least this EQF level.")]
EqfTo = Annotated[int, typer.Option(min=0, max=8, help="Only at most this EQF level.")]
MaxPrice = Annotated[str, typer.Option(help="Only with a session that costs at most this, 500 or `500 SEK`.")]
From = Annotated[str, typer.Option("--from", help="Only what begins on or after this day, 2026-09-01.")]
To = Annotated[str, typer.Option("--to", help="Only what begins on or before this day.")]
ShortageRegion = Annotated[
    str, typer.Option(help="Region in which occupations must be in shortage; default: any.")
]
Place = Annotated[str, typer.Option(help="Only near this town, postcode or NUTS region.")]
Country = Annotated[str, typer.Option(help="Country of the place, such as BE.")]
Radius = Annotated[float, typer.Option(min=1, max=500, help="Kilometres around the place.")]
OnlyShort = Annotated[bool, typer.Option(help="Only for occupations in shortage.")]
OnlyVoucher = Annotated[bool, typer.Option(help="Only of accredited providers.")]
OnlyOnline = Annotated[bool, typer.Option(help="Only taught online.")]
AllCourses = Annotated[bool, typer.Option("--all", help="Also courses without a session to come.")]
CollapseSame = Annotated[bool, typer.Option("--collapse-same", help="Of courses that are the same only one.")]
AsOf = Annotated[str, typer.Option(help="Day to look from, 2026-09-01; default: today.")]
OrderBy = Annotated[Order, typer.Option("--order", help="What comes first.")]


def given(**options: Any) -> dict[str, Any]:
    """The options that were given, by field, as query parameters."""
    return {field: "true" if value is True else value for field, value in options.items() if value}


def enums(prefix: str, choices: Iterable[StrEnum] | None) -> list[str]:
    """Choices in the words of the contracts, see `enum`."""
    return [enum(prefix, each) for each in choices or ()]


def price_query(typed: str) -> dict[str, Any]:
    """`500.00 EUR` as query parameters of `max_price`, none when empty; raises Failure."""
    if not typed:
        return {}
    amount = json_money(typed)
    parts = (("currency_code", "currencyCode"), ("units", "units"), ("nanos", "nanos"))
    return {f"max_price.{name}": amount[key] for name, key in parts}
