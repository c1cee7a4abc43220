"""The master key in a key service: HashiCorp Vault's transit engine, or what speaks like it. The key never
leaves it.

A setting names the key by its address, `https://vault.example/v1/transit/keys/portfolio`; the token lies in
the folder of keys and is read anew for each call, because agents renew it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
import urllib3
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.platform.seals import SealBrokenError
from services.platform.settings import Settings, SettingsError
from services.portfolio.domain.keys import VERSION, KeyRing, Master, WrappedKey

TOKEN = "key-service.token"  # noqa: S105  # a file beside the keys
CONNECT, READ = 1.0, 3.0  # seconds
TRIES = 2
MAX_ANSWER = 64 * 1024  # bytes
KEPT, KEPT_SECONDS = 2_000, 60.0  # unwrapped keys that a process remembers, and how long
_DIGEST = hashlib.sha256().digest_size
log = structlog.get_logger("keys")


def key_ring(settings: Settings, name: str) -> KeyRing:
    """Returns the key ring: the master key of the key service, where one is set, or of the file `name`.

    With former ones, which are there while a rotation is under way: a job wraps what is under them anew.

    Raises SettingsError for an address that names no key.
    """
    token = settings.secrets_dir / TOKEN
    former: list[Master | bytes] = [*settings.former_secrets(name, size=32)]
    former += [TransitMaster(url, token) for url in settings.former_key_services]
    if not settings.key_service:
        return KeyRing(settings.secret(name, size=32), former)
    if settings.has_secret(name):
        former.append(settings.secret(name, size=32))
    return KeyRing(TransitMaster(settings.key_service, token), former)


class TransitMaster:
    """A key of the transit engine by its address.

    Every method raises Refusal(UNAVAILABLE) while the service is away or does not take the token; nothing is
    lost, the caller's transaction did not happen.
    """

    def __init__(self, url: str, token: Path) -> None:
        self._mount, found, name = url.rstrip("/").rpartition("/keys/")
        if not found or not name or "/" in name or not url.startswith(("https://", "http://")):
            raise SettingsError(f"{url!r} is no key: give https://host/v1/transit/keys/name.")
        self._name, self._token = name, token
        self.id = "transit-" + hashlib.sha256(f"{self._mount}/{name}".encode()).hexdigest()[:16]
        timeout = urllib3.Timeout(connect=CONNECT, read=READ)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False, maxsize=16)
        self._remembered = _Remembered()

    def current_id(self) -> str:
        """Returns the id with the version that wraps now, which a rotation in the key service changes."""
        return self.wrap(b"", b"").master_key_id

    def wrap(self, key: bytes, bound: bytes) -> WrappedKey:
        """Has a key wrapped. What it is bound to goes along as a hash, so that any such service will do."""
        plain = base64.b64encode(hashlib.sha256(bound).digest() + key).decode()
        answer = self._call("encrypt", {"plaintext": plain})
        parts = str(answer.get("ciphertext", "")).split(":")
        if len(parts) != 3 or parts[0] != "vault" or not parts[1].startswith("v"):
            raise _away("wraps in no form of its own")
        return WrappedKey(f"{self.id}{VERSION}{parts[1]}", ":".join(parts).encode())

    def unwrap(self, stored: WrappedKey, bound: bytes) -> bytes:
        """Has a key unwrapped, or remembers it for a minute; raises SealBrokenError."""
        plain = self._remembered.get(stored.wrapped, lambda: self._unwrapped(stored.wrapped))
        if not hmac.compare_digest(plain[:_DIGEST], hashlib.sha256(bound).digest()):
            raise SealBrokenError("a wrapped key does not belong where it was found")
        return plain[_DIGEST:]

    def _unwrapped(self, wrapped: bytes) -> bytes:
        answer = self._call("decrypt", {"ciphertext": wrapped.decode(errors="replace")})
        try:
            return base64.b64decode(answer["plaintext"], validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise _away("unwraps in no form of its own") from None

    def _call(self, verb: str, body: dict[str, str]) -> dict[str, Any]:
        """Calls, twice where that may help; raises SealBrokenError for what is not the service's own."""
        problem = ""
        for _ in range(TRIES):
            try:
                status, content = self._once(verb, body)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                problem = type(error).__name__
                continue
            if status == 200:
                return _data(content)
            if status == 400 and verb == "decrypt":
                raise SealBrokenError("the key service does not unwrap this")
            problem = f"HTTP {status}"
            if status < 500 and status != 429:
                break
        raise _away(problem)

    def _once(self, verb: str, body: dict[str, str]) -> tuple[int, bytes]:
        headers = {"x-vault-token": self._token.read_text().strip(), "content-type": "application/json"}
        url = f"{self._mount}/{verb}/{self._name}"
        answer = self._pool.request(
            "POST", url, body=json.dumps(body), headers=headers, preload_content=False, redirect=False
        )
        try:
            content = answer.read(MAX_ANSWER + 1)
            if len(content) > MAX_ANSWER:
                answer.close()  # what is left of it is nobody's answer
                raise urllib3.exceptions.HTTPError("too long an answer")
            return answer.status, content
        finally:
            answer.release_conn()


class _Remembered:
    """The last keys that were unwrapped, so that a person's calls do not each wait for the key service.

    Whoever reads one has found its wrapping in the database: an erased holder's key is in use nowhere.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, wrapped: bytes, unwrapped: Callable[[], bytes]) -> bytes:
        """Returns what is remembered, or has it unwrapped."""
        now = time.monotonic()
        with self._lock:
            until, plain = self._kept.get(wrapped, (0.0, b""))
        if until > now:
            return plain
        plain = unwrapped()
        with self._lock:
            self._kept.pop(wrapped, None)
            self._kept[wrapped] = (now + KEPT_SECONDS, plain)
            while self._kept and (len(self._kept) > KEPT or next(iter(self._kept.values()))[0] <= now):
                self._kept.popitem(last=False)
        return plain


def _data(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content)["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _away("answers in no form of its own") from None
    if not isinstance(data, dict):
        raise _away("answers in no form of its own")
    return data


def _away(problem: str) -> Refusal:
    log.error("key_service_away", problem=problem)
    return Refusal(reason_pb2.REASON_UNAVAILABLE, retry_after=timedelta(seconds=2))
