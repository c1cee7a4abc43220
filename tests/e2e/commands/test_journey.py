"""The whole journey on a real stack: on samples, again on real data, and with a part that hangs."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from services.cli.demo.data import SAMPLES
from services.cli.demo.walk import PROGRAMMES, STEPS
from tests.support.real_data import real_data
from tests.support.stacks import Stack

pytestmark = [pytest.mark.timeout(700)]


class Walk:
    """One run of `waymark demo`."""

    def __init__(self, stack: Stack, *arguments: str) -> None:
        done = stack.call("demo", *arguments)
        self.exit_code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def steps(self) -> list[dict[str, Any]]:
        """What `--json` printed, a step each."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def failed(self) -> dict[str, str]:
        """Steps that failed, with what they said."""
        return {step["step"]: step["text"] for step in self.steps if not step["ok"]}


def test_every_step_goes_well_and_programs_can_read_it(stack: Stack) -> None:
    walk = Walk(stack, "--json")
    assert walk.failed == {}
    assert walk.exit_code == 0
    assert [step["step"] for step in walk.steps] == [step.name for step in STEPS]
    for step in walk.steps:
        assert step["rows"]
        assert step["seconds"] >= 0


def test_every_practice_of_vouchers_is_walked(stack: Stack) -> None:
    walk = Walk(stack, "--all-programmes", "--json")
    assert walk.failed == {}
    assert walk.exit_code == 0
    assert [step["step"] for step in walk.steps] == [step.name for step in PROGRAMMES]
    shown = {row for step in walk.steps for row in step["rows"]}
    assert {f"V{number}" for number in range(1, 16)} <= shown


def test_practices_of_the_catalogue_are_walked(stack: Stack) -> None:
    walk = Walk(stack, "--catalogue", "--json")
    assert walk.failed == {}
    assert walk.exit_code == 0
    shown = {row for step in walk.steps for row in step["rows"]}
    assert {f"C{number}" for number in (*range(1, 8), *range(10, 18), 19, 21)} <= shown


def test_practices_of_the_portfolio_are_walked(stack: Stack) -> None:
    walk = Walk(stack, "--portfolio", "--json")
    assert walk.failed == {}
    assert walk.exit_code == 0
    shown = {row for step in walk.steps for row in step["rows"]}
    assert {"evidence-files", "print-and-plain"} <= {step["step"] for step in walk.steps}
    assert {f"P{number}" for number in range(1, 22)} <= shown


def test_it_can_be_walked_again_on_real_data_and_people_read_the_count(stack: Stack) -> None:
    """Also where somebody has put a classification of groups in use before, without its names in Dutch."""
    groups = str(SAMPLES / "taxonomy" / "ISCOGroups_en.csv")
    columns = ("--scheme", "isco-08", "--columns", "isco-groups", "--version", "without-dutch")
    stack.call("taxonomy", "import", groups, *columns, "--as", "catalogue_manager:earlier")
    walk = Walk(stack, "--data", str(real_data()))
    assert walk.out.splitlines()[-1] == "journey: 24 of 24 steps ok", walk.out + walk.err
    assert walk.exit_code == 0
    assert " of 965 records" in walk.out


def test_a_part_that_hangs_is_counted(stack: Stack) -> None:
    """Control: with the portfolio's consumer stopped, what depends on it fails, and nothing else."""
    consumer = stack.state.parts["portfolio-consumer"].pid
    os.kill(consumer, signal.SIGSTOP)
    try:
        walk = Walk(stack, "--json", "--patience", "3")
    finally:
        os.kill(consumer, signal.SIGCONT)
    assert "pathway-step-confirmed" in walk.failed
    assert "events-seen" in walk.failed
    assert walk.exit_code == len(walk.failed) == 2, walk.failed


def test_a_missing_folder_is_a_usage_error(stack: Stack, tmp_path: Path) -> None:
    walk = Walk(stack, "--data", str(tmp_path))
    assert walk.exit_code == 2
    assert "occupations_en.csv is missing" in walk.err or "ISCOGroups_en.csv is missing" in walk.err
