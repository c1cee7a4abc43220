"""A broker outside that wants TLS and a password, reached through the settings alone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from services.cli.stack import process
from services.cli.stack.kafka import Kafka
from services.cli.stack.parts import members
from services.cli.stack.plan import Plan
from services.cli.stack.ports import free_port
from services.cli.stack.probes import accepts
from services.cli.stack.setup import prepare_topics
from services.platform.events.clients import admin
from services.platform.settings import Settings
from tests.support.certificates import certificate

PASSWORD = "opensesame"  # of a broker that lives for this test


@dataclass(frozen=True)
class SecuredKafka(Kafka):
    """A broker that takes clients by SASL_SSL only."""

    def prepare(self, log: Path) -> None:
        super().prepare(log)
        files = certificate(self.folder, "127.0.0.1")
        users = f'user_waymark="{PASSWORD}" username="waymark" password="{PASSWORD}"'
        module = "org.apache.kafka.common.security.plain.PlainLoginModule"
        settings = {
            "listener.security.protocol.map": "CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.client.plain.sasl.jaas.config": f"{module} required {users};",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(files.private),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(files.public),
        }
        with (self.folder / "server.properties").open("a") as stream:
            stream.writelines(f"{name}={value}\n" for name, value in settings.items())


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[SecuredKafka]:
    part = SecuredKafka(tmp_path / "kafka", free_port(), free_port())
    log = tmp_path / "kafka.log"
    part.prepare(log)
    command = replace(part.command(), stop_seconds=5.0)
    running = process.spawn(command, log)
    try:
        process.wait_ready(running, lambda: accepts(part.port), log, 120)
        yield part
    finally:
        process.stop(running, command)


def test_topics_are_made_on_a_broker_with_tls_and_password(broker: SecuredKafka, tmp_path: Path) -> None:
    told = {
        "WAYMARK_KAFKA_BOOTSTRAP": broker.bootstrap,
        "WAYMARK_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "WAYMARK_KAFKA_SASL_MECHANISM": "PLAIN",
        "WAYMARK_KAFKA_SASL_USERNAME": "waymark",
        "WAYMARK_KAFKA_SASL_PASSWORD": PASSWORD,
        "WAYMARK_KAFKA_CAFILE": str(broker.folder / "ca.pem"),
    }
    plan = Plan(tmp_path / "home", 8080, told)
    assert "kafka" not in {member.name for member in members(plan)}
    prepare_topics(plan, "vouchers")
    client = admin(Settings.from_environment("vouchers", plan.relay_environment("vouchers")))
    try:
        assert "waymark.vouchers.vouchers.v1" in client.list_topics()
    finally:
        client.close()
    # The same broker has no word for a client without TLS.
    assert not broker.ready()
