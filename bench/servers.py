"""What benchmarks run, each its own: a durable PostgreSQL, the keys that tokens are signed with, servers."""

from __future__ import annotations

import http.server
import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil

from bench import echo
from services.cli.stack.ports import free_port
from services.cli.stack.postgres import Postgres
from services.cli.stack.s3 import S3
from services.platform.db.migrations import migrate
from services.platform.db.roles import create_service_database
from tests.support.own_part import started
from tests.support.servers import AUDIENCE, ISSUER, PUBLIC_KEY


@contextmanager
def durable_postgres(service: str, folder: Path) -> Iterator[str]:
    """Runs a PostgreSQL with fsync on; yields the address of the migrated database of a service (unix
    socket)."""
    server = Postgres(folder / "postgres", free_port())
    with started(server, folder / "postgres.log"):
        create_service_database(server.url(), service, "bench")
        url = server.socket_url(f"waymark_{service}", f"waymark_{service}", "bench")
        migrate(service, url)
        yield url


@contextmanager
def objects(folder: Path) -> Iterator[dict[str, str]]:
    """Runs an S3 server; yields the settings that lead to it."""
    server = S3(folder / "s3", free_port())
    with started(server, folder / "s3.log"):
        access, secret = server.keys
        yield {
            "WAYMARK_S3_ENDPOINT": server.endpoint,
            "WAYMARK_S3_ACCESS_KEY": access,
            "WAYMARK_S3_SECRET_KEY": secret,
        }


@contextmanager
def keys() -> Iterator[str]:
    """Serves the test issuer's public keys; yields the address of the key set."""
    body = json.dumps({"keys": [PUBLIC_KEY.as_dict(private=False)]}).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks.json"
    finally:
        server.shutdown()


def settings(service: str, url: str, jwks: str, folder: Path, listen: str) -> dict[str, str]:
    """Returns the environment of a server process of a service, or of an echo beside it."""
    return {
        f"WAYMARK_{service.upper()}_DATABASE_URL": url,
        "WAYMARK_ECHO_DATABASE_URL": url,
        "WAYMARK_OIDC_ISSUER": ISSUER,
        "WAYMARK_OIDC_AUDIENCE": AUDIENCE,
        "WAYMARK_OIDC_JWKS_URI": jwks,
        "WAYMARK_LISTEN": listen,
        "WAYMARK_PROCESSES": "2",
        "WAYMARK_THREADS": "8",
        "WAYMARK_SECRETS_DIR": str(folder / "secrets"),
        "WAYMARK_INDEX_DIR": str(folder / "index"),
    }


def memory_of(server: int) -> float:
    """Returns MiB of the largest process of a server. `server`: its process id."""
    family = psutil.Process(server).children(recursive=True)
    return float(max(each.memory_info().rss for each in family)) / 2**20


def serving(service: str, environ: Mapping[str, str]) -> AbstractContextManager[tuple[str, int]]:
    """Runs the server of a service as processes of its own: see `echo.running`."""
    program = (
        "from services.platform.rpc import supervisor; from services.platform.settings import Settings; "
        f"raise SystemExit(supervisor.run_server(Settings.from_environment({service!r})))"
    )
    return echo.running([sys.executable, "-c", program], environ)
