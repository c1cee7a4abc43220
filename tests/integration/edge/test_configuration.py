"""What write_configuration leaves on disk, and what Envoy says of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.cli.stack.ports import free_port
from services.platform.edge import envoy
from services.platform.edge.contract import Contract
from services.platform.service import SERVICES
from tests.support.certificates import certificate

ADDRESSES = {service: f"127.0.0.1:{7000 + number}" for number, service in enumerate(SERVICES)}


def write(folder: Path, **changed: Any) -> Path:
    arguments: dict[str, Any] = {
        "port": 8080,
        "admin_port": 9901,
        "services": ADDRESSES,
        "issuer": "https://login.example",
        "jwks_uri": "https://login.example/keys",
        "s3_address": "https://s3.example",
    }
    return envoy.write_configuration(folder, **{**arguments, **changed})


def validated(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*envoy.command(path), "--mode", "validate"], capture_output=True, text=True, timeout=120, check=False
    )


def test_envoy_takes_it_with_https_everywhere(tmp_path: Path) -> None:
    done = validated(write(tmp_path / "edge", tls=envoy.Tls(*certificate(tmp_path, "localhost"))))
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr.lower()


def test_control_envoy_refuses_a_route_to_nonsense(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text().replace('"cluster": "issuer"', '"cluster_": "issuer"'))
    assert validated(path).returncode != 0


def test_it_is_the_same_each_time_and_names_only_its_own_folder(tmp_path: Path) -> None:
    first = write(tmp_path / "a").read_text()
    assert first == write(tmp_path / "a").read_text()
    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        "envoy.json",
        "descriptors.binpb",
        "openapi.json",
    }


def test_the_admin_interface_is_not_public(tmp_path: Path) -> None:
    admin = json.loads(write(tmp_path, listen="0.0.0.0").read_text())["admin"]
    assert admin["address"]["socket_address"]["address"] == "127.0.0.1"


@pytest.mark.parametrize(
    "changed",
    [
        {"services": {"vouchers": "127.0.0.1:1"}},
        {"s3_address": "ftp://s3.example"},
        {"jwks_uri": "/keys"},
        {"origins": (".*",)},
    ],
    ids=["a service without address", "no S3 address", "no address of keys", "any origin"],
)
def test_what_cannot_work_is_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"address|site"):
        write(tmp_path, **changed)


def test_the_contract_holds_what_error_bodies_need() -> None:
    assert "google.rpc.ErrorInfo" in Contract().messages
    assert "google.rpc.BadRequest" in Contract().messages
    assert "google.rpc.RetryInfo" in Contract().messages


def environment(folder: Path, port: int, admin: int) -> dict[str, str]:
    return {
        **os.environ,
        "WAYMARK_ENVIRONMENT": "development",
        "WAYMARK_EDGE_FOLDER": str(folder / "edge"),
        "WAYMARK_EDGE_LISTEN": f"127.0.0.1:{port}",
        "WAYMARK_EDGE_ADMIN_PORT": str(admin),
        "WAYMARK_OIDC_ISSUER": "http://127.0.0.1:9",
        "WAYMARK_OIDC_JWKS_URI": "http://127.0.0.1:9/jwks.json",
        "WAYMARK_S3_ENDPOINT": "http://127.0.0.1:9",
        **{f"WAYMARK_{name.upper()}_ADDRESS": "127.0.0.1:9" for name in SERVICES},
    }


class TestCommand:
    """`waymark edge`, as a container runs it."""

    COMMAND = (sys.executable, "-m", "services.cli.main", "edge")

    def test_becomes_envoy_and_leaves_on_sigterm(self, tmp_path: Path) -> None:
        port = free_port()
        told = environment(tmp_path, port, free_port())
        with subprocess.Popen(
            self.COMMAND, env=told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                assert self.lives(f"http://127.0.0.1:{port}/livez", process)
                assert "envoy" in Path(f"/proc/{process.pid}/cmdline").read_text()
            finally:
                process.terminate()
            assert process.wait(60) == 0

    @staticmethod
    def lives(address: str, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            try:
                return httpx.get(address, trust_env=False, verify=False).status_code == 200
            except httpx.TransportError:
                time.sleep(0.1)
        return False

    def test_only_writes_when_told(self, tmp_path: Path) -> None:
        told = environment(tmp_path, 8080, 9901)
        command = [*self.COMMAND, "--only-write"]
        done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=120, check=False)
        assert validated(Path(done.stdout.strip())).returncode == 0, done.stderr

    def test_says_which_variable_is_missing(self, tmp_path: Path) -> None:
        told = {**environment(tmp_path, 8080, 9901), "WAYMARK_VOUCHERS_ADDRESS": ""}
        done = subprocess.run(
            self.COMMAND, env=told, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 2
        assert "WAYMARK_VOUCHERS_ADDRESS" in done.stderr
