"""The root command: loads only what is called, and ends with the exit code of the failure."""

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from services.cli.examples import examples_of
from services.cli.faults import failure_of
from services.cli.main import MODULES, app
from tests.support.typed import unknown_in


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every command below a group by what is typed for it, groups too."""
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        yield f"{path}{name}", command
        if hasattr(command, "list_commands"):
            yield from commands(command, f"{path}{name} ")


def test_every_command_and_group_says_what_it_does_and_shows_an_example(root: Any) -> None:
    found = dict(commands(root))
    assert set(MODULES) <= set(found)
    assert [path for path, command in found.items() if not command.help] == []
    shown = {path: f"{command.help} {command.epilog}" for path, command in found.items()}
    assert [path for path, text in shown.items() if not re.search(r"Examples?:", text)] == []


@pytest.fixture(scope="module")
def root() -> Any:
    return get_command(app)


def test_examples_are_commands_that_there_are(root: Any) -> None:
    lines = [line for _, command in commands(root) for line in examples_of(command)]
    assert len(lines) > 600
    assert {line: word for line in lines if (word := unknown_in(line, root))} == {}


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("waymark ledger verfy", "verfy"),
        ("waymark status --yaml", "--yaml"),
        ('curl -H "authorization: Bearer $(waymark token auditor --who)" x', "--who"),
        ("waymark status --json | head -n 1", ""),
    ],
)
def test_control_an_example_that_is_none_is_found(line: str, word: str, root: Any) -> None:
    assert unknown_in(line, root) == word


def test_examples_name_files_that_are_there(root: Any) -> None:
    checkout = Path(__file__).resolve().parents[3]
    named = {
        path
        for _, command in commands(root)
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


@pytest.mark.parametrize("asked", [(), ("--json",)])
def test_a_database_that_does_not_answer_is_exit_code_3(asked: tuple[str, ...]) -> None:
    told = {
        **{name: value for name, value in os.environ.items() if name != "WAYMARK_HOME"},
        "WAYMARK_CATALOGUE_DATABASE_URL": "postgresql://role:secret@127.0.0.1:1/catalogue",
        "WAYMARK_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    }
    command = [sys.executable, "-m", "services.cli.main", "events", "outbox", "catalogue", *asked]
    result = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    assert result.returncode == 3
    assert "Connection refused" in result.stderr
    assert "Traceback" not in result.stderr
    assert "secret" not in result.stderr
    assert not asked or json.loads(result.stderr)["error"]["exit_code"] == 3


def test_a_file_that_cannot_be_written_is_named() -> None:
    for error, said in (
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/none/x"), "/none/x: No such file"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", ".x.part", None, "/tmp"), "/tmp: Is a directory"),
    ):
        failure = failure_of(error)
        assert failure is not None
        assert failure.code == 1
        assert failure.text.startswith(said)


def test_a_zone_that_there_is_not_is_told_before_anything_starts(tmp_path: Path) -> None:
    told = {**os.environ, "WAYMARK_TIME_ZONE": "Europe/Bruxelles"}
    command = [sys.executable, "-m", "services.cli.main", "up", "--detach", "--home", str(tmp_path)]
    result = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    assert (result.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "WAYMARK_TIME_ZONE is 'Europe/Bruxelles'" in result.stderr
    assert "Traceback" not in result.stderr


def test_control_a_mistake_of_the_program_is_no_failure() -> None:
    assert failure_of(KeyError("x")) is None


def test_completion_knows_the_commands() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "services.cli.main"],
        env={"_WAYMARK_COMPLETE": "complete_bash", "COMP_WORDS": "waymark led", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.split() == ["ledger"]


def test_status_loads_neither_grpc_nor_asyncio() -> None:
    code = (
        "import sys; from services.cli.main import main\n"
        "sys.argv = ['waymark', 'status', '--home', '/nonexistent']\n"
        "try: main()\nexcept SystemExit: print({'asyncio', 'grpc'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
