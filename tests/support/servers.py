"""The real gRPC server in this process, on a free port, with an issuer's key of the tests' own.

`serve(DEFINITION, database("vouchers").url)` returns a Served; `served.stub(VoucherServiceStub,
token("learner"))` calls it. Everything is drained at the end of the test.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

import grpc
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from services.platform.app import App
from services.platform.days import UNLESS_TOLD, live_in
from services.platform.identity.keys import KeySet
from services.platform.identity.tokens import TokenVerifier
from services.platform.rpc.server import Server
from services.platform.service import ServiceDefinition
from services.platform.settings import Settings

ISSUER = "https://issuer.test"
AUDIENCE = "waymark"
KEY_ID = "test-key"
SIGNING_KEY = OKPKey.generate_key("Ed25519", {"kid": KEY_ID})
PUBLIC_KEY = OKPKey.import_key(SIGNING_KEY.as_dict(private=False))

T = TypeVar("T")


def token(*roles: str, subject: str = "", org: str = "", **claims: Any) -> str:
    """Returns an access token of the test issuer, good for an hour.

    `roles`: names such as "learner", "programme_manager". `subject`: a UUID, a random one when empty. `org`:
    `organisations/{id}`. Further claims replace what is there; None leaves one out.
    """
    now = int(time.time())
    body = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject or str(uuid.uuid4()),
        "roles": list(roles),
        "org": org,
        "iat": now,
        "exp": now + 3600,
        "jti": str(uuid.uuid4()),
        **claims,
    }
    present = {name: value for name, value in body.items() if value is not None}
    header = {"alg": "Ed25519", "kid": KEY_ID, "typ": "at+jwt"}
    return jwt.encode(header, present, SIGNING_KEY, algorithms=["Ed25519"])


def verifier() -> TokenVerifier:
    """Returns a verifier that trusts the test issuer."""
    return TokenVerifier(KeySet(lambda: {KEY_ID: PUBLIC_KEY}), ISSUER, AUDIENCE)


class Served:
    """A running server and its app."""

    def __init__(self, server: Server, app: App) -> None:
        self.server = server
        self.app = app
        self.address = f"127.0.0.1:{server.port}"

    @cached_property
    def channel(self) -> grpc.Channel:
        """The one connection of all its callers."""
        return grpc.insecure_channel(self.address, options=[("grpc.use_local_subchannel_pool", 1)])

    def stub(self, make: Callable[[grpc.Channel], T], access_token: str = "", **metadata: str) -> T:
        """Returns a stub that sends the token, and `metadata`, with every call."""
        sent = list(metadata.items())
        if access_token:
            sent.append(("authorization", f"Bearer {access_token}"))
        return make(grpc.intercept_channel(self.channel, _Sends(sent)))

    def stop(self, **times: float) -> None:
        """Drains the server and closes everything that belongs to it."""
        if "channel" in self.__dict__:
            self.channel.close()
        self.server.drain(**{"notice": 0.0, "grace": 1.0, **times})
        self.app.close()


class Serve(Protocol):
    """Starts a server for the length of a test."""

    def __call__(self, definition: ServiceDefinition, url: str, **options: Any) -> Served:
        """`url`: the service's database. `options`: as of `start`."""


def start(
    definition: ServiceDefinition,
    url: str,
    folder: Path,
    *,
    environ: dict[str, str] | None = None,
    verify: Any = None,
    **server: Any,
) -> Served:
    """Starts a server with its keys in `folder`.

    `environ` adds WAYMARK_… settings (for example WAYMARK_S3_ENDPOINT); `server` goes to Server (queue,
    shed). It refuses no work for want of time unless asked to: how busy a machine is says nothing of a test.
    """
    settings = Settings.from_environment(
        definition.name,
        {
            f"WAYMARK_{definition.name.upper()}_DATABASE_URL": url,
            "WAYMARK_OIDC_ISSUER": ISSUER,
            "WAYMARK_OIDC_AUDIENCE": AUDIENCE,
            "WAYMARK_THREADS": "4",
            "WAYMARK_SECRETS_DIR": str(folder / "secrets"),
            "WAYMARK_INDEX_DIR": str(folder / "index"),
            **(environ or {}),
        },
    )
    app = definition.app.build(settings)
    running = Server(
        definition, app, verify or verifier().verify, listen="127.0.0.1:0", **{"shed": False, **server}
    )
    running.start()
    return Served(running, app)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Call it with a ServiceDefinition and a database URL for a running server."""
    started: list[Served] = []

    def begin(definition: ServiceDefinition, url: str, **options: Any) -> Served:
        started.append(start(definition, url, tmp_path, **options))
        return started[-1]

    yield begin
    for served in started:
        served.stop()
    live_in(UNLESS_TOLD)  # a process counts days in one zone: that of the last server in it


class _Sends(
    grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamStreamClientInterceptor
):
    """Adds metadata to every call."""

    def __init__(self, metadata: list[tuple[str, str]]) -> None:
        self._metadata = metadata

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(self._with(details), request)

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(self._with(details), request)

    def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        return continuation(self._with(details), requests)

    def _with(self, details: Any) -> Any:
        return details._replace(metadata=[*(details.metadata or ()), *self._metadata])
