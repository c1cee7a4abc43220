"""Every command of the portfolio's nouns is run by some end-to-end test, by the sources of the tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from typer.main import get_command

from services.cli.main import MODULES, app

TESTS = Path(__file__).resolve().parents[2] / "e2e"
_ALL = list(MODULES)
# In the order of `waymark --help` the nouns of the portfolio stand together.
NOUNS = _ALL[_ALL.index("holder") : _ALL.index("on-behalf") + 1]
MOST = 3  # words of a command
# What is run, but not by its words in a row, and where.
ELSEWHERE: Mapping[str, str] = {
    f"{noun} {verb}": "`published` of test_questionnaires.py takes the noun"
    for noun in ("framework", "instrument")
    for verb in ("draft", "change", "publish")
}


def commands(command: Any, *words: str) -> Iterator[str]:
    """The words of all commands within one."""
    within = getattr(command, "commands", None)
    if within is None:
        yield " ".join(words)
    for name in within or ():
        yield from commands(within[name], *words, name)


def run_by(source: str) -> set[str]:
    """What calls and tuples of a source begin with, as words: texts in a row."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        parts = getattr(node, "args", None) if isinstance(node, ast.Call) else getattr(node, "elts", None)
        words: list[str] = []
        for part in (parts or [])[:MOST]:
            if not isinstance(part, ast.Constant) or not isinstance(part.value, str):
                break
            words.append(part.value)
            found.add(" ".join(words))
    return found


def test_every_command_of_the_portfolio_is_run_by_a_test() -> None:
    root = get_command(app)
    there = {each for noun in NOUNS for each in commands(root.commands[noun], noun)}  # type: ignore[attr-defined]
    run = set().union(*(run_by(file.read_text(encoding="utf-8")) for file in TESTS.rglob("test_*.py")))
    assert sorted(there - run - ELSEWHERE.keys()) == []
    assert sorted(ELSEWHERE.keys() - there | ELSEWHERE.keys() & run) == []  # no longer there, or seen by now


def test_what_counts_as_run() -> None:
    """Control: a command that no test runs is missed; what a comment or a text says is no run."""
    source = (
        'learner.prints("cv", "list", name)\nagain = ("cv", "show")\n# ("cv", "delete")\nx = "cv update"\n'
    )
    assert run_by(source) == {"cv", "cv list", "cv show"}
