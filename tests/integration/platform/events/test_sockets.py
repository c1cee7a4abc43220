"""Kafka clients leave nothing open: neither closed in the middle of a request, nor without a broker."""

from __future__ import annotations

import gc
import logging
import secrets
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaTimeoutError
from kafka.protocol.metadata import MetadataRequest

from services.cli.stack.ports import free_port
from services.platform.events import clients
from services.platform.events.sockets import open_client
from tests.support.events import test_settings

TRIES = 60  # a bare client leaves a socket open about every twentieth time


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """A record that is kept keeps the error that it tells of, and that the socket."""
    caplog.set_level(logging.CRITICAL, logger="kafka")


def left_open(act: Callable[[], object]) -> list[str]:
    """Acts, and returns the sockets that the garbage collector then finds open."""
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        act()
        gc.collect()
    return [str(one.message) for one in caught if "unclosed <socket" in str(one.message)]


def closed_amid_requests(make: Callable[[], Any]) -> None:
    """Closes clients whose requests are written, but hardly sent."""
    for requests in range(TRIES):
        client = make()
        for _ in range(requests % 4):
            client._manager.call_soon(
                lambda manager=client._manager: manager.send(MetadataRequest(topics=[]))
            )
        client.close()


@pytest.mark.parametrize(
    "make", [clients.admin, lambda settings: clients.consumer(settings, None)], ids=["admin", "consumer"]
)
def test_a_client_that_is_closed_amid_requests_leaves_nothing(kafka: str, make: Any) -> None:
    settings = test_settings("sockets", kafka_bootstrap=kafka)
    assert left_open(lambda: closed_amid_requests(lambda: make(settings))) == []


def test_control_a_bare_client_leaves_connected_sockets(kafka: str) -> None:
    def bare() -> None:
        closed_amid_requests(lambda: KafkaAdminClient(bootstrap_servers=[kafka]))

    assert any("raddr" in one for _ in range(20) for one in left_open(bare))


def without_broker(make: Callable[..., Any], name: str = "nobody") -> None:
    with pytest.raises(KafkaTimeoutError, match="bootstrap"):
        make(bootstrap_servers=[f"127.0.0.1:{free_port()}"], bootstrap_timeout_ms=500, client_id=name)


@pytest.mark.parametrize("kind", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_a_client_that_finds_no_broker_leaves_nothing(kind: Any) -> None:
    name = secrets.token_hex(4)
    assert left_open(lambda: without_broker(lambda **options: open_client(kind, **options), name)) == []
    assert [one.name for one in threading.enumerate() if name in one.name] == []


def test_control_a_bare_client_leaves_refused_and_own_sockets() -> None:
    left = left_open(lambda: without_broker(KafkaProducer))
    assert any("laddr=('0.0.0.0'" in one for one in left)
    assert any("family=1" in one for one in left)
