"""`waymark report`: figures by region and occupation, ESF+ indicators, forecasts, open data."""

from __future__ import annotations

from enum import StrEnum, auto
from pathlib import Path
from typing import Annotated

import typer

from services.cli.amounts import day_query
from services.cli.call import Call, calls, enum
from services.cli.legal_day import legal_day

report = typer.Typer(help="Figures for those who steer programmes, and for everybody.")
GENDERS = ("female", "male", "other")
Programme = Annotated[str, typer.Option(help="Only this programmes/{id}.")]


class Dataset(StrEnum):
    """What is exported."""

    REDEMPTIONS = auto()
    PAYMENT_SHARES = "payment-shares"
    LEDGER_ENTRIES = "ledger-entries"
    ESF_INDICATORS = "esf-indicators"


class Format(StrEnum):
    """How it is written."""

    CSV = auto()
    PARQUET = auto()


class By(StrEnum):
    """What figures are split by."""

    PROGRAMME = auto()
    REGION = auto()
    OCCUPATION = auto()


def register(app: typer.Typer) -> None:
    """Adds `report` to the command line `app`."""
    app.add_typer(report, name="report", no_args_is_help=True)


@report.command(epilog="Example:  waymark report split region --month 2026-11")
@calls("auditor")
def split(
    call: Call,
    by: Annotated[By, typer.Argument(help="What to split by.")],
    month: Annotated[str, typer.Option(help="YYYY-MM; default: this month.")] = "",
    programme: Programme = "",
    length: Annotated[int, typer.Option(min=0, max=5, help="Characters of a NUTS code to keep; 0: all.")] = 0,
) -> None:
    """Count a month by programme, region of the training, or occupation."""
    answer = call.get(
        "reports/statisticsBreakdown",
        month=month or f"{legal_day():%Y-%m}",
        dimension=enum("STATISTICS_DIMENSION", by),
        programme=programme,
        nuts_length=length,
    )
    columns = {
        by.value: "key",
        "applications": "applications",
        "granted": "granted",
        "refused": "refused",
        "accepted": "accepted",
        "value accepted": "acceptedAmount",
        "clawed back": "clawedBackAmount",
        "paid": "paidAmount",
    }
    call.rows(answer.get("rows", []), columns, empty="nothing this month")


@report.command(epilog="Example:  waymark report esf 2026-01-01 2026-12-31 --programme programmes/demo")
@calls("auditor")
def esf(
    call: Call,
    start: Annotated[str, typer.Argument(metavar="FROM", help="First day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Argument(metavar="TO", help="Last day, YYYY-MM-DD.")],
    programme: Programme = "",
) -> None:
    """Count participants by the common output and result indicators of the ESF+.

    What people tell of themselves by choice is counted for whole half-years that are over, and in numbers
    from five on; else it is withheld.
    """
    query = {"programme": programme, **day_query("start_date", start), **day_query("end_date", end)}
    answer = call.get("reports/esfIndicators", **query)
    columns = {
        "code": "code",
        "what": "text",
        "participants": "participants",
        "not known": "unknown",
        "of them would not say": "notTold",
        "withheld": "suppressed",
        "women": "female",
        "men": "male",
        "others": "other",
        "genders withheld": "genderSuppressed",
    }
    # Without numbers that are not told: 0 would look as if nobody counted.
    hidden = {"suppressed": ("participants", "unknown", "notTold"), "genderSuppressed": GENDERS}
    for each in answer["indicators"]:
        for name in (name for why, names in hidden.items() if each[why] for name in names):
            del each[name]
    call.rows(answer["indicators"], columns)


@report.command(epilog="Example:  waymark report forecast programmes/demo/budgets/0198… --months 6")
@calls("auditor")
def forecast(
    call: Call,
    budget: Annotated[str, typer.Argument(help="programmes/{programme}/budgets/{id}")],
    months: Annotated[int, typer.Option(min=1, max=36, help="Full months the rate is taken from.")] = 3,
) -> None:
    """Say how far the money of a budget will reach, and by which method that was computed."""
    fields = {
        "method": "method",
        "as of": "asOfDate",
        "rate from": "windowStartDate",
        "rate to": "windowEndDate",
        "granted then": "windowGranted",
        "days left": "daysLeft",
        "funded": "funded",
        "spent": "spent",
        "reserved": "reserved",
        "open": "open",
        "expected grants": "expectedGrants",
        "forecast": "forecast",
        "expected balance": "expectedBalance",
        "exhausted on": "exhaustionDate",
    }
    call.one(call.get(f"{budget}:forecast", months=months), fields)


@report.command("open-data", epilog="Example:  waymark report open-data 2026-Q3 --json")
@calls()
def open_data(
    call: Call, quarter: Annotated[str, typer.Argument(help="A quarter that is over, such as 2026-Q3.")]
) -> None:
    """Show what everybody may know; numbers below five, and what would reveal them, are left out."""
    answer = call.get(f"openData/{quarter}")
    call.one(answer, {"quarter": "quarter", "participants": "total.participants"})
    columns = {"key": "key", "participants": "participants", "suppressed": "suppressed"}
    call.part(answer.get("programmes", []), columns, empty="nobody")
    call.part(answer.get("regions", []), columns, empty="nobody")


@report.command(
    epilog="Example:  waymark report export redemptions 2026-01-01 2026-06-30 --format csv --out half.csv"
)
@calls("auditor")
def export(
    call: Call,
    dataset: Annotated[Dataset, typer.Argument(help="What to export.")],
    start: Annotated[str, typer.Argument(metavar="FROM", help="First day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Argument(metavar="TO", help="Last day, YYYY-MM-DD.")],
    out: Annotated[Path, typer.Option(help="Where to write it.")],
    written: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.CSV,
    programme: Programme = "",
) -> None:
    """Write rows as CSV or Parquet, as they come."""
    query = {"programme": programme, **day_query("start_date", start), **day_query("end_date", end)}
    query |= {"dataset": enum("EXPORT_DATASET", dataset), "format": enum("EXPORT_FORMAT", written)}
    call.save("exports", out, **query)
