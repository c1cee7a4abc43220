"""The page on ranking says what the code does, and no weight is that of a price, a provider or a shortage."""

from __future__ import annotations

import re
from pathlib import Path

from services.catalogue.search import asked, meaning, weights

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "ranking.md").read_text(encoding="utf-8")


def test_every_weight_is_on_the_page() -> None:
    told = {name: float(value) for name, value in re.findall(r"^\| `([A-Z_]+)` \| ([\d.]+) \|", PAGE, re.M)}
    used = {name: value for name, value in vars(weights).items() if name.isupper()}
    assert told == used
    assert (asked.FEW, meaning.MOST) == (10, 4)  # said in words
