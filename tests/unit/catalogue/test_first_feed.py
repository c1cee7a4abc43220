"""docs/first-feed.md does what it says: its file is clean, its mistakes are found, no column is missing."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from services.catalogue.imports.csv_template import COLUMNS, CsvTemplate
from tests.unit.catalogue.feeds import read_all

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/first-feed.md").read_text()
CLEAN, WRONG = re.findall(r"^```csv\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_first_file_is_clean() -> None:
    documents, found = read_all(CsvTemplate(), CLEAN.encode())
    assert not found
    assert [(key, len(document["offerings"][0]["sessions"])) for key, document in documents] == [
        ("W-1", 2),
        ("G-1", 1),
    ]


def test_the_second_has_the_mistakes_that_are_named() -> None:
    documents, found = read_all(CsvTemplate(), WRONG.encode())
    assert not documents
    named = re.search(r"^shows for W-1 .*?;", PAGE, re.MULTILINE | re.DOTALL)
    assert named is not None
    assert sorted(finding.code for finding in found) == sorted(re.findall(r"`([A-Z_]+)`", named[0]))


def test_every_column_is_explained_and_in_the_template() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [*COLUMNS]
    with (ROOT / "samples/feeds/template.csv").open(newline="") as file:
        assert [*csv.reader(file)] == [[*COLUMNS]]
