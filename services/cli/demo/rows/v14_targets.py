"""Targets with baseline, monthly report and yearly review."""

from __future__ import annotations

from typing import Any

from services.cli.amounts import json_date
from services.cli.client import request_id
from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.rows.ground import MAKER, apply, publish, tell_facts
from services.cli.legal_day import legal_day
from services.cli.output import day

LEARNERS = 3


def show(journey: Journey) -> str:
    """REST: a target of a programme goes up with its vouchers; a person reviews it and sets it anew."""
    programme = publish(journey, "estonian-training-cover", short="target").programme
    target = _target(journey, "MEASURE_VOUCHERS_ISSUED", 0, 12, programme=programme)
    points = _target(journey, "MEASURE_SERVICE_POINTS", 0, 50)
    for number in range(LEARNERS):
        person = f"target {number}"
        tell_facts(journey, person, employment_status="unemployed", education_level=3)
        granted = apply(journey, person, programme, journey.facts.session)
        expect("voucher" in granted, f"{granted['state']} {granted.get('reasonCodes')}")
    manager, auditor = journey.person("programme_manager", MAKER), journey.person("auditor", "Wim")
    report = auditor.rest("GET", f"/v1/{target['name']}/report")
    now = report["target"]
    expect(now["current"] == str(LEARNERS), f"{now.get('current')} vouchers are counted")
    review = {"verdict": "VERDICT_ADJUST", "value": "6"}
    manager.rest("POST", f"/v1/{target['name']}/reviews", review, request_id=request_id())
    after = auditor.rest("GET", f"/v1/{target['name']}")
    expect(after["progressBasisPoints"] == "5000", "3 of 6 are half the way")
    last = report["months"][-1]
    return (
        f"{now['current']} of {now['value']} vouchers issued, {last.get('planned', 0)} planned in "
        f"{last['month']}; reviewed and set to {after['value']}, next by {day(after['reviewDate'])}; "
        f"{points['current']} service points"
    )


def _target(
    journey: Journey, measure: str, baseline: int, value: int, *, programme: str = ""
) -> dict[str, Any]:
    today = legal_day()
    body = {
        "displayNames": {"en": f"{measure} {journey.run}"},
        "measure": measure,
        "programme": programme,
        "baseline": str(baseline),
        "value": str(value),
        "startDate": json_date(today.replace(month=1, day=1)),
        "dueDate": json_date(today.replace(year=today.year + 1, month=12, day=31)),
    }
    manager = journey.person("programme_manager", MAKER)
    return manager.rest("POST", "/v1/targets", body, request_id=request_id())


STEP = Step("targets", "Targets with baseline, monthly report and yearly review", ("V14",), show)
