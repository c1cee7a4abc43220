"""Kafka clients with the settings this system needs; the library's defaults lose or repeat messages.

Whoever asks for a client closes it; `sockets.py` sees to it that nothing of it then stays open. `kafka` is
imported when a client is made: servers never load it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.platform.settings import Settings

FOREVER_MS = 2**31 - 1
# How long making a client waits for a broker; a process that is told to end waits for it too.
BOOTSTRAP_MS = 10_000


def connection_options(settings: Settings) -> dict[str, Any]:
    """Returns bootstrap servers, TLS and SASL as kafka-python names them."""
    security = settings.kafka_security
    options: dict[str, Any] = {
        "bootstrap_servers": [address.strip() for address in settings.kafka_bootstrap.split(",")],
        "security_protocol": security.protocol,
        "client_id": f"waymark-{settings.service}",
        "reconnect_backoff_max_ms": 1_000,
    }
    if security.protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": security.mechanism,
            "sasl_plain_username": security.username,
            "sasl_plain_password": security.password,
        }
    if security.cafile:
        options["ssl_cafile"] = security.cafile
    return options


def producer(settings: Settings, **options: Any) -> Any:
    """Returns an idempotent producer that waits for all replicas; `options` add to these.

    A batch never expires: were an event given up while a later one of the same key still went out, the later
    would arrive first. Who sends waits, or closes the producer.
    """
    from kafka import KafkaProducer

    from services.platform.events.sockets import open_client

    return open_client(
        KafkaProducer,
        **connection_options(settings),
        bootstrap_timeout_ms=BOOTSTRAP_MS,
        acks="all",
        enable_idempotence=True,
        allow_auto_create_topics=False,
        delivery_timeout_ms=FOREVER_MS,
        max_block_ms=5_000,
        request_timeout_ms=10_000,
        linger_ms=2,
        batch_size=262_144,
        metrics_enabled=False,
        **options,
    )


def consumer(settings: Settings, group: str | None, **options: Any) -> Any:
    """Returns a consumer that commits nothing by itself and starts at the oldest message.

    Starting at the oldest also after lost offsets is safe: the inbox knows what has had its effect.
    """
    from kafka import KafkaConsumer

    from services.platform.events.sockets import open_client

    defaults = {
        "group_id": group,
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "auto_offset_reset": "earliest",
        "allow_auto_create_topics": False,
        "fetch_max_bytes": 8 * 1024 * 1024,  # bounds memory, whatever waits
        "fetch_max_wait_ms": 2_000,  # an idle broker is asked seldom; a message ends the wait at once
        "metadata_max_age_ms": 15_000,  # how soon a topic created later is found
        "session_timeout_ms": 6_000,
        "heartbeat_interval_ms": 1_500,
        "request_timeout_ms": 15_000,
        "metrics_enabled": False,
    }
    return open_client(KafkaConsumer, **connection_options(settings), **(defaults | options))


def member(settings: Settings, **options: Any) -> Any:
    """Returns a consumer of the group `waymark-<service>`.

    With `instance` set it is a static member (KIP-345): after a kill the broker gives it its partitions at
    once, instead of waiting until the session of the one killed has run out.
    """
    group = f"waymark-{settings.service}"
    if settings.instance:
        options["group_instance_id"] = f"{group}-{settings.instance}"
    return consumer(settings, group, **options)


def admin(settings: Settings) -> Any:
    """Returns an administration client."""
    from kafka import KafkaAdminClient

    from services.platform.events.sockets import open_client

    return open_client(KafkaAdminClient, **connection_options(settings), bootstrap_timeout_ms=BOOTSTRAP_MS)
