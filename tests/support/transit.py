"""A key service: a real HTTP server of the tests that speaks like Vault's transit engine."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.support.origins import Asked, Reply, origin


@dataclass
class Transit:
    """`url` of its key; `keys` by version, the last one wraps. `status`: answered instead of doing anything;
    `body`: likewise. `calls` counts by verb. `held`: cleared, it lets callers wait."""

    url: str = ""
    token: str = "hvs.test"
    keys: list[bytes] = field(default_factory=lambda: [os.urandom(32)])
    status: list[int] = field(default_factory=list)
    body: bytes | None = None
    calls: list[str] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)

    def rotate(self) -> None:
        """Wraps by a new version from now on."""
        self.keys.append(os.urandom(32))

    def answer(self, asked: Asked) -> Reply:
        """Does what is asked, as Vault would."""
        verb = asked.path.split("/")[-2]
        self.calls.append(verb)
        self.held.wait(30)
        if self.status:
            return Reply(self.status.pop(0), b'{"errors": []}')
        if self.body is not None:
            return Reply(200, self.body)
        if asked.headers.get("x-vault-token") != self.token:
            return Reply(403, b'{"errors": ["permission denied"]}')
        body = json.loads(asked.body)
        try:
            data = self._encrypt(body) if verb == "encrypt" else self._decrypt(body)
        except (InvalidTag, ValueError, IndexError):
            return Reply(400, b'{"errors": ["invalid ciphertext"]}')
        return Reply(200, json.dumps({"data": data}).encode())

    def _encrypt(self, body: dict[str, Any]) -> dict[str, str]:
        nonce = os.urandom(12)
        sealed = nonce + AESGCM(self.keys[-1]).encrypt(nonce, base64.b64decode(body["plaintext"]), b"")
        return {"ciphertext": f"vault:v{len(self.keys)}:{base64.b64encode(sealed).decode()}"}

    def _decrypt(self, body: dict[str, Any]) -> dict[str, str]:
        _, version, content = body["ciphertext"].split(":")
        sealed = base64.b64decode(content)
        plain = AESGCM(self.keys[int(version[1:]) - 1]).decrypt(sealed[:12], sealed[12:], b"")
        return {"plaintext": base64.b64encode(plain).decode()}


@contextmanager
def transit(name: str = "portfolio") -> Iterator[Transit]:
    """Listens on this machine until the block ends."""
    found = Transit()
    found.held.set()
    with origin(found.answer) as server:
        found.url = f"{server.url}/v1/transit/keys/{name}"
        try:
            yield found
        finally:
            found.held.set()
