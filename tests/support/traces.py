"""Every place of a running stack where a word could have ended up, and the search for it."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from services.cli.stack.plan import SERVICES
from tests.support.audit import read_topics
from tests.support.stand import Stand

Place = tuple[str, bytes]  # where, and what is there


def found(word: str, places: Iterable[Place]) -> list[str]:
    """Names of the places that hold `word`, in any case of its letters."""
    wanted = word.lower().encode()
    return sorted({where for where, content in places if wanted in content.lower()})


def places(stand: Stand) -> Iterator[Place]:
    """All of them; the first part of a name says what kind of place it is."""
    yield from logs(stand)
    yield from topics(stand)
    yield from metrics(stand)
    yield from object_keys(stand)
    yield from tables(stand)
    yield from files("files", stand.plan.home / "postgres" / "data")
    yield from files("index", stand.plan.home / "index")


def logs(stand: Stand) -> Iterator[Place]:
    """What the parts have written, the edge's access log among them."""
    yield from files("logs", stand.plan.home / "logs")
    yield "logs/kafka.log", stand.broker.log.read_bytes()


def topics(stand: Stand) -> Iterator[Place]:
    """Headers, key and value of every message, dead letters too."""
    for record in read_topics(stand.bootstrap):
        headers = b"\n".join(name.encode() + b": " + value for name, value in record.headers)
        yield f"topics/{record.topic}", b"\n".join((headers, record.key or b"", record.value or b""))


def metrics(stand: Stand) -> Iterator[Place]:
    """The metrics page of each process, and the edge's."""
    plan = stand.plan
    pages = {f"{service}-server": plan.port(f"{service}-server-metrics") for service in SERVICES}
    pages |= {f"{s}-{kind}": plan.port(f"{s}-{kind}") for s in SERVICES for kind in ("relay", "consumer")}
    addresses = {name: f"http://127.0.0.1:{port}/metrics" for name, port in pages.items()}
    addresses["edge"] = f"http://127.0.0.1:{plan.port('edge-admin')}/stats/prometheus"
    for name, address in addresses.items():
        with urllib.request.urlopen(address, timeout=10) as answer:
            yield f"metrics/{name}", answer.read()


def object_keys(stand: Stand) -> Iterator[Place]:
    """Names of all objects; what is in them is not searched."""
    root = stand.plan.home / "s3"
    for path in root.rglob("*"):
        yield "keys/s3", str(path.relative_to(root)).encode()


def tables(stand: Stand) -> Iterator[Place]:
    """Every row of every table; bytes also as the text that they may hold."""
    for service in SERVICES:
        with psycopg.connect(stand.database(service)) as connection:
            names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (name,) in names.fetchall():
                for row in connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name))):
                    yield f"tables/{service}.{name}", b"\n".join(map(_bytes, row))


def files(kind: str, root: Path) -> Iterator[Place]:
    """Every file below `root`, as it lies on disk; one that goes away meanwhile is left out."""
    for path in root.rglob("*"):
        try:
            if path.is_file() and not path.is_symlink():
                yield f"{kind}/{path.relative_to(root)}", path.read_bytes()
        except FileNotFoundError:
            continue


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
