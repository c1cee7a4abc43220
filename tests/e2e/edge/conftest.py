from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from services.platform.edge.contract import Contract
from services.platform.edge.limits import Limits
from tests.support.edges import Edge, MakeEdge, edge, issuing
from tests.support.parts import S3Address
from tests.support.probe import Probe, compile_probe, serve_probe
from tests.support.world import World, world


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Probe:
    return compile_probe(tmp_path_factory.mktemp("probe"))


@pytest.fixture(scope="module")
def probe_address(probe: Probe) -> Iterator[str]:
    server, port = serve_probe(probe)
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.fixture(scope="module")
def make_edge(
    probe: Probe,
    probe_address: str,
    s3: S3Address,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MakeEdge]:
    with ExitStack() as stack:
        issuer = stack.enter_context(issuing(tmp_path_factory.mktemp("issuer")))

        def make(**options: Any) -> Edge:
            folder = tmp_path_factory.mktemp("edge")
            given = {"contract": Contract(probe.descriptors), "s3": s3.endpoint, **options}
            return stack.enter_context(edge(folder, issuer, {"probe": probe_address}, **given))

        yield make


@pytest.fixture(scope="module")
def running(make_edge: MakeEdge) -> Edge:
    return make_edge()


@pytest.fixture(scope="session")
def whole(postgres: str, s3: S3Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All three services behind an edge without rate limits."""
    folder = tmp_path_factory.mktemp("world")
    with world(postgres, s3, folder, limits=Limits(rates=False)) as running:
        yield running
