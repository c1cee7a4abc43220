"""The edge as a process of its own: environment variables → configuration → Envoy in this process's place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.platform.edge.envoy import LOCAL_ORIGINS, Tls, command, write_configuration
from services.platform.edge.limits import Limits
from services.platform.service import ADMITTING, SERVICES
from services.platform.settings import Settings, SettingsError

# Beside the variables that services read too (WAYMARK_ENVIRONMENT, WAYMARK_OIDC_…, WAYMARK_S3_ENDPOINT).
VARIABLES = {
    "WAYMARK_EDGE_FOLDER": "folder that the configuration is written to",
    "WAYMARK_EDGE_LISTEN": "public host:port",
    "WAYMARK_EDGE_ADMIN_PORT": "port of Envoy's admin interface, on this machine only",
    "WAYMARK_EDGE_ORIGINS": "regular expressions of web origins that may call from a browser, by blanks",
    "WAYMARK_EDGE_KEYED": "services and RPCs that nobody may call without an API key, by blanks",
    "WAYMARK_EDGE_CERTIFICATE": "PEM file with the certificate chain of the public address",
    "WAYMARK_EDGE_PRIVATE_KEY": "PEM file with its private key",
    **{f"WAYMARK_{name.upper()}_ADDRESS": f"host:port of the {name} server" for name in SERVICES},
}


@dataclass(frozen=True)
class EdgeSettings:
    """What the edge runs with."""

    folder: Path
    host: str
    port: int
    admin_port: int
    services: Mapping[str, str]
    issuer: str
    jwks_uri: str
    audience: str
    s3_address: str
    origins: tuple[str, ...]
    keyed: tuple[str, ...]
    tls: Tls | None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> EdgeSettings:
        """Reads the variables; raises SettingsError naming one that is missing or wrong."""
        shared = Settings.from_environment("edge", environ)
        host, _, port = environ.get("WAYMARK_EDGE_LISTEN", "127.0.0.1:8080").rpartition(":")
        admin = environ.get("WAYMARK_EDGE_ADMIN_PORT", "9901")
        if not (host and port.isdecimal() and admin.isdecimal()):
            raise SettingsError("WAYMARK_EDGE_LISTEN must be host:port and WAYMARK_EDGE_ADMIN_PORT a port.")
        if not shared.issuer or not shared.s3_endpoint:
            raise SettingsError("The edge needs WAYMARK_OIDC_ISSUER and WAYMARK_S3_ENDPOINT.")
        origins = environ.get("WAYMARK_EDGE_ORIGINS", "").split()
        return cls(
            folder=Path(environ.get("WAYMARK_EDGE_FOLDER", ".waymark/edge")),
            host=host,
            port=int(port),
            admin_port=int(admin),
            services={name: _address(environ, name) for name in SERVICES},
            issuer=shared.issuer,
            jwks_uri=shared.jwks_uri,
            audience=shared.audience,
            s3_address=shared.s3_endpoint,
            # Production lets no page call until its site is named.
            origins=tuple(origins) if origins or shared.production else LOCAL_ORIGINS,
            keyed=tuple(environ.get("WAYMARK_EDGE_KEYED", "").split()),
            tls=_tls(environ),
        )


def configure(settings: EdgeSettings) -> Path:
    """Writes the configuration, asking the issuer where its keys are when that is not set; returns its path.

    Raises SettingsError when the issuer does not say.
    """
    return write_configuration(
        settings.folder,
        port=settings.port,
        admin_port=settings.admin_port,
        services=settings.services,
        issuer=settings.issuer,
        jwks_uri=settings.jwks_uri or discover(settings.issuer),
        s3_address=settings.s3_address,
        audience=settings.audience,
        listen=settings.host,
        origins=settings.origins,
        tls=settings.tls,
        limits=Limits(keyed=settings.keyed),
        admitting=ADMITTING,
    )


def run(settings: EdgeSettings, concurrency: int = 2) -> None:
    """Becomes Envoy; does not return."""
    line = command(configure(settings), concurrency=concurrency)
    os.execv(line[0], line)  # noqa: S606 - Envoy's own path and our own arguments


def discover(issuer: str) -> str:
    """Returns the `jwks_uri` of the issuer's discovery document; raises SettingsError without one."""
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        return str(httpx.get(address, timeout=10).raise_for_status().json()["jwks_uri"])
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise SettingsError(
            f"{address} does not say where the keys are; set WAYMARK_OIDC_JWKS_URI."
        ) from error


def _address(environ: Mapping[str, str], service: str) -> str:
    name = f"WAYMARK_{service.upper()}_ADDRESS"
    if not environ.get(name):
        raise SettingsError(f"{name} must name the host:port of the {service} server.")
    return environ[name]


def _tls(environ: Mapping[str, str]) -> Tls | None:
    certificate, key = (environ.get(f"WAYMARK_EDGE_{name}", "") for name in ("CERTIFICATE", "PRIVATE_KEY"))
    if bool(certificate) != bool(key):
        raise SettingsError("Set both WAYMARK_EDGE_CERTIFICATE and WAYMARK_EDGE_PRIVATE_KEY, or neither.")
    return Tls(Path(certificate), Path(key)) if certificate else None
