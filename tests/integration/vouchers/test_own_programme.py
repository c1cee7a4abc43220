"""What the guide tells a back office to write is taken as it stands, and pays."""

from __future__ import annotations

import json
import re
from pathlib import Path

from services.vouchers.domain import facts
from services.vouchers.domain.expressions import CONTEXT
from tests.support import vouchers
from tests.support.vouchers import World, cents

GUIDE = Path(__file__).parents[3] / "docs" / "programmes.md"


def test_the_file_of_the_guide_works_from_draft_to_voucher(world: World, monkeypatch, tmp_path) -> None:
    (block,) = re.findall(r"```json\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "evening.json").write_text(json.dumps(json.loads(block)))
    monkeypatch.setattr(vouchers, "SAMPLES", tmp_path)
    programme = world.programme("evening")
    low = world.apply(world.learner(employment_status="employed", education_level=3), programme)
    other = world.apply(world.learner(employment_status="employed", education_level=5), programme)
    refused = world.apply(world.learner(), programme)
    assert (cents(low.amount), cents(other.amount)) == (250_00, 125_00)
    assert list(refused.reason_codes) == ["NOT_IN_WORK"]


def test_the_guide_names_every_fact_and_value_that_rules_can_read() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    read = facts.CATALOGUE.keys() - facts.STATISTICS
    assert [name for name in (*read, *CONTEXT) if f"{name}`" not in text] == []
