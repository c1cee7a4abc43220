"""A small OpenID Connect issuer for development: discovery, JWKS and a token endpoint (RFC 8414, 7517, 6749).

`python -m services.cli.stack.issuer --home DIR --port N` serves until it is stopped; `--rotate` adds a
signing key to the same home, which the running issuer takes up by itself. Anybody who reaches it gets any
token, so it listens on this machine only and refuses to start with WAYMARK_ENVIRONMENT=production.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import re
import secrets
import sys
import threading
import time
import uuid
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from joserfc import jwt

from services.cli.stack.development_grant import DEVELOPMENT_GRANT, ROLES
from services.cli.stack.issuer_keys import ALGORITHM, SigningKeys
from services.cli.stack.secret_files import kept
from services.platform.ending import set_by_signals

DEFAULT_AUDIENCE = "waymark"
BACK_OFFICE = "back-office"
DEFAULT_LIFETIME = 3600
LONGEST_LIFETIME = 7 * 24 * 3600
_ORGANISATION = re.compile(r"organisations/[A-Za-z0-9._~-]{1,64}")
_LARGEST_FORM = 16_384
# Names given at a terminal become stable opaque ids in this namespace.
_SUBJECTS = uuid.UUID("6f1c4f2e-5d0b-4d5e-9c39-7c5d6f1f0a11")


class GrantRefused(Exception):
    """A token request that is answered with an OAuth error (RFC 6749 §5.2)."""

    def __init__(self, error: str, description: str) -> None:
        """`error` is the OAuth error code, `description` a sentence for the caller."""
        super().__init__(description)
        self.error = error


def subject_id(name: str) -> str:
    """The opaque subject for a name: a UUID stays itself, anything else maps to one stable UUID."""
    try:
        return str(uuid.UUID(name))
    except ValueError:
        return str(uuid.uuid5(_SUBJECTS, name))


@dataclass(frozen=True)
class Issuer:
    """Who issues: its address (claim `iss`), the audience it issues for, its keys and its known clients."""

    address: str
    audience: str
    keys: SigningKeys
    clients: Mapping[str, Mapping[str, str]]

    def discovery(self) -> dict[str, Any]:
        """The discovery document (OpenID Connect Discovery 1.0 §3)."""
        return {
            "issuer": self.address,
            "jwks_uri": f"{self.address}/jwks.json",
            "token_endpoint": f"{self.address}/token",
            "grant_types_supported": ["client_credentials", DEVELOPMENT_GRANT],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
        }

    def grant(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Answers a token request; raises GrantRefused."""
        match form.get("grant_type"):
            case "client_credentials":
                client = self._client(form.get("client_id", ""), form.get("client_secret", ""))
                return self._token(["system"], subject_id(client), "", DEFAULT_LIFETIME)
            case grant if grant == DEVELOPMENT_GRANT:
                return self._development(form)
            case _:
                raise GrantRefused(
                    "unsupported_grant_type", f"Use client_credentials or {DEVELOPMENT_GRANT}."
                )

    def _client(self, name: str, secret: str) -> str:
        known = self.clients.get(name, {}).get("secret", "")
        if not known or not hmac.compare_digest(known.encode(), secret.encode()):
            raise GrantRefused("invalid_client", "Client id or secret is wrong.")
        return name

    def _development(self, form: Mapping[str, str]) -> dict[str, Any]:
        roles = form.get("role", "").split()
        unknown = sorted(set(roles) - set(ROLES))
        if unknown or not roles:
            raise GrantRefused("invalid_request", f"`role` must name one or more of: {', '.join(ROLES)}.")
        organisation = form.get("org", "")
        if organisation and not _ORGANISATION.fullmatch(organisation):
            raise GrantRefused("invalid_request", "`org` must look like organisations/{id}.")
        try:
            lifetime = int(form.get("lifetime", DEFAULT_LIFETIME))
        except ValueError:
            raise GrantRefused("invalid_request", "`lifetime` must be a number of seconds.") from None
        if not 1 <= lifetime <= LONGEST_LIFETIME:
            raise GrantRefused("invalid_request", f"`lifetime` must be 1 to {LONGEST_LIFETIME} seconds.")
        subject = subject_id(form.get("subject") or f"role:{roles[0]}")
        return self._token(roles, subject, organisation, lifetime)

    def _token(self, roles: Sequence[str], subject: str, organisation: str, lifetime: int) -> dict[str, Any]:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.address,
            "aud": self.audience,
            "sub": subject,
            "roles": list(roles),
            "iat": now,
            "exp": now + lifetime,
            "jti": str(uuid.uuid4()),
        }
        if organisation:
            claims["org"] = organisation
        key = self.keys.signing()
        header = {"alg": ALGORITHM, "typ": "at+jwt", "kid": key.kid}
        token = jwt.encode(header, claims, key, algorithms=[ALGORITHM])
        return {"access_token": token, "token_type": "Bearer", "expires_in": lifetime, "subject": subject}


class IssuerServer(ThreadingHTTPServer):
    """HTTP server of one Issuer on 127.0.0.1."""

    daemon_threads = True
    issuer: Issuer

    def __init__(self, home: Path, port: int, audience: str = DEFAULT_AUDIENCE) -> None:
        """Binds `port` (0: a free one) and writes the address to `home`/issuer/address for other commands."""
        super().__init__(("127.0.0.1", port), _Handler)
        folder = home / "issuer"
        address = f"http://127.0.0.1:{self.server_port}"
        self.issuer = Issuer(address, audience, SigningKeys(folder / "keys"), known_clients(folder))
        (folder / "address").write_text(address + "\n")


class _Handler(BaseHTTPRequestHandler):
    server: IssuerServer
    server_version = "waymark-development-issuer"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        issuer = self.server.issuer
        match self.path.partition("?")[0]:
            case "/.well-known/openid-configuration":
                self._answer(200, issuer.discovery())
            case "/jwks.json":
                self._answer(200, issuer.keys.public())
            case _:
                self._answer(404, {"error": "not_found"})

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        if length > _LARGEST_FORM:
            self.close_connection = True
            return self._answer(413, {"error": "invalid_request", "error_description": "Form too large."})
        form = dict(parse_qsl(self.rfile.read(length).decode("utf-8", "replace")))
        if self.path != "/token":
            return self._answer(404, {"error": "not_found"})
        try:
            answer = self.server.issuer.grant({**form, **self._basic()})
        except GrantRefused as refused:
            status = 401 if refused.error == "invalid_client" else 400
            return self._answer(status, {"error": refused.error, "error_description": str(refused)})
        return self._answer(200, answer)

    def _basic(self) -> dict[str, str]:
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return {}
        try:
            name, _, secret = b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            return {}
        return {"client_id": unquote(name), "client_secret": unquote(secret)}

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("cache-control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Stays silent: a request line may hold a name."""


def known_clients(folder: Path) -> dict[str, dict[str, str]]:
    """Clients for the client_credentials grant from `folder`/clients.json; made with a random secret at
    first.
    """
    made = kept(
        folder / "clients.json",
        lambda: json.dumps({BACK_OFFICE: {"secret": secrets.token_urlsafe(24)}}, indent=2),
    )
    loaded: dict[str, dict[str, str]] = json.loads(made)
    return loaded


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves or rotates; returns the exit code (2: refused to run)."""
    parser = argparse.ArgumentParser(prog="waymark-issuer", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder of the stack; keys live below it")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (0: a free one)")
    parser.add_argument("--audience", default=DEFAULT_AUDIENCE, help="claim `aud` of the tokens")
    parser.add_argument("--rotate", action="store_true", help="add a signing key and leave")
    options = parser.parse_args(arguments)
    if os.environ.get("WAYMARK_ENVIRONMENT") == "production":
        sys.stderr.write(
            "The development issuer gives anybody any token and does not run with "
            "WAYMARK_ENVIRONMENT=production. Set WAYMARK_OIDC_ISSUER to your identity provider.\n"
        )
        return 2
    if options.rotate:
        sys.stdout.write(SigningKeys(options.home / "issuer" / "keys").rotate() + "\n")
        return 0
    with IssuerServer(options.home, options.port, options.audience) as server:
        sys.stdout.write(f"issuer at {server.issuer.address}\n")
        sys.stdout.flush()
        stop = threading.Event()
        set_by_signals(stop)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}).start()
        stop.wait()
        server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
