"""The bill of materials, by the schema of CycloneDX, and that nothing is locked without a hash."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from services.cli.sbom import JARS, PACKAGES, bill, locked

SCHEMAS = Path(__file__).parents[2] / "support" / "cyclonedx"


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return bill(PACKAGES, JARS)


@pytest.fixture(scope="module")
def valid() -> Callable[[Any], bool]:
    schemas = {file.name: json.loads(file.read_text()) for file in SCHEMAS.glob("*.json")}
    whole = schemas.pop("bom-1.6.schema.json")
    others = [(f"http://cyclonedx.org/schema/{name}", schema) for name, schema in schemas.items()]
    check: Callable[[Any], bool] = jsonschema_rs.validator_for(
        whole, registry=jsonschema_rs.Registry(others)
    ).is_valid
    return check


def test_the_bill_is_valid_and_damaged_is_not(made: dict[str, Any], valid: Callable[[Any], bool]) -> None:
    assert valid(made)
    for damage in (
        lambda it: it.pop("bomFormat"),
        lambda it: it["components"][0]["hashes"][0].update(content="abc"),
        lambda it: it["components"][0]["licenses"].append({"license": {"id": "None-Such"}}),
        lambda it: it["components"].append(it["components"][0]),
    ):
        damaged = deepcopy(made)
        damage(damaged)
        assert not valid(damaged)


def test_the_bill_holds_every_package_and_jar_with_its_hashes(made: dict[str, Any]) -> None:
    by_purl = {each["purl"]: each for each in made["components"]}
    assert len(by_purl) == len(made["components"])
    hashes = {each["content"] for found in made["components"] for each in found["hashes"]}
    text = PACKAGES.read_text()
    assert text.count("--hash=sha256:") == sum(len(each.hashes) for each in locked(PACKAGES))
    jars = tomllib.loads(JARS.read_text())["dependencies"]
    assert hashes >= {jar["sha256"] for jar in jars}
    assert len(by_purl) == text.count("==") - text.count(" == ") + len(jars)
    grpc = next(each for purl, each in by_purl.items() if purl.startswith("pkg:pypi/grpcio@"))
    assert grpc["licenses"] == [{"expression": "Apache-2.0"}]
    assert any(purl.startswith("pkg:maven/org.apache.kafka/kafka_2.13@") for purl in by_purl)
    assert made == bill(PACKAGES, JARS)  # the same of the same


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_line_of_a_lock_is_pinned_and_has_a_hash(name: str, tmp_path: Path) -> None:
    lock = PACKAGES.with_name(name)
    assert len(list(locked(lock))) > 20
    for unlocked in ("left-pad\n", "left-pad==1.3.0\n", "left-pad>=1.3.0 \\\n    --hash=sha256:" + "a" * 64):
        (tmp_path / name).write_text(lock.read_text() + unlocked)
        with pytest.raises(ValueError, match="left-pad"):
            list(locked(tmp_path / name))


def test_whatever_installs_from_a_lock_asks_for_its_hashes() -> None:
    root = PACKAGES.parent
    lines = [
        line
        for file in (root / "Makefile", root / "deploy" / "Dockerfile")
        for line in file.read_text().splitlines()
        if "pip install" in line and ".lock" in line
    ]
    assert len(lines) == 3
    assert all("--require-hashes" in line for line in lines)
