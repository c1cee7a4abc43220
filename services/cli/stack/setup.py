"""Makes what the parts of a stack expect; a program of the fork server's: `setup HOME PORT_BASE`.

Runs at each start and changes nothing that is as it should be. One process for all services, since most of
its time goes into loading libraries.
"""

import os
import sys
import time
from pathlib import Path

from services.cli.exits import Failure
from services.cli.stack.kafka import Kafka
from services.cli.stack.outside import try_object_store, used
from services.cli.stack.plan import SERVICES, Plan
from services.platform.service import ADMITTING

KAFKA_SECONDS = 60.0


def main() -> None:
    """Make databases, roles, tables, topics and the edge's configuration of one stack.

    Raises:
        SystemExit: a part cannot be used; its text, the last line of the log, is what people are shown.
    """
    try:
        prepare(Plan(Path(sys.argv[1]), int(sys.argv[2]), os.environ))
    except Failure as failure:
        sys.exit(f"{failure.text} {failure.remedy}")


def prepare(plan: Plan) -> None:
    """Make what is missing of one stack."""
    if plan.postgres:
        close_common_databases(plan)
    with used("" if plan.postgres else "WAYMARK_DATABASE_URL", "PostgreSQL"):
        for service in SERVICES:
            prepare_database(plan, service)
    if not plan.s3:
        with used("WAYMARK_S3_ENDPOINT", "S3"):
            try_object_store(plan)
    configure_edge(plan)
    # Last, since the broker takes longest to start: the work above is done while it does.
    if plan.kafka:
        wait_for(plan.kafka)
    with used("" if plan.kafka else "WAYMARK_KAFKA_BOOTSTRAP", "Kafka"):
        for service in SERVICES:
            prepare_topics(plan, service)


def close_common_databases(plan: Plan) -> None:
    """Leave the embedded server's own databases to its administrator; PostgreSQL opens them to every role."""
    import psycopg

    with psycopg.connect(plan.admin_database_url(), autocommit=True) as connection:
        connection.execute("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")


def prepare_database(plan: Plan, service: str) -> None:
    """Make role, database and tables of one service."""
    from services.platform.db.migrations import migrate
    from services.platform.db.roles import create_service_database

    create_service_database(plan.admin_database_url(), service, plan.database_password(service))
    if service == "catalogue" and plan.outside("WAYMARK_EMBEDDINGS_URL"):
        add_vectors(plan.admin_database_url(), service)
    migrate(service, plan.database_url(service))


def add_vectors(admin_url: str, service: str) -> None:
    """Add pgvector to the database of a service.

    Raises:
        SystemExit: the server does not have it.
    """
    from sqlalchemy.exc import DBAPIError

    from services.platform.db.roles import add_extension

    try:
        add_extension(admin_url, service, "vector")
    except DBAPIError as error:
        sys.exit(
            f"WAYMARK_EMBEDDINGS_URL needs pgvector in PostgreSQL; install it or unset that: {error.orig}"
        )


def prepare_topics(plan: Plan, service: str) -> None:
    """Make the topics that a service publishes and consumes."""
    from services.platform.events.topics import ensure_topics, topics_of
    from services.platform.settings import Settings

    ensure_topics(Settings.from_environment(service, plan.relay_environment(service)), topics_of(service))


def wait_for(kafka: Kafka) -> None:
    """Wait until the broker answers.

    Raises:
        SystemExit: it did not within `KAFKA_SECONDS`.
    """
    deadline = time.monotonic() + KAFKA_SECONDS
    while not kafka.ready():
        if time.monotonic() > deadline:
            sys.exit(f"Kafka at {kafka.bootstrap} does not answer")
        time.sleep(0.05)


def configure_edge(plan: Plan) -> None:
    """Write what Envoy reads."""
    from services.platform.edge.envoy import LOCAL_ORIGINS, write_configuration
    from services.platform.edge.limits import Limits

    write_configuration(
        plan.home / "edge",
        port=plan.port("edge"),
        admin_port=plan.port("edge-admin"),
        services={service: f"127.0.0.1:{plan.port(f'{service}-server')}" for service in SERVICES},
        issuer=plan.issuer,
        jwks_uri=plan.jwks_uri(),
        s3_address=plan.s3_endpoint,
        audience=plan.outside("WAYMARK_OIDC_AUDIENCE") or "waymark",
        origins=plan.outside("WAYMARK_EDGE_ORIGINS").split() or LOCAL_ORIGINS,
        limits=Limits(keyed=tuple(plan.outside("WAYMARK_EDGE_KEYED").split())),
        admitting=ADMITTING,
    )
