"""Which parts a stack runs, on which ports, and what each of them is told."""

import json
import os
import platform
import re
import secrets
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from services.cli.exits import ExitCode, Failure
from services.cli.stack.kafka import Kafka
from services.cli.stack.postgres import Postgres
from services.cli.stack.s3 import REGION, S3
from services.cli.stack.secret_files import kept

SERVICES = ("catalogue", "vouchers", "portfolio")
OFFSETS = {
    "edge": 0,
    "issuer": 1,
    "edge-admin": 2,
    "postgres": 3,
    "kafka": 4,
    "kafka-controller": 5,
    "s3": 6,
    **{f"{service}-server": 10 + index for index, service in enumerate(SERVICES)},
    **{f"{service}-server-metrics": 20 + index for index, service in enumerate(SERVICES)},
    **{f"{service}-relay": 30 + index for index, service in enumerate(SERVICES)},
    **{f"{service}-consumer": 40 + index for index, service in enumerate(SERVICES)},
}
WIDTH = 50
DEFAULT_BASE = 8080
KAFKA_SECURITY = (
    "WAYMARK_KAFKA_SECURITY_PROTOCOL",
    "WAYMARK_KAFKA_SASL_MECHANISM",
    "WAYMARK_KAFKA_SASL_USERNAME",
    "WAYMARK_KAFKA_SASL_PASSWORD",
    "WAYMARK_KAFKA_CAFILE",
)
# Handed on to every process of a service when the user has set them.
PASSED_ON = (
    "WAYMARK_DAILY_PEOPLE",
    "WAYMARK_ENVIRONMENT",
    "WAYMARK_FEED_COPIES",
    "WAYMARK_FEED_DAYS",
    "WAYMARK_FEED_PLACES",
    "WAYMARK_INSIDE_HOSTS",
    "WAYMARK_OIDC_ALGORITHMS",
    "WAYMARK_OIDC_AUDIENCE",
    "WAYMARK_PROCESSES",
    "WAYMARK_THREADS",
    "WAYMARK_TIME_ZONE",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
)
# Handed on to the servers and consumers of a service, which alone need them.
FOR_SERVICES = {
    "catalogue": ("WAYMARK_EMBEDDINGS_URL", "WAYMARK_EMBEDDINGS_MODEL"),
    "portfolio": ("WAYMARK_CLAMAV", "WAYMARK_KEY_SERVICE", "WAYMARK_FORMER_KEY_SERVICES"),
    "vouchers": ("WAYMARK_CLAMAV",),
}

LONGEST_PAUSE = 30.0
PAUSE_VARIABLE = "WAYMARK_LONGEST_PAUSE_SECONDS"


@dataclass(frozen=True)
class Plan:
    """One stack in one home folder.

    Attributes:
        home: everything the stack keeps.
        base: first of `WIDTH` ports.
        environ: what the user set; an address in it replaces the embedded part.
    """

    home: Path
    base: int
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def port(self, name: str) -> int:
        """Return the port of a part or of one of its side doors."""
        return self.base + OFFSETS[name]

    def outside(self, variable: str) -> str:
        """Return the address of an outside part, "" when the embedded one is to run."""
        return self.environ.get(variable, "").strip()

    @property
    def instance(self) -> str:
        """Return what tells relays and consumers of this stack from those of others, over restarts too."""
        return f"{re.sub('[^A-Za-z0-9.-]', '-', platform.node())}-{self.base}"

    @property
    def longest_pause(self) -> float:
        """Seconds at most before a part that died again and again is started once more.

        Raises:
            Failure: what is set is no number of seconds.
        """
        told = self.environ.get(PAUSE_VARIABLE, str(LONGEST_PAUSE))
        try:
            return float(told)
        except ValueError:
            what = f"{PAUSE_VARIABLE} is {told!r}, which is no number of seconds."
            raise Failure(ExitCode.USAGE, what, remedy="Set it to one, such as 30, or unset it.") from None

    @property
    def edge(self) -> str:
        """Public address of the stack."""
        return f"http://127.0.0.1:{self.port('edge')}"

    @property
    def postgres(self) -> Postgres | None:
        """The embedded server, None when WAYMARK_DATABASE_URL names an outside one."""
        if self.outside("WAYMARK_DATABASE_URL"):
            return None
        return Postgres(self.home / "postgres", self.port("postgres"))

    @property
    def kafka(self) -> Kafka | None:
        """The embedded broker, None when WAYMARK_KAFKA_BOOTSTRAP names an outside one."""
        if self.outside("WAYMARK_KAFKA_BOOTSTRAP"):
            return None
        return Kafka(self.home / "kafka", self.port("kafka"), self.port("kafka-controller"))

    @property
    def s3(self) -> S3 | None:
        """The embedded object store, None when WAYMARK_S3_ENDPOINT names an outside one."""
        return None if self.outside("WAYMARK_S3_ENDPOINT") else S3(self.home / "s3", self.port("s3"))

    @property
    def bootstrap(self) -> str:
        """Kafka's address, embedded or not."""
        return self.outside("WAYMARK_KAFKA_BOOTSTRAP") or f"127.0.0.1:{self.port('kafka')}"

    @property
    def s3_endpoint(self) -> str:
        """The object store's address, embedded or not."""
        return self.outside("WAYMARK_S3_ENDPOINT") or f"http://127.0.0.1:{self.port('s3')}"

    @property
    def issuer(self) -> str:
        """The token issuer's address, embedded or not."""
        return self.outside("WAYMARK_OIDC_ISSUER") or f"http://127.0.0.1:{self.port('issuer')}"

    def jwks_uri(self) -> str:
        """Return where the issuer's keys are: as set, of the embedded issuer, or by discovery.

        Raises:
            Failure: discovery at the outside issuer failed.
        """
        given = self.outside("WAYMARK_OIDC_JWKS_URI")
        if given or not self.outside("WAYMARK_OIDC_ISSUER"):
            return given or f"{self.issuer}/jwks.json"
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310  (the operator's own setting)
                return str(json.load(answer)["jwks_uri"])
        except (OSError, ValueError, KeyError) as error:
            remedy = "Check WAYMARK_OIDC_ISSUER, or set WAYMARK_OIDC_JWKS_URI."
            raise Failure(ExitCode.UNREACHABLE, f"{address}: {error}", remedy=remedy) from error

    def admin_database_url(self) -> str:
        """Return a URL with the right to create databases and roles; of the embedded server by its socket."""
        server = self.postgres
        return server.socket_url() if server else self.outside("WAYMARK_DATABASE_URL")

    def database_password(self, service: str) -> str:
        """Return the password of a service's login role, made on first use."""
        return kept(self.secrets_dir(service) / "database.password", lambda: secrets.token_urlsafe(24))

    def secrets_dir(self, service: str) -> Path:
        """Return the folder with the keys of one service, which only its processes are told about."""
        folder = self.home / "secrets" / service
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def kafka_environment(self) -> dict[str, str]:
        """Return how to reach Kafka."""
        security = {name: self.environ[name] for name in KAFKA_SECURITY if name in self.environ}
        return {"WAYMARK_KAFKA_BOOTSTRAP": self.bootstrap, **security}

    def s3_environment(self) -> dict[str, str]:
        """Return how to reach the object store; presigned addresses lead through the edge."""
        server = self.s3
        if server:
            access, secret = server.keys
        else:
            access = self.environ.get("WAYMARK_S3_ACCESS_KEY", "")
            secret = self.environ.get("WAYMARK_S3_SECRET_KEY", "")
        return {
            "WAYMARK_S3_ENDPOINT": self.s3_endpoint,
            "WAYMARK_S3_PUBLIC_ENDPOINT": self.environ.get("WAYMARK_S3_PUBLIC_ENDPOINT", self.edge),
            "WAYMARK_S3_ACCESS_KEY": access,
            "WAYMARK_S3_SECRET_KEY": secret,
            "WAYMARK_S3_REGION": self.environ.get("WAYMARK_S3_REGION", REGION),
        }

    def relay_environment(self, service: str) -> dict[str, str]:
        """Return what a relay is told: its service's database and Kafka, no key and no object store."""
        passed = {name: self.environ[name] for name in PASSED_ON if name in self.environ}
        url = {f"WAYMARK_{service.upper()}_DATABASE_URL": self.database_url(service)}
        return {**passed, **url, **self.kafka_environment()}

    def service_environment(self, service: str) -> dict[str, str]:
        """Return what server and consumer of a service are told: no other service's database or keys."""
        own = {name: self.environ[name] for name in FOR_SERVICES.get(service, ()) if name in self.environ}
        return {
            **self.relay_environment(service),
            **own,
            "WAYMARK_SECRETS_DIR": str(self.secrets_dir(service)),
            "WAYMARK_INDEX_DIR": str(self.home / "index" / service),
            **self.s3_environment(),
        }

    def database_url(self, service: str) -> str:
        """Return the URL of a service's own database for its own login role."""
        role = f"waymark_{service}"
        url = urlsplit(self.admin_database_url())
        host = url.netloc.rpartition("@")[2]
        credentials = f"{role}:{quote(self.database_password(service), safe='')}"
        return urlunsplit((url.scheme, f"{credentials}@{host}", f"/{role}", url.query, ""))
