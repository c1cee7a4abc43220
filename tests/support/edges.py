"""A real Envoy in front of whatever a test serves, with a real development issuer beside it."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from services.cli.stack.development_grant import DEVELOPMENT_GRANT
from services.cli.stack.issuer import IssuerServer
from services.cli.stack.ports import free_port
from services.platform.edge.envoy import command, write_configuration
from tests.support.waiting import eventually

START_SECONDS = 60.0


@dataclass(frozen=True)
class Edge:
    """A running edge: its public address and the issuer whose tokens it takes."""

    address: str
    issuer: IssuerServer
    log: Path

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def token(self, role: str = "learner", subject: str = "", org: str = "", lifetime: int = 3600) -> str:
        """A token of the edge's issuer."""
        form = {"grant_type": DEVELOPMENT_GRANT, "role": role, "subject": subject, "org": org}
        return str(self.issuer.issuer.grant({**form, "lifetime": str(lifetime)})["access_token"])

    def bearer(self, role: str = "learner", **names: Any) -> dict[str, str]:
        """The header that carries a token."""
        return {"authorization": f"Bearer {self.token(role, **names)}"}

    def client(self) -> httpx.Client:
        """A caller of it; without certificates, which plain HTTP needs not and which take long to load."""
        return httpx.Client(base_url=self.url, trust_env=False, timeout=30, verify=False)

    def access_log(self) -> list[dict[str, Any]]:
        """The access log so far, one entry a request."""
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def wait_for_log(self, fits: Callable[[dict[str, Any]], bool], seconds: float = 60) -> dict[str, Any]:
        """The first entry that fits; Envoy writes its log every few seconds."""
        found = eventually(lambda: next(filter(fits, self.access_log()), None), seconds, "no such entry")
        assert found is not None
        return found


class MakeEdge(Protocol):
    """Starts an edge with other options of write_configuration."""

    def __call__(self, **options: Any) -> Edge: ...


@contextmanager
def issuing(home: Path) -> Iterator[IssuerServer]:
    """Runs a development issuer on a free port."""
    with IssuerServer(home, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def edge(
    folder: Path,
    issuer: IssuerServer,
    services: Mapping[str, str],
    *,
    port: int = 0,
    s3: str = "127.0.0.1:9",
    **options: Any,
) -> Iterator[Edge]:
    """Runs Envoy with the project's own configuration; `options` go to write_configuration."""
    port = port or free_port()
    admin = free_port()
    configuration = write_configuration(
        folder,
        port=port,
        admin_port=admin,
        services=services,
        issuer=issuer.issuer.address,
        jwks_uri=f"{issuer.issuer.address}/jwks.json",
        s3_address=s3,
        **options,
    )
    log = folder / "edge.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command(configuration), stdout=output, stderr=output) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}/livez", f"http://127.0.0.1:{admin}", process, log)
            yield Edge(f"127.0.0.1:{port}", issuer, log)
        finally:
            process.terminate()


def _wait(live: str, admin: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns once the edge answers and holds the issuer's keys."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            alive = httpx.get(live, trust_env=False, verify=False).status_code == 200
            stats = httpx.get(
                f"{admin}/stats?filter=jwt_authn.jwks_fetch_success", trust_env=False, verify=False
            ).text
            if alive and not stats.strip().endswith(": 0"):
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"the edge did not start:\n{log.read_text()[-4000:]}")
