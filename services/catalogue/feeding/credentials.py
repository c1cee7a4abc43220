"""What a partner's server wants to see: kept sealed, and sent as headers."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

from google.protobuf.json_format import MessageToJson, Parse
from waymark.catalogue.v1.source_pb2 import PullCredentials

from services.platform.outgoing.fetching import Answer, FetchError, Wanted
from services.platform.seals import Seals

MAX_TOKEN_ANSWER = 64 << 10  # bytes
Fetch = Callable[[Wanted, Any], Answer]


def sealed(seals: Seals, source: str, credentials: PullCredentials) -> bytes | None:
    """Returns what is kept of the credentials of a source (its id)."""
    return seals.seal(_place(source), MessageToJson(credentials, indent=None))


def opened(seals: Seals, source: str, kept: bytes | None) -> PullCredentials | None:
    """Returns the credentials, None where none are kept; raises as `Seals.open`."""
    return Parse(seals.open(_place(source), kept), PullCredentials()) if kept else None


def headers(credentials: PullCredentials | None, fetch: Fetch) -> Mapping[str, str]:
    """Returns the headers to send; asks the authorisation server for a token where there is one.

    Raises FetchError: as `fetch`, and TOKEN_REFUSED when no token came.
    """
    kind = credentials.WhichOneof("kind") if credentials else None
    if credentials is None or kind is None:
        return {}
    if kind == "basic":
        return {"authorization": _basic(credentials.basic.username, credentials.basic.password)}
    if kind == "header":
        return {credentials.header.name.lower(): credentials.header.value}
    if kind == "bearer_token":
        return {"authorization": f"Bearer {credentials.bearer_token}"}
    return {"authorization": f"Bearer {_token(credentials.oauth_client, fetch)}"}


def _token(client: PullCredentials.OauthClient, fetch: Fetch) -> str:
    """A token for client credentials, RFC 6749, sections 2.3.1 and 4.4."""
    form = {"grant_type": "client_credentials", **({"scope": client.scope} if client.scope else {})}
    wanted = Wanted(
        client.token_url,
        headers={"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
        secret={"authorization": _basic(quote_plus(client.client_id), quote_plus(client.client_secret))},
        body=urlencode(form).encode(),
    )
    into = io.BytesIO()
    try:
        fetch(wanted, into)
        token = json.loads(into.getvalue())["access_token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FetchError("TOKEN_REFUSED") from None
    except FetchError as error:
        if error.status in (400, 401, 403):
            raise FetchError("TOKEN_REFUSED", error.status) from None
        raise
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise FetchError("TOKEN_REFUSED")
    return token


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _place(source: str) -> str:
    return f"sources/{source}/credentials"
