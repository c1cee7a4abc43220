"""The three services in this process behind a real edge: what a caller from outside meets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.cli.stack.ports import free_port
from services.platform.identity.keys import KeySet, fetch_keys
from services.platform.identity.tokens import TokenVerifier
from services.platform.service import ADMITTING, SERVICES, load_service
from tests.support.databases import Database, Databases
from tests.support.edges import Edge, edge, issuing
from tests.support.parts import S3Address
from tests.support.servers import Served, start


@dataclass(frozen=True)
class World:
    """A running edge with the services behind it."""

    edge: Edge
    served: dict[str, Served]
    databases: dict[str, Database]


@contextmanager
def world(postgres: str, s3: S3Address, folder: Path, **options: Any) -> Iterator[World]:
    """Serves every service on a fresh database behind an edge; `options` go to write_configuration."""
    port = free_port()
    environ = {
        "WAYMARK_S3_ENDPOINT": s3.endpoint,
        "WAYMARK_S3_ACCESS_KEY": s3.access_key,
        "WAYMARK_S3_SECRET_KEY": s3.secret_key,
        "WAYMARK_S3_PUBLIC_ENDPOINT": f"http://127.0.0.1:{port}",
    }
    with ExitStack() as stack:
        databases = Databases(postgres)
        stack.callback(databases.drop)
        issuer = stack.enter_context(issuing(folder / "issuer-home"))
        address = issuer.issuer.address
        keys = KeySet(lambda: fetch_keys(address, f"{address}/jwks.json", https_only=False))
        verify = TokenVerifier(keys, address, issuer.issuer.audience).verify
        served, made = dict[str, Served](), dict[str, Database]()
        for name in SERVICES:
            made[name] = databases(name)
            home = folder / name
            home.mkdir()
            served[name] = start(load_service(name), made[name].url, home, environ=environ, verify=verify)
            stack.callback(served[name].stop)
        addresses = {name: one.address for name, one in served.items()}
        running = stack.enter_context(
            edge(
                folder / "edge",
                issuer,
                addresses,
                port=port,
                s3=s3.endpoint,
                admitting=ADMITTING,
                **options,
            )
        )
        yield World(running, served, made)
