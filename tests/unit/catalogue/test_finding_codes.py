"""docs/feeds.md lists each code that a feed's reader can note, and no other; and each format."""

from __future__ import annotations

import re
from pathlib import Path

from waymark.catalogue.v1.source_pb2 import FeedFormat

from services.catalogue.imports import pipeline
from services.cli.organisation import Format

ROOT = Path(__file__).resolve().parents[3]
IMPORTS = Path(pipeline.__file__).parent
FEEDING = IMPORTS.parent / "feeding"
OTHERS = ("shortage_csv.py", "taxonomy_csv.py", "observations.py", "observation_csv.py")  # no feeds
FINDING = re.compile(r'(?:Finding\(|fail\(tx, run,)\s*"([A-Z_]+)"')
CODE = re.compile(r'"([A-Z]+(?:_[A-Z]+)+)"')


def test_codes() -> None:
    noted = {
        code
        for path in IMPORTS.glob("*.py")
        if path.name not in OTHERS
        for code in CODE.findall(path.read_text())
    }
    noted |= {code for path in FEEDING.glob("*.py") for code in FINDING.findall(path.read_text())}
    table = (ROOT / "docs/feeds.md").read_text().partition("## Findings")[2]
    listed = re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)
    assert listed == sorted(listed)
    assert set(listed) == noted


def test_each_format_has_a_reader_a_name_and_a_line() -> None:
    formats = set(FeedFormat.values()) - {FeedFormat.FEED_FORMAT_UNSPECIFIED}
    assert set(pipeline.READERS) == formats
    assert {FeedFormat.Value(f"FEED_FORMAT_{each.name}") for each in Format} == formats
    text = (ROOT / "docs/feeds.md").read_text()
    assert all(f"| `{each.value}` |" in text for each in Format)
