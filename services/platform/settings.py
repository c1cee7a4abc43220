"""Everything a process is told from outside: environment variables → one frozen dataclass, and key files."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from services.platform.days import UNLESS_TOLD
from services.platform.outgoing.addresses import Reach, url_problem

DEVELOPMENT_MARK = b"waymark-development-key:"
THIS_MACHINE = "localhost,127.0.0.1,::1"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


class SettingsError(Exception):
    """A setting is missing, malformed, or not fit for production. The text says which and how to mend it."""


@dataclass(frozen=True)
class KafkaSecurity:
    """How to reach the broker: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, and what these need."""

    protocol: str = "PLAINTEXT"
    mechanism: str = "PLAIN"
    username: str = ""
    password: str = ""
    cafile: str = ""

    def __repr__(self) -> str:
        return f"KafkaSecurity(protocol={self.protocol!r}, mechanism={self.mechanism!r})"


@dataclass(frozen=True, repr=False)
class Settings:
    """What one process of one service runs with. `repr` shows no secret."""

    environment: str
    service: str
    database_url: str
    kafka_bootstrap: str
    kafka_security: KafkaSecurity
    s3_endpoint: str
    s3_access_key: str
    s3_secret_key: str
    s3_region: str
    s3_public_endpoint: str
    issuer: str
    audience: str
    jwks_uri: str
    listen: str
    metrics_port: int
    processes: int
    threads: int
    secrets_dir: Path
    index_dir: Path
    otlp_endpoint: str
    inside_hosts: frozenset[str] = frozenset()
    time_zone: ZoneInfo = UNLESS_TOLD  # in which days are counted, see `days`
    daily_people: int = 200  # whose data one who is not of them may look at in a day
    feed_copies: int = 10  # good files of a source that stay, for roll-backs
    feed_places: int = 3  # feeds that one consumer takes in at a time
    feed_days: int = 30  # that files of other runs, and what runs found, stay
    clamav: str = ""
    embeddings_url: str = ""
    embeddings_model: str = "multilingual-e5-small"
    key_service: str = ""
    former_key_services: tuple[str, ...] = ()
    # Its own among replicas, kept over restarts: who comes after a kill goes on at once with what was held.
    instance: str = ""
    algorithms: tuple[str, ...] = ("EdDSA", "Ed25519", "RS256", "ES256")

    def __repr__(self) -> str:
        return f"Settings(service={self.service!r}, environment={self.environment!r}, listen={self.listen!r})"

    @property
    def production(self) -> bool:
        """True when development keys and plain-http issuers must be refused."""
        return self.environment == "production"

    @property
    def reach(self) -> Reach:
        """Where calls to addresses that others name may lead; development also takes http and hosts
        inside."""
        return Reach(("https",) if self.production else ("https", "http"), self.inside_hosts)

    @classmethod
    def from_environment(cls, service: str, environ: Mapping[str, str] = os.environ) -> Settings:
        """Reads the settings of `service`; raises SettingsError naming the variable that is wrong."""
        reader = _Reader(environ)
        s3 = reader.address("WAYMARK_S3_ENDPOINT").rstrip("/")
        environment = reader.choice("WAYMARK_ENVIRONMENT", "development", ("development", "production"))
        inside = "" if environment == "production" else THIS_MACHINE
        settings = cls(
            environment=environment,
            service=service,
            database_url=reader.database(f"WAYMARK_{service.upper()}_DATABASE_URL"),
            kafka_bootstrap=reader.endpoints("WAYMARK_KAFKA_BOOTSTRAP"),
            kafka_security=_kafka_security(reader),
            s3_endpoint=s3,
            s3_access_key=reader.text("WAYMARK_S3_ACCESS_KEY"),
            s3_secret_key=reader.text("WAYMARK_S3_SECRET_KEY"),
            s3_region=reader.text("WAYMARK_S3_REGION", "us-east-1"),
            s3_public_endpoint=reader.address("WAYMARK_S3_PUBLIC_ENDPOINT").rstrip("/") or s3,
            issuer=reader.address("WAYMARK_OIDC_ISSUER"),
            audience=reader.text("WAYMARK_OIDC_AUDIENCE", "waymark"),
            jwks_uri=reader.address("WAYMARK_OIDC_JWKS_URI"),
            listen=reader.text("WAYMARK_LISTEN", "127.0.0.1:0"),
            metrics_port=reader.number("WAYMARK_METRICS_PORT", 0, 0, 65535),
            processes=reader.number("WAYMARK_PROCESSES", 1, 1, 256),
            threads=reader.number("WAYMARK_THREADS", 8, 1, 256),
            secrets_dir=Path(reader.text("WAYMARK_SECRETS_DIR", ".waymark/secrets")),
            index_dir=Path(reader.text("WAYMARK_INDEX_DIR", ".waymark/index")),
            otlp_endpoint=reader.text("OTEL_EXPORTER_OTLP_ENDPOINT"),
            inside_hosts=reader.hosts("WAYMARK_INSIDE_HOSTS", inside),
            time_zone=time_zone(environ),
            daily_people=reader.number("WAYMARK_DAILY_PEOPLE", cls.daily_people, 1, 1_000_000),
            feed_copies=reader.number("WAYMARK_FEED_COPIES", cls.feed_copies, 2, 10_000),
            feed_places=reader.number("WAYMARK_FEED_PLACES", cls.feed_places, 1, 64),
            feed_days=reader.number("WAYMARK_FEED_DAYS", cls.feed_days, 1, 36_500),
            clamav=reader.endpoint("WAYMARK_CLAMAV"),
            embeddings_url=reader.address("WAYMARK_EMBEDDINGS_URL").rstrip("/"),
            embeddings_model=reader.text("WAYMARK_EMBEDDINGS_MODEL", cls.embeddings_model),
            key_service=reader.text("WAYMARK_KEY_SERVICE"),
            former_key_services=reader.texts("WAYMARK_FORMER_KEY_SERVICES"),
            instance=reader.label("WAYMARK_INSTANCE"),
            algorithms=reader.names("WAYMARK_OIDC_ALGORITHMS", cls.algorithms),
        )
        settings.refuse_unsafe_production()
        return settings

    def refuse_half_named(self) -> None:
        """Raises SettingsError for a store or a broker that is named without what it is reached with; not for
        the edge, which is told no more."""
        if self.s3_endpoint and not (self.s3_access_key and self.s3_secret_key):
            raise SettingsError(
                "WAYMARK_S3_ACCESS_KEY and WAYMARK_S3_SECRET_KEY must be set beside WAYMARK_S3_ENDPOINT."
            )
        security = self.kafka_security
        if security.protocol.startswith("SASL") and not (security.username and security.password):
            raise SettingsError(
                f"WAYMARK_KAFKA_SASL_USERNAME and WAYMARK_KAFKA_SASL_PASSWORD must be set: the protocol is"
                f" {security.protocol}."
            )
        if security.cafile and not Path(security.cafile).is_file():
            raise SettingsError(f"WAYMARK_KAFKA_CAFILE is {security.cafile!r}, where there is no file.")

    def refuse_unsafe_production(self) -> None:
        """Raises SettingsError when production is told to trust an issuer over plain http or to call hosts
        inside."""
        if not self.production:
            return
        if self.inside_hosts:
            raise SettingsError("WAYMARK_INSIDE_HOSTS is for development and must be empty in production.")
        for url in filter(None, (self.key_service, *self.former_key_services)):
            if urlsplit(url).scheme != "https":
                raise SettingsError("WAYMARK_KEY_SERVICE must be an https address in production.")
        embeddings = urlsplit(self.embeddings_url)
        if embeddings.scheme == "http" and embeddings.hostname not in THIS_MACHINE.split(","):
            raise SettingsError(
                "WAYMARK_EMBEDDINGS_URL must be https, or on this machine, in production: what people search"
                " for goes there."
            )
        for name, url in (("WAYMARK_OIDC_ISSUER", self.issuer), ("WAYMARK_OIDC_JWKS_URI", self.jwks_uri)):
            if (url or name == "WAYMARK_OIDC_ISSUER") and urlsplit(url).scheme != "https":
                raise SettingsError(f"{name} must be an https address in production.")

    def secret(self, name: str, *, size: int | None = None) -> bytes:
        """Returns the key in `secrets_dir/name`; `size` is the bytes a symmetric key must have.

        In development a missing symmetric key is made (mode 0600, marked as a development key). Production
        refuses missing and development-marked keys with SettingsError. A missing key without `size` is b"" in
        development (`store_secret` keeps what the caller then makes).
        """
        path = self.secrets_dir / name
        if not path.exists():
            if self.production:
                raise SettingsError(
                    f"The key {name} is missing in WAYMARK_SECRETS_DIR; production makes none."
                )
            return self.store_secret(name, secrets.token_bytes(size)) if size else b""
        content = path.read_bytes()
        if content.startswith(DEVELOPMENT_MARK):
            if self.production:
                raise SettingsError(f"The key {name} is a development key; production needs one of its own.")
            content = content.removeprefix(DEVELOPMENT_MARK)
        if size is not None and len(content) != size:
            raise SettingsError(f"The key {name} has {len(content)} bytes and must have {size}.")
        return content

    def former_secrets(self, name: str, *, size: int | None = None) -> list[bytes]:
        """Returns the keys beside the key `name` that may have sealed what is still kept, by file name.

        For `voucher-notes.key` they are in `voucher-notes.former.key`, `voucher-notes.former-2026.key` and so
        on. Raises SettingsError like `secret`.
        """
        stem, _, ending = name.rpartition(".")
        files = sorted(self.secrets_dir.glob(f"{stem}.former*.{ending}"))
        return [self.secret(file.name, size=size) for file in files]

    def has_secret(self, name: str) -> bool:
        """True when there is a key of that name."""
        return (self.secrets_dir / name).exists()

    def store_secret(self, name: str, content: bytes) -> bytes:
        """Keeps a development key; returns what is kept: another process's key if that came first."""
        if self.production:
            raise SettingsError(f"Production makes no keys; put {name} into WAYMARK_SECRETS_DIR.")
        self.secrets_dir.mkdir(parents=True, exist_ok=True)
        path = self.secrets_dir / name
        draft = self.secrets_dir / f".{name}.{secrets.token_hex(8)}"
        draft.touch(mode=0o600)
        draft.write_bytes(DEVELOPMENT_MARK + content)
        try:
            os.link(draft, path)  # atomic, and fails when a twin was faster
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_bytes().removeprefix(DEVELOPMENT_MARK)


def _kafka_security(reader: _Reader) -> KafkaSecurity:
    return KafkaSecurity(
        protocol=reader.choice(
            "WAYMARK_KAFKA_SECURITY_PROTOCOL", "PLAINTEXT", ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
        ),
        mechanism=reader.choice("WAYMARK_KAFKA_SASL_MECHANISM", "PLAIN", MECHANISMS),
        username=reader.text("WAYMARK_KAFKA_SASL_USERNAME"),
        password=reader.text("WAYMARK_KAFKA_SASL_PASSWORD"),
        cafile=reader.text("WAYMARK_KAFKA_CAFILE"),
    )


def time_zone(environ: Mapping[str, str] = os.environ) -> ZoneInfo:
    """Returns the zone in which days are counted; raises SettingsError for one that there is not."""
    name = _Reader(environ).text("WAYMARK_TIME_ZONE", UNLESS_TOLD.key)
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        known = "a time zone of the IANA database, such as Europe/Brussels"
        raise SettingsError(f"WAYMARK_TIME_ZONE is {name!r} and must be {known}.") from None


def check_stack(environ: Mapping[str, str], issuer: str) -> None:
    """Raises SettingsError for what processes of a stack would refuse; `issuer` is the one it will have."""
    reader = _Reader(environ)
    reader.database("WAYMARK_DATABASE_URL")
    if _kafka_security(reader).protocol != "PLAINTEXT" and not reader.text("WAYMARK_KAFKA_BOOTSTRAP"):
        raise SettingsError(
            "WAYMARK_KAFKA_SECURITY_PROTOCOL is for a broker of your own: set WAYMARK_KAFKA_BOOTSTRAP too."
        )
    Settings.from_environment("catalogue", {**environ, "WAYMARK_OIDC_ISSUER": issuer}).refuse_half_named()


def _is_endpoint(value: str) -> bool:
    host, _, port = value.rpartition(":")
    return bool(host) and port.isdecimal() and int(port) < 65536 and "/" not in host


class _Reader:
    """Typed reads of environment variables with errors that name the variable."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str = "") -> str:
        return self._environ.get(name, "").strip() or default

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise SettingsError(f"{name} is {value!r} and must be one of {', '.join(allowed)}.")
        return value

    def names(self, name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        value = tuple(part.strip() for part in self.text(name, ",".join(allowed)).split(","))
        if not set(value) <= set(allowed):
            raise SettingsError(f"{name} must list some of {', '.join(allowed)}.")
        return value

    def label(self, name: str) -> str:
        value = self.text(name)
        if not re.fullmatch(r"[A-Za-z0-9._-]{0,200}", value) or value in (".", ".."):
            raise SettingsError(f"{name} is {value!r}; it takes letters, digits, '.', '_' and '-'.")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(filter(None, (part.strip() for part in self.text(name).split(","))))

    def hosts(self, name: str, default: str) -> frozenset[str]:
        return frozenset(filter(None, (part.strip().lower() for part in self.text(name, default).split(","))))

    def endpoint(self, name: str) -> str:
        value = self.text(name)
        if value and not value.startswith("/") and not _is_endpoint(value):
            raise SettingsError(f"{name} is {value!r} and must be host:port or the path of a socket.")
        return value

    def endpoints(self, name: str) -> str:
        value = self.text(name)
        if value and not all(_is_endpoint(each.strip()) for each in value.split(",")):
            raise SettingsError(f"{name} is {value!r} and must be host:port, or several of them by comma.")
        return value

    def database(self, name: str) -> str:
        """The value is not in the error: it holds a password."""
        value = self.text(name)
        if value and not re.fullmatch(r"postgres(ql)?(\+psycopg)?://\S*", value):
            raise SettingsError(f"{name} must be like postgresql://role:password@host:5432/database.")
        return value

    def address(self, name: str) -> str:
        """An address that the operator chose, inside or outside."""
        value = self.text(name)
        try:
            inside = Reach(("https", "http"), frozenset({urlsplit(value).hostname or ""}))
            problem = value and url_problem(value, inside)
        except ValueError:
            problem = "is no address"
        if problem:
            raise SettingsError(f"{name} {problem}.")
        return value

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name, str(default))
        if not value.isdecimal() or not low <= int(value) <= high:
            raise SettingsError(f"{name} is {value!r} and must be a whole number from {low} to {high}.")
        return int(value)
