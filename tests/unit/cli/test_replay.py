"""`waymark programme replay`: pages until one does not agree, and ends with an exit code for scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli import call as module
from services.cli.exits import ExitCode, Failure
from services.cli.programme import programme

WRONG = {
    "application": "applications/2",
    "programmeVersion": "programmes/p/versions/1",
    "differences": [{"path": "pins.facts", "before": "aa", "after": "bb"}],
}


class Edge:
    """Answers three pages; the second has a disagreement when `wrong`."""

    def __init__(self, *, wrong: bool, let_go: int) -> None:
        self.wrong = wrong
        self.let_go = let_go  # of each page
        self.asked: list[str] = []

    def rest(self, _method: str, path: str, *_body: Any, **query: Any) -> Any:
        token = query.get("page_token", "")
        self.asked.append(f"{path} {query.get('programme', '')} {token}".strip())
        if path != "/v1/applications:replay":
            return WRONG if self.wrong else {"application": "applications/1", "agrees": True}
        found = [WRONG] if self.wrong and token == "1" else []
        answer = {
            "replayedCount": 500,
            "letGoCount": self.let_go,
            "disagreements": found,
            "nextPageToken": {"": "1", "1": "2"}.get(token, ""),
        }
        return answer if token else {**answer, "totalCount": "1500"}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `replay` against an edge; returns the result with what the edge was asked."""

    def once(*arguments: str, wrong: bool = False, let_go: int = 0) -> tuple[Any, list[str]]:
        edge = Edge(wrong=wrong, let_go=let_go)

        @contextmanager
        def calling(*_: Any, **__: Any) -> Iterator[Edge]:
            yield edge

        monkeypatch.setattr(module, "calling", calling)
        return CliRunner().invoke(programme, ["replay", *arguments]), edge.asked

    return once


def test_all_pages_are_read_when_all_agree(run: Any) -> None:
    done, asked = run("--all", "--programme", "programmes/p")
    assert done.exit_code == 0
    assert done.output == "1500 decisions computed again, all agree\n"
    assert asked == [f"/v1/applications:replay programmes/p {token}".strip() for token in ("", "1", "2")]
    done, _ = run("--all", "--json")
    assert json.loads(done.output) == {"replayed": 1500, "agrees": True, "letGo": 0}


def test_decisions_whose_facts_were_let_go_of_are_not_said_to_be_computed(run: Any) -> None:
    done, _ = run("--all", let_go=100)
    said = "1200 decisions computed again, all agree; the facts of 300 more were let go of"
    assert done.output == f"{said}, and what else is pinned agrees\n"


def test_the_first_that_does_not_agree_ends_it(run: Any) -> None:
    done, asked = run("--all", wrong=True)
    assert isinstance(done.exception, Failure)
    assert done.exception.code == ExitCode.OTHER
    assert "applications/2" in str(done.exception)
    assert "1000 computed again" in str(done.exception)
    assert "pins.facts" in done.output
    assert len(asked) == 2
    done, _ = run("--all", "--json", wrong=True)
    assert json.loads(done.output)["differences"] == WRONG["differences"]


def test_one_decision_agrees_or_not(run: Any) -> None:
    done, asked = run("applications/1")
    assert (done.exit_code, asked) == (0, ["/v1/applications/1:replay"])
    assert re.search(r"^agrees +yes$", done.output, re.MULTILINE)
    done, _ = run("applications/2", wrong=True)
    assert done.exception.code == ExitCode.OTHER


@pytest.mark.parametrize("arguments", [(), ("applications/1", "--all"), ("x", "--programme", "programmes/p")])
def test_wrong_usage_says_what_to_write(run: Any, arguments: tuple[str, ...]) -> None:
    done, asked = run(*arguments)
    assert done.exception.code == ExitCode.USAGE
    assert asked == []
