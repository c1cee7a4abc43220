import json

import pytest

from bench.report import Goal, report


def test_a_report_ends_in_one_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    goals = [Goal("rate", "≥", 100, "/s"), Goal("p99_ms", "≤", 60, "ms")]
    assert not report("example", {"rate": 120.12345, "p99_ms": 61.0, "rows": 3}, goals)
    *table, last = capsys.readouterr().out.splitlines()
    assert any("p99_ms" in line and "NO" in line for line in table)
    assert json.loads(last) == {
        "bench": "example",
        "figures": {"rate": 120.123, "p99_ms": 61.0, "rows": 3},
        "goals": [
            {"name": "rate", "goal": 100, "measured": 120.123, "met": True},
            {"name": "p99_ms", "goal": 60, "measured": 61.0, "met": False},
        ],
    }


def test_all_goals_met(capsys: pytest.CaptureFixture[str]) -> None:
    assert report("example", {"rate": 100.0}, [Goal("rate", "≥", 100)])
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["goals"][0]["met"]
