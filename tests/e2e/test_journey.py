"""The whole journey on a real stack: on samples, again, on real data, and with a part that hangs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.cli.demo.walk import PROGRAMMES, STEPS
from services.cli.stack.plan import WIDTH
from services.cli.stack.ports import is_free
from services.cli.stack.state import StackState, find_state
from tests.support.real_data import real_data

pytestmark = [pytest.mark.timeout(700)]


class Walk:
    """One run of `waymark demo`."""

    def __init__(self, home: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "services.cli.main", "demo", "--home", str(home), *arguments]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}
        done = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=300, check=False)
        self.exit_code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def steps(self) -> list[dict[str, Any]]:
        """What `--json` printed, a step each."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def failed(self) -> dict[str, str]:
        """Steps that failed, with what they said."""
        return {step["step"]: step["text"] for step in self.steps if not step["ok"]}


def waymark(home: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "services.cli.main", *arguments, "--home", str(home)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}
    done = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def free_base() -> int:
    """A range of ports below the ones the system hands out itself, apart from other tests' stacks."""
    start = 15_000 + os.getpid() % 100 * WIDTH
    return next(b for b in range(start, 30_000, WIDTH) if all(is_free(b + n) for n in range(WIDTH)))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Home of a stack that is up."""
    folder = tmp_path_factory.mktemp("journey")
    waymark(folder, "up", "--detach", "--port-base", str(free_base()))
    yield folder
    waymark(folder, "down")


def state_of(home: Path) -> StackState:
    state = find_state(home)
    assert state is not None
    return state


def test_every_step_goes_well_and_programs_can_read_it(home: Path) -> None:
    walk = Walk(home, "--json")
    assert walk.failed == {}
    assert walk.exit_code == 0
    assert [step["step"] for step in walk.steps] == [step.name for step in STEPS]
    for step in walk.steps:
        assert step["rows"]
        assert step["seconds"] >= 0


def test_it_can_be_walked_again_and_people_read_the_count(home: Path) -> None:
    walk = Walk(home)
    assert walk.out.splitlines()[-1] == "journey: 24 of 24 steps ok", walk.out + walk.err
    assert walk.exit_code == 0


def test_every_practice_of_vouchers_is_walked(home: Path) -> None:
    walk = Walk(home, "--all-programmes", "--json")
    assert walk.failed == {}
    assert walk.exit_code == 0
    assert [step["step"] for step in walk.steps] == [step.name for step in PROGRAMMES]
    shown = {row for step in walk.steps for row in step["rows"]}
    assert {f"V{number}" for number in range(1, 16)} <= shown


def test_practices_of_the_catalogue_are_walked(home: Path) -> None:
    walk = Walk(home, "--catalogue", "--json")
    assert walk.failed == {}
    assert walk.exit_code == 0
    shown = {row for step in walk.steps for row in step["rows"]}
    assert {f"C{number}" for number in (*range(1, 8), *range(10, 18), 19, 21)} <= shown


def test_practices_of_the_portfolio_are_walked(home: Path) -> None:
    walk = Walk(home, "--portfolio", "--json")
    assert walk.failed == {}
    assert walk.exit_code == 0
    shown = {row for step in walk.steps for row in step["rows"]}
    assert {"P1", "P2", "P3", "P4", "P16", "P17", "P18", "P19", "P20"} <= shown


def test_real_taxonomy_list_and_feed(home: Path) -> None:
    walk = Walk(home, "--json", "--data", str(real_data()))
    assert walk.failed == {}
    imported = next(step for step in walk.steps if step["step"] == "feed-imported")
    assert " of 965 records" in imported["text"]


def test_a_part_that_hangs_is_counted(home: Path) -> None:
    """Control: with the portfolio's consumer stopped, what depends on it fails, and nothing else."""
    consumer = state_of(home).parts["portfolio-consumer"].pid
    os.kill(consumer, signal.SIGSTOP)
    try:
        walk = Walk(home, "--json", "--patience", "3")
    finally:
        os.kill(consumer, signal.SIGCONT)
    assert "pathway-step-confirmed" in walk.failed
    assert "events-seen" in walk.failed
    assert walk.exit_code == len(walk.failed) == 2, walk.failed


def test_a_missing_folder_is_a_usage_error(home: Path, tmp_path: Path) -> None:
    walk = Walk(home, "--data", str(tmp_path))
    assert walk.exit_code == 2
    assert "occupations_en.csv is missing" in walk.err or "ISCOGroups_en.csv is missing" in walk.err
