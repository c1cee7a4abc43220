"""Every number of a rule's condition is shown, and none that is no limit."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from waymark.vouchers.v1.monitoring_rule_pb2 import MonitoringRule

from services.cli import output
from services.cli.monitoring import LINKS, RULE, for_people

EUR = {"currencyCode": "EUR", "units": "2000"}


@pytest.mark.parametrize(
    ("condition", "lines"),
    [
        (
            {"amount": {"above": EUR, "aboveMedianPercent": 150}},
            ["amount above 2000.00 EUR", "percent of median above 150"],
        ),
        ({"amount": {"above": EUR, "aboveMedianPercent": 0}}, ["amount above 2000.00 EUR"]),
        (
            {"speed": {"soonerThanHours": 4, "moreThanPerDay": 30}},
            ["sooner than hours 4", "more than a day 30"],
        ),
        ({"speed": {"soonerThanHours": 0, "moreThanPerDay": 30}}, ["more than a day 30"]),
        ({"distance": {"nutsLevel": 0}}, ["NUTS level differs 0"]),
        (
            {"newProvider": {"withinDays": 90, "above": EUR, "moreThan": 20}},
            ["new for days 90", "takes above 2000.00 EUR", "more than 20"],
        ),
        ({"complaint": {"count": 3, "withinDays": 90}}, ["complaints 3", "within days 90"]),
        (
            {"sample": {"shareBasisPoints": 250, "seedSha256": "ab12"}},
            ["sample percent 2.5", "SHA-256 of its seed ab12"],
        ),
        ({"sharedAddress": {}}, ["providers with one address"]),
    ],
)
def test_all_numbers_of_a_condition_are_shown(
    condition: dict[str, Any], lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    output.details(for_people(condition), RULE)
    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == lines


def test_no_field_of_a_condition_is_left_out() -> None:
    paths = set(RULE.values())
    for kind in MonitoringRule.DESCRIPTOR.oneofs_by_name["condition"].fields:
        fields: list[FieldDescriptor] = list(kind.message_type.fields)
        shown = {path.partition(".")[2] for path in paths if path.startswith(f"{kind.json_name}.")}
        shown = {"shareBasisPoints" if name == "percent" else name for name in shown}
        assert shown == {field.json_name for field in fields}, kind.name
        assert bool(fields) is (kind.json_name not in LINKS)
