"""The identity provider's documents: which keys of them are used, and what of them is not believed."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey

from services.platform.identity import keys
from services.platform.identity.keys import fetch_keys
from tests.support.certificates import certificate
from tests.support.origins import Asked, Origin, Reply, origin

GOOD = ECKey.generate_key("P-256").as_dict(private=False) | {"kid": "good", "use": "sig"}
OTHERS = {
    "for encryption": OKPKey.generate_key("X25519").as_dict(private=False) | {"use": "enc"},
    "a shared secret": OctKey.generate_key(256).as_dict(private=True),
    "of a kind to come": {"kty": "PQC", "pub": "x"},
    "without an id": ECKey.generate_key("P-256").as_dict(private=False) | {"kid": ""},
    "of an unknown curve": GOOD | {"crv": "P-999"},
    "not whole": {"kty": "RSA", "n": "AQAB"},
}


@contextmanager
def provider(
    *published: dict[str, Any], tls: ssl.SSLContext | None = None, **changed: Any
) -> Iterator[Origin]:
    """A provider that publishes these keys; `changed`: of its discovery document."""

    def answer(asked: Asked) -> Reply:
        if asked.path == "/moved":
            return Reply(302, headers={"location": changed["location"]})
        found = {"issuer": made.url, "jwks_uri": f"{made.url}/keys"} | changed
        return Reply(body=json.dumps({"keys": published} if asked.path == "/keys" else found).encode())

    with origin(answer, tls) as made:
        yield made


def kids(issuer: str, jwks_uri: str = "", *, https_only: bool = False) -> set[str]:
    return set(fetch_keys(issuer, jwks_uri, https_only=https_only))


@pytest.mark.parametrize("other", OTHERS)
def test_keys_that_verify_nothing_are_passed_over(other: str) -> None:
    with provider({"kid": "other"} | OTHERS[other], GOOD) as made:
        assert kids(made.url) == {"good"}
        assert kids("", f"{made.url}/keys") == {"good"}


def test_a_set_without_a_key_to_verify_with_is_none() -> None:
    with (
        provider(OTHERS["a shared secret"] | {"kid": "x"}) as made,
        pytest.raises(ValueError, match="no key"),
    ):
        kids(made.url)


def test_the_discovery_document_must_be_of_the_issuer_that_was_asked() -> None:
    with (
        provider(GOOD, issuer="https://stranger.example") as made,
        pytest.raises(ValueError, match="another"),
    ):
        kids(made.url)


def test_a_document_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with provider(*[GOOD] * 100) as made:
        assert kids(made.url) == {"good"}
        monkeypatch.setattr(keys, "MAX_BYTES", 1000)
        with pytest.raises(ValueError, match=r"column|char"):
            kids(made.url)


def test_production_asks_over_https_alone_and_no_redirect_leads_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(files.public))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.private)
    with provider(GOOD) as plain, provider(GOOD, tls=tls, location=f"{plain.url}/keys") as safe:
        with pytest.raises(ValueError, match="over https"):
            kids("", f"{plain.url}/keys", https_only=True)
        assert kids(safe.url, https_only=True) == {"good"}
        with pytest.raises(ValueError, match="over https"):
            kids("", f"{safe.url}/moved", https_only=True)
        assert kids("", f"{safe.url}/moved") == {"good"}  # control: as development may
