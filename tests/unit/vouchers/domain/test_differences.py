import json
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict

from services.vouchers.domain.differences import Difference, differences
from services.vouchers.domain.programme import NOT_RULES, Version

SAMPLES = Path(__file__).parents[4] / "samples" / "programmes"


def version() -> Any:
    content = json.loads((SAMPLES / "flemish-training-voucher.json").read_text())
    return ParseDict(content["version"], Version())


def between(before: Any, after: Any) -> dict[str, tuple[str | None, str | None]]:
    return {item.path: (item.before, item.after) for item in differences(before, after, NOT_RULES)}


def test_a_version_does_not_differ_from_itself() -> None:
    other = version()
    other.name, other.state, other.etag = "programmes/p/versions/2", 2, "x"
    assert between(version(), other) == {}


def test_numbers_amounts_days_enums_and_flags_are_told_as_people_read_them() -> None:
    changed = version()
    changed.amount_rule.face_value.units = 300
    changed.amount_rule.once_per_person = True
    changed.amount_rule.period = 2
    changed.effective_date.day = 31
    changed.target_groups[1].cover_percent = 0
    changed.course_rule.kinds.extend(["course", "workshop"])
    assert between(version(), changed) == {
        "effective_date": ("2026-01-01", "2026-01-31"),
        "target_groups[everyone-else].cover_percent": ("50", "0"),
        "course_rule.kinds": ("", "course, workshop"),
        "amount_rule.face_value": ("250.00 EUR", "300.00 EUR"),
        "amount_rule.period": ("PERIOD_YEAR", "PERIOD_LIFETIME"),
        "amount_rule.once_per_person": ("false", "true"),
    }


def test_elements_are_found_by_their_id_wherever_they_stand() -> None:
    changed = version()
    del changed.clauses[0]
    added = changed.clauses.add(id="adult", expression="true", reason_code="NO")
    added.texts["nl"] = "Volwassen"
    changed.clauses[0].texts["nl"] = "Anders"
    found = between(version(), changed)
    assert found["clauses[adult].expression"] == (None, "true")
    assert found["clauses[adult].texts[nl]"] == (None, "Volwassen")
    assert found["clauses[in-work].texts[nl]"][1] == "Anders"
    assert found["clauses[low-or-medium-skilled].expression"] == ("learner.education_level <= 5", None)
    assert "clauses[adult].legal_reference" not in found
    assert "clauses" not in found


def test_the_order_of_target_groups_counts() -> None:
    changed = version()
    changed.target_groups.reverse()
    order = "below-upper-secondary, everyone-else"
    assert between(version(), changed) == {"target_groups": (order, "everyone-else, below-upper-secondary")}


def test_a_part_that_comes_or_goes_is_told_by_its_fields_or_as_such() -> None:
    changed = version()
    changed.shortage_rule.shortage_list = "shortageLists/national"
    changed.ClearField("hold_rule")
    assert differences(version(), changed, NOT_RULES) == [
        Difference("shortage_rule.shortage_list", None, "shortageLists/national"),
        Difference("hold_rule", "set", None),
    ]
