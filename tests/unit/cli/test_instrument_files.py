"""Files that commands of programmes, levies, contracts and promises read."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.exits import ExitCode, Failure
from services.cli.main import app
from services.cli.programme import read_json, read_programme

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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("7" * 5_000, "is not JSON"),
        ("7", "holds no JSON object with programme and version."),
        ("null", "holds no JSON object with programme and version."),
        ('["programme", "version"]', "holds no JSON object with programme and version."),
        ('"programme version"', "holds no JSON object with programme and version."),
        ('{"programme": {}}', "lacks version."),
        ('{"programme": 7, "version": []}', "has no JSON object under programme and version."),
        ('{"programme": {}, "version": null}', "has no JSON object under version."),
    ],
)
def test_a_file_of_another_shape_is_named_with_what_is_expected(
    content: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "rules.json"
    file.write_text(content)
    with pytest.raises(Failure) as raised:
        read_json(file, "programme", "version")
    assert raised.value.code == ExitCode.USAGE
    assert raised.value.text.startswith(f"{file} {said}")
    assert raised.value.remedy


def test_a_file_of_the_right_shape_is_read(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text('{"programme": {}, "version": {"kind": "KIND_TRAINING"}, "source": 7}')
    assert read_json(file, "programme", "version")["version"] == {"kind": "KIND_TRAINING"}


def test_fields_that_the_contract_has_not_are_named_as_the_edge_would_drop_them(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    version = """{"kind": "KIND_WORK", "scope": "SCOPE_COURSES",
        "cohort": "COHORT_UNSPECIFIED", "amountRule": {"oncePerPersonn": true}, "display_names": {},
        "target_groups": [{"zz": 1}],
        "clauses": [{"id": "a", "texts": {"en": "x"}}, {"id": "b", "expresion": "true"}]}"""
    file.write_text('{"programme": {"displayNames": {"en": "x"}}, "version": ' + version + "}")
    with pytest.raises(Failure) as raised:
        read_programme(file)
    assert raised.value.code == ExitCode.USAGE
    said = dict(raised.value.violations)
    assert list(said) == [
        "kind",
        "scope",
        "amountRule.oncePerPersonn",
        "display_names",
        "target_groups[0].zz",
        "clauses[1].expresion",
    ]
    assert "KIND_TRAINING" in said["kind"]
    assert said["scope"].endswith("did you mean `SCOPE_COURSE`?")
    assert said["clauses[1].expresion"].endswith("did you mean `expression`?")
    assert "coverPercent" in said["target_groups[0].zz"]
