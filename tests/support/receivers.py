"""A back office that receives webhooks: a real HTTP server of the tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.origins import Asked, Reply, origin


@dataclass
class Receiver:
    """Where it listens, what it got (headers in lower case and body), and what it answers: a status, or the
    statuses of the next calls. `open`: cleared, it lets callers wait."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    status: int = 204
    open: threading.Event = field(default_factory=threading.Event)

    def bodies(self) -> list[dict[str, Any]]:
        """What it got, decoded."""
        return [json.loads(body) for _, body in self.got]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Listens on this machine until the block ends."""
    found = Receiver()
    found.open.set()

    def answer(asked: Asked) -> Reply:
        found.got.append((dict(asked.headers), asked.body))
        found.open.wait(30)
        status = found.answers.pop(0) if found.answers else found.status
        return Reply(status, headers={"location": found.url} if 300 <= status < 400 else {})

    with origin(answer) as server:
        found.url = f"{server.url}/hook?from=waymark"
        try:
            yield found
        finally:
            found.open.set()


def verified(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Checks a signature as the Standard Webhooks specification has it, without code of the sender."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in headers["webhook-signature"].split(" ")
