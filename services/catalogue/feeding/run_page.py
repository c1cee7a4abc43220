"""The report of a feed run as a page to read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from sqlalchemy import Row
from waymark.catalogue.v1.feed_run_pb2 import FeedRun

FINDINGS = 500  # on a page
SEVERITIES = {3: "error", 2: "warning", 1: "information"}
COUNTS = {
    "records read": "records_in",
    "accepted": "records_accepted",
    "rejected": "records_rejected",
    "held": "records_held",
    "courses created": "courses_created",
    "courses changed": "courses_updated",
    "courses as they were": "courses_unchanged",
    "courses left out for now": "courses_missing",
    "courses removed": "courses_removed",
    "errors": "error_count",
    "warnings": "warning_count",
}


def as_page(run: Any, source: Any, worst: Sequence[Row[Any]]) -> bytes:
    """Returns the page, UTF-8, of a run with its source and its findings, the worst first."""
    page = _template().render(
        run=run,
        source=source,
        state=FeedRun.State.Name(run.state).removeprefix("STATE_").lower(),
        reason=FeedRun.HoldReason.Name(run.hold_reason).removeprefix("HOLD_REASON_").replace("_", " ").lower()
        if run.hold_reason
        else "",
        counts=[(label, getattr(run, name)) for label, name in COUNTS.items()],
        findings=worst,
        severities=SEVERITIES,
    )
    return page.encode()


@cache
def _template() -> Template:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("run_page.html")
