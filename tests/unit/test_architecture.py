"""ARCHITECTURE.md names files that are there, and the way of a request in no more than eight of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import filter as matching
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
FOLDERS = ("services", "proto", "tests", "bench", "docs", "deploy")
# Files, folders, and decisions by their number.
_NAMED = re.compile(r"`([\w./{},<>-]+(?:\.(?:py|proto|json|md|toml|yaml)|/)|docs/decisions/\d{4})`")


@cache
def ends() -> frozenset[str]:
    """Every path of the checkout from each of its parts on; folders end in a slash."""
    found = set[str]()
    for path in (path for folder in FOLDERS for path in (ROOT / folder, *(ROOT / folder).rglob("*"))):
        parts = path.relative_to(ROOT).parts
        found |= {"/".join(parts[start:]) + "/" * path.is_dir() for start in range(len(parts))}
    return frozenset(found)


def spelled(name: str) -> Iterator[str]:
    """Yields the patterns that a name stands for: `a/{b,c}.py` for two, `<service>` for any."""
    if found := re.search(r"\{([^{}]*)\}", name):
        for one in found[1].split(","):
            yield from spelled(name[: found.start()] + one + name[found.end() :])
    else:
        yield re.sub(r"<\w+>", "*", name) + "-*" * name[-4:].isdecimal()


def exists(name: str) -> bool:
    return all(
        pattern in ends() or ("*" in pattern and bool(matching(ends(), pattern))) for pattern in spelled(name)
    )


def test_what_is_named_is_there() -> None:
    named = set(_NAMED.findall(TEXT))
    assert len(named) > 100
    assert {name for name in named if not exists(name)} == set()


@pytest.mark.parametrize(
    "name", ["services/vouchers/nothing.py", "store/{ledger,nothing}.py", "docs/decisions/9999", "nothing/"]
)
def test_control_what_is_not_there_is_missed(name: str) -> None:
    assert not exists(name)


def test_the_way_of_a_request_and_its_event_takes_at_most_eight_files() -> None:
    way = TEXT.split("## The way of a request", 1)[1].split("\n## ", 1)[0]
    steps = re.findall(r"^\d+\. `([^`]+)`", way, re.MULTILINE)
    assert 0 < len(steps) <= 8
    assert all((ROOT / step).is_file() for step in steps)
