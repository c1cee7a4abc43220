"""The parts of a stack in the order they start, each with what it needs first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from services.cli.stack import health
from services.cli.stack.plan import SERVICES, Plan
from services.cli.stack.probes import accepts, answers, drain_edge
from services.cli.stack.process import PYTHON, Command

# Floors of the house, for the order of stopping.
STORES, SUPPORT, RELAYS, CONSUMERS, SERVERS, EDGE = range(6)

EDGE_NEEDS = ("issuer", *(f"{service}-server" for service in SERVICES))


class Part(Protocol):
    """What the supervisor needs to know of a part."""

    @property
    def name(self) -> str:
        """Name for `waymark logs` and the status screen."""

    def prepare(self, log: Path) -> None:
        """Get folders and files ready; may take seconds; runs again before each restart."""

    def command(self) -> Command:
        """Return how to run it."""

    def ready(self) -> bool:
        """Tell whether it answers; must itself answer within seconds."""


@dataclass(frozen=True)
class Program:
    """A part that is one command line; `forked` as in `Command`, `ready` tells whether it answers."""

    name: str
    argv: Callable[[], Sequence[str]]
    ready: Callable[[], bool]
    environment: Callable[[], dict[str, str]] = dict
    stop_seconds: float = 15.0
    forked: bool = False

    def prepare(self, log: Path) -> None:
        """Nothing to prepare; what it reads is made where `argv` is."""

    def command(self) -> Command:
        """Return how to run it."""
        return Command(self.argv(), self.environment(), stop_seconds=self.stop_seconds, forked=self.forked)


@dataclass(frozen=True)
class Member:
    """A part of one stack.

    Attributes:
        part: what to run.
        needs: parts that must be ready (or done) before it starts.
        floor: parts of a higher floor stop first, so that nothing loses what it still works with.
        address: where it listens, for people.
        once: it does its work and ends; ending well is being ready.
        ports: names of the ports it takes.
        drain: lets calls under way end before it is asked to stop.
        health: tells, while it answers, why it cannot work; "" when it can.
    """

    part: Part
    needs: tuple[str, ...] = ()
    floor: int = STORES
    address: str = ""
    once: bool = False
    ports: tuple[str, ...] = ()
    drain: Callable[[], None] | None = None
    health: Callable[[], str] = str

    @property
    def name(self) -> str:
        """Name of the part."""
        return self.part.name


def members(plan: Plan) -> list[Member]:
    """Return the parts of the stack, those replaced by outside ones left out."""
    found: list[Member] = []
    if plan.postgres:
        address = f"127.0.0.1:{plan.port('postgres')}"
        found.append(Member(plan.postgres, address=address, ports=("postgres",)))
    if plan.kafka:
        found.append(Member(plan.kafka, address=plan.kafka.bootstrap, ports=("kafka", "kafka-controller")))
    if plan.s3:
        found.append(Member(plan.s3, address=plan.s3.endpoint, ports=("s3",)))
    if not plan.outside("WAYMARK_OIDC_ISSUER"):
        found.append(Member(issuer(plan), floor=SUPPORT, address=plan.issuer, ports=("issuer",)))
    # It waits for Kafka itself, when all else is done.
    database = ("postgres",) if plan.postgres else ()
    found.append(Member(setup(plan), database, SUPPORT, once=True))
    for service in SERVICES:
        found += workers(plan, service)
    needs = tuple(name for name in EDGE_NEEDS if name in {member.name for member in found})
    found.append(
        Member(
            edge(plan),
            needs,
            EDGE,
            plan.edge,
            ports=("edge", "edge-admin"),
            drain=partial(drain_edge, plan.port("edge-admin")),
        )
    )
    return found


def issuer(plan: Plan) -> Program:
    """Return the development token issuer."""
    port = str(plan.port("issuer"))
    module = [*PYTHON, "-m", "services.cli.stack.issuer", "--home", str(plan.home), "--port", port]
    audience = plan.environ.get("WAYMARK_OIDC_AUDIENCE")
    environment = {n: plan.environ[n] for n in ("WAYMARK_ENVIRONMENT",) if n in plan.environ}
    return Program(
        "issuer",
        lambda: [*module, *(["--audience", audience] if audience else [])],
        lambda: answers(f"{plan.issuer}/jwks.json"),
        lambda: environment,
    )


def setup(plan: Plan) -> Program:
    """Return the one-off that makes databases, roles, tables, topics and the edge's configuration.

    It is the only process of the project that has an administrator's rights on the database.
    """
    argv = ["setup", str(plan.home), str(plan.base)]
    told = {name: value for name, value in plan.environ.items() if name.startswith("WAYMARK_")}
    return Program("setup", lambda: argv, lambda: True, lambda: told, forked=True)


def workers(plan: Plan, service: str) -> list[Member]:
    """Return server, relay and consumer of a service."""
    port, metrics = plan.port(f"{service}-server"), plan.port(f"{service}-server-metrics")
    listen = f"127.0.0.1:{port}"
    # Several share a port and count into one folder, which has to be known before anything is loaded.
    alone = plan.environ.get("WAYMARK_PROCESSES", "1") == "1"
    argv = ["serve", service] if alone else [*PYTHON, "-m", "services.cli.main", "serve", service]

    def server_environment() -> dict[str, str]:
        told = {"WAYMARK_LISTEN": listen, "WAYMARK_METRICS_PORT": str(metrics)}
        told |= {"WAYMARK_OIDC_ISSUER": plan.issuer, "WAYMARK_OIDC_JWKS_URI": plan.jwks_uri()}
        return {**plan.service_environment(service), **told}

    server = Program(
        f"{service}-server",
        lambda: argv,
        partial(health.lives, port),
        server_environment,
        # Its own drain takes up to 20 s.
        stop_seconds=25.0,
        forked=alone,
    )
    ports = (f"{service}-server", f"{service}-server-metrics")
    return [
        Member(server, ("setup",), SERVERS, listen, ports=ports, health=partial(health.trouble, port, "")),
        event_process(plan, service, "relay", RELAYS, plan.relay_environment),
        event_process(plan, service, "consumer", CONSUMERS, plan.service_environment),
    ]


def event_process(
    plan: Plan, service: str, kind: str, floor: int, told: Callable[[str], dict[str, str]]
) -> Member:
    """Return the relay or the consumer of a service.

    Its metrics port shows that it lives; how far it is, the service's server knows from the database.
    """
    name = f"{service}-{kind}"
    port = plan.port(name)
    verb, *checks = {"relay": ("relay", "outbox"), "consumer": ("consume", "dead-letters", "consumer")}[kind]
    program = Program(
        name,
        lambda: ["waymark", verb, service],
        partial(accepts, port),
        lambda: {**told(service), "WAYMARK_METRICS_PORT": str(port), "WAYMARK_INSTANCE": plan.instance},
        forked=True,
    )
    asked = partial(health.trouble, plan.port(f"{service}-server"), *checks)
    return Member(program, ("setup",), floor, ports=(name,), health=asked)


def edge(plan: Plan) -> Program:
    """Return Envoy with the configuration that `setup` made from the contracts."""

    def argv() -> list[str]:
        from services.platform.edge.envoy import command

        return command(plan.home / "edge" / "envoy.json", concurrency=1)

    return Program("edge", argv, lambda: answers(f"{plan.edge}/livez"))
