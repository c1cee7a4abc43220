"""How far a programme's money reaches: whole vouchers, by target group, of one pot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from google.protobuf.json_format import ParseDict
from waymark.vouchers.v1.money_left_pb2 import MoneyLeft

from services.vouchers.domain.money_left import money_left
from services.vouchers.domain.programme import Rules, Version, compile_rules

SAMPLES = Path(__file__).parents[4] / "samples" / "programmes"
DUTCH = json.loads((SAMPLES / "dutch-temporary-training-voucher.json").read_text())


def rules(**changes: object) -> Rules:
    """Two groups: `all` gets 90 % of 1 000 EUR, `young` all of 2 000 after 100 of their own."""
    euro = {"currencyCode": "EUR"}
    version = {
        **DUTCH["version"],
        "amountRule": {"faceValue": {**euro, "units": "1000"}, "period": "PERIOD_GRANT"},
        "targetGroups": [
            {"code": "all", "expression": "true", "coverPercent": 90},
            {
                "code": "young",
                "expression": "true",
                "coverPercent": 100,
                "faceValue": {**euro, "units": "2000"},
                "fixedShare": {**euro, "units": "100"},
            },
        ],
        **changes,
    }
    return compile_rules("programmes/x/versions/1", "EUR", ParseDict(version, Version()))


@pytest.mark.parametrize(
    ("pots", "reach"),
    [
        ([], "NOTHING"),
        ([([], 0)], "NOTHING"),
        ([([], 1)], "LITTLE"),
        ([([], 89_999)], "LITTLE"),
        ([([], 90_000)], "ENOUGH"),
        ([([], 50_000), ([], 50_000)], "LITTLE"),  # a grant never takes from two
        ([(["young"], 189_999)], "LITTLE"),
        ([(["young"], 190_000)], "ENOUGH"),
        ([(["other"], 900_000)], "LITTLE"),
        ([(["other"], 900_000), (["young", "all"], 90_000)], "ENOUGH"),
    ],
)
def test_one_pot_must_hold_a_whole_voucher(pots: list[tuple[list[str], int]], reach: str) -> None:
    assert MoneyLeft.Name(money_left(rules(), pots)) == f"MONEY_LEFT_{reach}"


def test_no_voucher_is_larger_than_the_dearest_course_and_the_lifetime_cap() -> None:
    dearest = rules(courseRule={"priceCap": {"currencyCode": "EUR", "units": "500"}})
    assert money_left(dearest, [(["young"], 39_999)]) == MoneyLeft.MONEY_LEFT_LITTLE
    assert money_left(dearest, [(["young"], 40_000)]) == MoneyLeft.MONEY_LEFT_ENOUGH
    amount = {"faceValue": {"currencyCode": "EUR", "units": "1000"}, "period": "PERIOD_GRANT"}
    capped = rules(amountRule=amount | {"lifetimeCap": {"currencyCode": "EUR", "units": "300"}})
    assert money_left(capped, [([], 30_000)]) == MoneyLeft.MONEY_LEFT_ENOUGH
    assert money_left(capped, [([], 29_999)]) == MoneyLeft.MONEY_LEFT_LITTLE
