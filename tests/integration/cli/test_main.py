"""The root command: loads only what is called, and ends with the exit code of the failure."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from services.cli.main import MODULES, app


def test_every_command_says_what_it_does_and_shows_an_example() -> None:
    group = get_command(app)
    for name in MODULES:
        command = group.get_command(None, name)  # type: ignore[attr-defined]
        assert command is not None
        assert command.help, name


def commands(group: Any) -> Iterator[Any]:
    """Every command below a group."""
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        yield from commands(command) if hasattr(command, "list_commands") else [command]


def test_examples_name_files_that_are_there() -> None:
    checkout = Path(__file__).resolve().parents[3]
    named = {
        path
        for command in commands(get_command(app))
        for path in re.findall(r"samples/[\w/.-]+\.\w+", f"{command.help} {command.epilog}")
    }
    assert named
    assert [path for path in sorted(named) if not (checkout / path).exists()] == []


def test_the_help_names_the_exit_codes() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert "3 not" in result.output


def test_a_wrong_command_is_a_usage_error_with_a_guess() -> None:
    result = CliRunner().invoke(app, ["demoo"])
    assert result.exit_code == 2
    assert "demo" in result.output


def run(*arguments: str, home: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services.cli.main", *arguments, "--home", home]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_no_stack_is_exit_code_3_with_a_remedy(tmp_path: pytest.TempPathFactory) -> None:
    result = run("ledger", "verify", home=str(tmp_path))
    assert result.returncode == 3
    assert "remedy: Start it with `waymark up" in result.stderr


def test_completion_knows_the_commands() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "services.cli.main"],
        env={"_WAYMARK_COMPLETE": "complete_bash", "COMP_WORDS": "waymark led", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.split() == ["ledger"]


def test_status_loads_no_grpc() -> None:
    code = (
        "import sys; from services.cli.main import main\n"
        "sys.argv = ['waymark', 'status', '--home', '/nonexistent']\n"
        "try: main()\nexcept SystemExit: print('grpc' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
