"""Documents: what they link to, name and tell people to type is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from typer.main import get_command

from services.cli.main import app
from tests.support.typed import unknown_in

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = sorted(
    path
    for folder in ("docs", "deploy", "samples", "proto", "services", "tests", "bench")
    for path in (ROOT / folder).rglob("*.md")
) + sorted(ROOT.glob("*.md"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(?:\$ )?(?:[A-Z_]+=\S+ |\.venv/bin/)*waymark [a-z]")


def typed_in(text: str) -> Iterator[str]:
    """Yields the command lines of a document: in code, indented, and amid sentences."""
    for block in _BLOCK.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    around = _BLOCK.sub("", text)
    yield from re.findall(r"^    (.*)$", around, re.MULTILINE)
    yield from (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", around))


def commands_in(text: str) -> Iterator[str]:
    """Yields each `waymark …` of a document; of `a|b` both."""
    for line in typed_in(text):
        if _COMMAND.match(line):
            several = re.search(r"\S+(?:(?<! )\|(?! )\S+)+", line)
            for one in several[0].split("|") if several else [""]:
                yield line.replace(several[0], one) if several else line


def lost_links(path: Path, text: str) -> list[str]:
    """Returns what a document links to and is not there, headings too."""
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", link):
            name, _, heading = link.partition("#")
            target = path.parent / name
            named = target.read_text() if name and target.is_file() else text
            if not target.exists() or (heading and heading not in headings(named)):
                lost.append(link)
    return lost


def headings(text: str) -> set[str]:
    """Returns the headings of a document as links name them."""
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in found}


def test_commands_in_documents_are_commands_that_there_are() -> None:
    root = get_command(app)
    lines = {line for path in DOCUMENTS for line in commands_in(path.read_text())}
    assert len(lines) > 250
    assert {line: word for line in lines if (word := unknown_in(line, root))} == {}


def test_control_a_command_that_is_none_is_found_wherever_it_stands() -> None:
    root = get_command(app)
    text = "`waymark nothing`\n\n    waymark up --nought\n\n```\n$ waymark serve|migrat vouchers\n```\n"
    found = [unknown_in(line, root) for line in commands_in(text)]
    assert sorted(found) == ["", "--nought", "migrat", "nothing"]


def test_targets_of_make_in_documents_are_there() -> None:
    named = {
        target
        for path in DOCUMENTS
        for line in typed_in(path.read_text())
        for target in re.findall(r"^(?:\$ )?make ([a-z-]+)", line)
    }
    assert {"run", "test", "check"} <= named
    assert {name for name in named if name not in TARGETS and not name.startswith("bench-")} == set()


def test_links_between_documents_lead_somewhere() -> None:
    assert {path: lost for path in DOCUMENTS if (lost := lost_links(path, path.read_text()))} == {}


def test_control_a_link_that_leads_nowhere_is_found() -> None:
    text = "# One two\n[a](CHANGELOG.md) [b](NOTHING.md) [c](#one-two) [d](#three) [e](https://x.example)"
    assert lost_links(ROOT / "README.md", text) == ["NOTHING.md", "#three"]


def test_paths_that_documents_name_are_there() -> None:
    named = {
        name
        for path in DOCUMENTS
        if path.parent.name != "decisions" and path.name != "CHANGELOG.md"
        for name in re.findall(
            r"`((?:services|docs|deploy|tests|proto|bench|samples)/[\w./-]+)`", path.read_text()
        )
    }
    assert len(named) > 100
    assert {
        name for name in named if not (ROOT / name).exists() and not list(ROOT.glob(f"{name}-*"))
    } == set()
