"""Files that commands of levies, contracts and promises read."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from services.cli.exits import ExitCode
from services.cli.main import app

NONE = "/none.json"


@pytest.mark.parametrize(
    "command",
    [
        ("levy", "create", NONE, "fundingSources/laec"),
        ("levy", "import", "levySchemes/laec", NONE),
        ("outcome", "create", NONE),
        ("obligation", "create", "organisations/acme", NONE),
    ],
)
def test_a_file_that_is_not_there_is_a_wrong_use(command: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, command)
    assert done.exit_code == ExitCode.USAGE
    assert "does not exist" in done.output
