"""Deployment files name what exists: variables that are read, commands that run, files that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.cli.main import MODULES
from services.cli.stack.plan import FOR_SERVICES
from services.platform.edge.process import VARIABLES
from services.platform.service import SERVICES
from services.platform.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
COMPOSE = DEPLOY / "compose.yaml"

NAME = re.compile(r"\b(?:WAYMARK|OTEL)_[A-Z0-9_]+\b")


class Recording(dict[str, str]):
    """An environment that notes which variables are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return default


def read_by_processes() -> set[str]:
    environment = Recording()
    for service in SERVICES:
        Settings.from_environment(service, environment)
    return environment.asked | set(VARIABLES)


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def variables_of(value: Any) -> Iterator[str]:
    """Names given to containers: `env`, `environment` and the data of config maps."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("environment", "data") and isinstance(inner, dict):
                yield from inner
            elif key == "env" and isinstance(inner, list):
                yield from (one["name"] for one in inner)
            else:
                yield from variables_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from variables_of(inner)


@pytest.mark.parametrize("path", [*MANIFESTS, COMPOSE], ids=lambda path: path.name)
def test_variables_are_read_by_somebody(path: Path) -> None:
    given = {
        name for document in documents(path) for name in variables_of(document) if name.startswith("WAYMARK_")
    }
    passwords = {
        f"WAYMARK_{service.upper()}_PASSWORD" for service in SERVICES
    }  # read by deploy/postgres/roles.sh
    assert sorted(given - read_by_processes() - passwords) == []


def settings_page() -> dict[str, str]:
    """What `docs/settings.md` says of each setting when it is not set."""
    rows = [line.split(" | ") for line in (ROOT / "docs" / "settings.md").read_text().splitlines()]
    return {name: row[2] for row in rows if len(row) == 3 for name in NAME.findall(row[0])}


def test_the_page_of_settings_lists_all_that_are_read_and_no_other() -> None:
    quoted = re.compile(r'"(WAYMARK_[A-Z0-9_]*[A-Z0-9])"')
    between_processes = {"WAYMARK_PARENT_PIPE", "WAYMARK_STACK", "WAYMARK_ECHO_DATABASE_URL"}
    read = {name for path in (ROOT / "services").rglob("*.py") for name in quoted.findall(path.read_text())}
    assert set(settings_page()) == (read | read_by_processes()) - between_processes - {
        "WAYMARK_EDGE_DATABASE_URL"
    }


def test_what_production_needs_is_in_every_deployment() -> None:
    needed = {name for name, unless_set in settings_page().items() if unless_set.startswith("needed")}
    assert len(needed) > 10
    kubernetes = "".join(path.read_text() for path in MANIFESTS)
    named = kubernetes + "".join(
        kubernetes.replace("<SERVICE>", service.upper()) for service in SERVICES if "<SERVICE>" in kubernetes
    )
    compose = set(variables_of(documents(COMPOSE)[0]))
    assert sorted(needed - set(NAME.findall(named))) == []
    # The broker in there takes no passwords.
    assert sorted(name for name in needed - compose if "SASL" not in name) == []


@pytest.mark.parametrize("service", SERVICES)
def test_compose_hands_on_what_one_service_alone_can_be_told(service: str) -> None:
    containers = documents(COMPOSE)[0]["services"]
    for name in (service, f"{service}-consumer"):
        assert set(FOR_SERVICES[service]) <= set(containers[name]["environment"])


def test_nobody_is_given_the_keys_of_another_service_and_who_needs_none_gets_none() -> None:
    given = {
        name: [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume]
        for name, pod in pods()
        if name != "edge"
    }
    mounted = {
        name: [volume.partition(":/run")[0] for volume in container.get("volumes", [])]
        for name, container in documents(COMPOSE)[0]["services"].items()
        if container.get("image") == "waymark" and name != "edge"
    }
    for service in SERVICES:
        for part in ("server", "consumer"):
            assert given[f"{service}-{part}"] == [f"waymark-{service}-keys"]
            assert mounted[service if part == "server" else f"{service}-{part}"] == [
                f"${{WAYMARK_SECRETS:?}}/{service}"
            ]
        for part in ("relay", "migrate"):
            assert given[f"{service}-{part}"] == mounted[f"{service}-{part}"] == []


def test_the_edge_readme_lists_every_variable_of_the_edge() -> None:
    named = set(NAME.findall((DEPLOY / "envoy" / "README.md").read_text()))
    assert sorted(set(VARIABLES) - named) == []
    assert sorted(named - read_by_processes()) == []


def test_the_readme_lists_every_key_that_code_reads() -> None:
    # Not fields of requests, which violations name.
    key = re.compile(r'(?<!Violation\()"([a-z][a-z-]+\.(?:key|pem))"')
    read = {name for path in (ROOT / "services").rglob("*.py") for name in key.findall(path.read_text())}
    assert (
        sorted(name for name in read if f"`{name}`" not in (DEPLOY / "envoy" / "README.md").read_text()) == []
    )


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_have_kind_and_name(path: Path) -> None:
    for document in documents(path):
        assert document["apiVersion"]
        assert document["kind"]
        assert document["kind"] == "Kustomization" or document["metadata"]["name"]


def pods() -> list[tuple[str, dict[str, Any]]]:
    return [
        (document["metadata"]["name"], document["spec"]["template"]["spec"])
        for path in MANIFESTS
        for document in documents(path)
        if document["kind"] in ("Deployment", "Job")
    ]


def test_every_service_has_server_relay_consumer_and_migration() -> None:
    wanted = {
        f"{service}-{part}" for service in SERVICES for part in ("server", "relay", "consumer", "migrate")
    }
    assert {name for name, _ in pods()} == wanted | {"edge"}


@pytest.mark.parametrize(("name", "pod"), pods(), ids=lambda value: value if isinstance(value, str) else "")
def test_pods_run_a_known_command_without_rights(name: str, pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    assert container["args"][0] in MODULES
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_compose_runs_known_commands_and_the_edge_finds_every_service() -> None:
    services = documents(COMPOSE)[0]["services"]
    own = {name: service for name, service in services.items() if service.get("image") == "waymark"}
    assert all(service["command"][0] in MODULES for service in own.values())
    for name in SERVICES:
        host, _, port = own["edge"]["environment"][f"WAYMARK_{name.upper()}_ADDRESS"].partition(":")
        assert own[host]["environment"]["WAYMARK_LISTEN"].endswith(f":{port}")
    for service in services.values():
        for needed in service.get("depends_on", {}):
            assert needed in services


def test_the_image_copies_what_exists_and_does_not_run_as_root() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    copied = [
        source
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    ]
    assert copied
    assert [source for source in copied if not (ROOT / source).exists()] == []
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert [source for source in copied if f"!{source}" not in ignored] == []
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users[-1:] == ["10001"]
    given = NAME.findall("\n".join(lines))
    assert sorted(set(given) - read_by_processes()) == []


def test_no_deployment_file_holds_a_secret() -> None:
    for path in (*MANIFESTS, COMPOSE):
        for document in documents(path):
            assert document.get("kind") != "Secret"
            for line in yaml.safe_dump(document).splitlines():
                name, _, value = line.strip().partition(": ")
                if re.search(r"PASSWORD|SECRET_KEY", name) and value:
                    assert value.strip("'\"").startswith("${")
