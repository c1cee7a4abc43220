"""A broker outside that wants TLS and a password, reached through the settings alone."""

import datetime as dt
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.cli.stack import process
from services.cli.stack.kafka import Kafka
from services.cli.stack.parts import members
from services.cli.stack.plan import Plan
from services.cli.stack.ports import free_port
from services.cli.stack.probes import accepts
from services.cli.stack.setup import prepare_topics
from services.platform.events.clients import admin
from services.platform.settings import Settings

PASSWORD = "opensesame"  # of a broker that lives for this test


@dataclass(frozen=True)
class SecuredKafka(Kafka):
    """A broker that takes clients by SASL_SSL only."""

    def prepare(self, log: Path) -> None:
        super().prepare(log)
        certificate(self.folder)
        users = f'user_waymark="{PASSWORD}" username="waymark" password="{PASSWORD}"'
        module = "org.apache.kafka.common.security.plain.PlainLoginModule"
        settings = {
            "listener.security.protocol.map": "CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.client.plain.sasl.jaas.config": f"{module} required {users};",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.folder / "server.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.folder / "ca.pem"),
        }
        with (self.folder / "server.properties").open("a") as stream:
            stream.writelines(f"{name}={value}\n" for name, value in settings.items())


def certificate(folder: Path) -> None:
    """Write a self-signed certificate for 127.0.0.1 to `ca.pem`, and with its key to `server.pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker of a test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    (folder / "ca.pem").write_bytes(public)
    (folder / "server.pem").write_bytes(private + public)


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
