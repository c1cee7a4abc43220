"""`make bench` runs all of them, whatever the first ones miss."""

from __future__ import annotations

import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]


def test_every_benchmark_runs_and_what_missed_its_goals_is_said_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text('#!/bin/sh\necho "ran $2"\ncase $2 in *tags|*surge) exit 1;; esac\n')
    python.chmod(0o755)
    for done in (".runtime", ".dev"):
        (tmp_path / done).touch()

    def make(*which: str) -> subprocess.CompletedProcess[str]:
        command = ["make", "bench", f"VENV={tmp_path}", f"BENCHES={' '.join(which)}"]
        return subprocess.run(command, cwd=CHECKOUT, text=True, capture_output=True, check=False)

    missed = make("bench-tags", "bench-events", "bench-surge", "bench-ledger")
    assert [line for line in missed.stdout.splitlines() if line.startswith("ran")] == [
        *("ran bench.tags", "ran bench.events", "ran bench.surge", "ran bench.ledger"),
    ]
    assert "missed goals: bench-tags bench-surge" in missed.stdout
    assert missed.returncode
    reached = make("bench-events", "bench-ledger")
    assert (reached.returncode, "missed goals" in reached.stdout) == (0, False)
