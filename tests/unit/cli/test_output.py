"""What people read: money, days, localised texts."""

import re
from importlib.resources import files

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from services.cli import output
from services.cli.amounts import json_day, json_money, json_partial_day
from services.cli.exits import Failure


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"currencyCode": "EUR", "units": "12", "nanos": 500_000_000}, "12.50 EUR"),
        ({"currencyCode": "EUR"}, "0.00 EUR"),
        ({"currencyCode": "EUR", "units": "-3", "nanos": -50_000_000}, "-3.05 EUR"),
        ({"year": 2026, "month": 2, "day": 1}, "2026-02-01"),
        ({"year": 2026, "month": 2, "day": 0}, "2026-02"),
        ({"year": 2026}, "2026"),
        ({"nl": "Lasser", "en": "Welder"}, "Welder"),
        ({"nl": "Lasser"}, "Lasser"),
        ({}, ""),
        (True, "yes"),
        (["a", "b"], "a, b"),
        (7, "7"),
        ("STATE_GRANTED", "granted"),
        ("HOLD_REASON_UNSPECIFIED", ""),
        ("STATE", "STATE"),
        ("ENTRY_KIND_CARE_WORK", "care work"),
        ("NOT_OUT_OF_WORK", "NOT_OUT_OF_WORK"),
        ("2026-11-21T08:32:43.984504Z", "2026-11-21 08:32 UTC"),
    ],
)
def test_values_are_written_for_people(value: object, shown: str) -> None:
    assert output.text(value) == shown


def enums() -> list[tuple[str, str]]:
    """Returns each enum of the contracts with one of its values that says something."""
    contracts = FileDescriptorSet.FromString(files("waymark").joinpath("descriptors.binpb").read_bytes())
    ours = [file for file in contracts.file if file.package.startswith("waymark.")]
    nested = [each for file in ours for message in file.message_type for each in message.enum_type]
    top = [each for file in ours for each in file.enum_type]
    return sorted({(each.name, each.value[1].name) for each in [*top, *nested]})


@pytest.mark.parametrize(("enum", "value"), enums())
def test_no_enum_of_a_contract_is_printed_raw(enum: str, value: str) -> None:
    prefix = re.sub("(?<!^)(?=[A-Z])", "_", enum).upper() + "_"
    assert output.text(value) == value.removeprefix(prefix).replace("_", " ").lower()


def test_a_forecast_says_its_method_in_words() -> None:
    assert output.text("METHOD_LINEAR_RUN_RATE") == "linear run rate"


def test_a_path_that_leads_nowhere_is_empty() -> None:
    assert output.at({"entry": {"severity": 3}}, "entry.severity") == 3
    assert output.at({"entry": "x"}, "entry.severity") == ""
    assert output.at({}, "entry.severity") == ""


@pytest.mark.parametrize(
    ("typed", "units", "nanos", "currency"),
    [
        ("2500", "2500", 0, "EUR"),
        ("2500.05", "2500", 50_000_000, "EUR"),
        ("7.50 GBP", "7", 500_000_000, "GBP"),
    ],
)
def test_amounts_as_typed(typed: str, units: str, nanos: int, currency: str) -> None:
    assert json_money(typed) == {"currencyCode": currency, "units": units, "nanos": nanos}


@pytest.mark.parametrize("typed", ["", "-5", "1,5", "1.5", "EUR 5", "12345678901234", "5 eur"])
def test_an_amount_that_is_none_is_refused_with_a_remedy(typed: str) -> None:
    with pytest.raises(Failure) as refusal:
        json_money(typed)
    assert refusal.value.code == 2
    assert "2500.00" in refusal.value.remedy


@pytest.mark.parametrize("typed", ["2026-02-30", "tomorrow", "", "30-11-2026"])
def test_a_day_that_does_not_exist_is_refused(typed: str) -> None:
    with pytest.raises(Failure, match="is not a day"):
        json_day(typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2019", {"year": 2019}),
        ("2019-09", {"year": 2019, "month": 9}),
        ("2019-09-30", {"year": 2019, "month": 9, "day": 30}),
    ],
)
def test_a_day_may_leave_out_what_nobody_remembers(typed: str, meant: dict[str, int]) -> None:
    assert json_partial_day(typed) == meant


@pytest.mark.parametrize("typed", ["2019-13", "0000", "2019-9", "19", "2019-02-30"])
def test_a_part_of_a_day_that_does_not_exist_is_refused(typed: str) -> None:
    with pytest.raises(Failure, match="is not a day"):
        json_partial_day(typed)


def test_a_table_says_when_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    output.table([], {"a": "a"}, empty="none yet")
    assert capsys.readouterr().out == "none yet\n"


def test_a_table_shows_brackets_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    output.table([{"a": "[red]x[/red]"}], {"a": "a"})
    assert "[red]x[/red]" in capsys.readouterr().out
