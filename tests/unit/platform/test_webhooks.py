"""Signatures, attempts and waits of webhooks."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.platform.outgoing import addresses, calling, webhooks
from services.platform.outgoing.addresses import Reach
from services.platform.outgoing.webhooks import WAITS, send, signature, wait_after
from tests.support.certificates import certificate
from tests.support.origins import origin
from tests.support.receivers import receiver

PUBLIC, HERE = Reach(("https", "http")), Reach(("https", "http"), frozenset({"127.0.0.1"}))


def test_the_signature_is_the_one_of_the_specification() -> None:
    # The example of the Standard Webhooks reference libraries.
    secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    found = signature(secret, message, 1614265330, b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def named(monkeypatch: pytest.MonkeyPatch, *leads: str) -> None:
    """Has every name lead to these addresses, as whoever owns a name can."""
    found = [ipaddress.ip_address(each) for each in leads]
    monkeypatch.setattr(addresses, "resolved", lambda *_: found)


def test_a_public_name_that_leads_inside_is_refused_when_it_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with receiver() as office:
        port = office.url.rpartition(":")[2]
        url = f"http://hooks.example.org:{port}"
        named(monkeypatch, "127.0.0.1")
        assert send(url, {}, b"{}", PUBLIC) == (0, "ADDRESS_REFUSED")
        named(monkeypatch, "1.1.1.1", "10.0.0.1")  # one of several is enough
        assert send(url, {}, b"{}", PUBLIC) == (0, "ADDRESS_REFUSED")
        assert not office.got
        # control: without the guard the receiver inside gets the message
        named(monkeypatch, "127.0.0.1")
        monkeypatch.setattr(addresses, "is_public", lambda _: True)
        assert send(url, {}, b"{}", PUBLIC) == (204, "")
        assert office.got[0][0]["host"] == f"hooks.example.org:{port.partition('/')[0]}"


def test_a_redirect_is_not_followed_and_silence_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "ANSWER", 0.2)
    with receiver() as office:
        office.status = 307
        assert send(office.url, {}, b"{}", HERE) == (307, "REDIRECT")
        assert len(office.got) == 1
        office.open.clear()
        assert send(office.url, {}, b"{}", HERE) == (0, "TIMEOUT")
    assert send("http://127.0.0.1:9/", {}, b"{}", HERE) == (0, "UNREACHABLE")


@pytest.mark.parametrize("host", ["hooks..example.org", f"{'a' * 64}.example.org"])
def test_a_name_that_cannot_be_is_an_attempt_that_failed(host: str) -> None:
    assert send(f"https://{host}/", {}, b"{}", PUBLIC) == (0, "UNREACHABLE")


def test_a_server_that_speaks_no_tls_is_refused() -> None:
    with receiver() as office:
        url = office.url.replace("http://", "https://")
        assert send(url, {}, b"{}", HERE).error in ("TLS", "UNREACHABLE")
        assert not office.got


def test_a_certificate_must_be_vouched_for_and_of_the_name_and_controls(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = certificate(tmp_path, "hooks.example.org")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.private)
    named(monkeypatch, "127.0.0.1")
    reach = Reach(inside=frozenset({"hooks.example.org", "other.example.org"}))
    with origin(tls=tls) as office:
        port = office.url.rpartition(":")[2]
        ours, other = (f"https://{name}.example.org:{port}/" for name in ("hooks", "other"))
        assert send(ours, {}, b"{}", reach) == (0, "TLS")  # nobody vouches for it
        vouching = ssl.create_default_context(cafile=files.public)
        monkeypatch.setattr(calling, "_tls", lambda: vouching)
        assert send(other, {}, b"{}", reach) == (0, "TLS")  # it is another's
        assert not office.asked
        assert send(ours, {}, b"{}", reach) == (200, "")
        vouching.check_hostname = False  # without the guard another's will do
        assert send(other, {}, b"{}", reach) == (200, "")


def test_waits_grow_to_days_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Still:
        def random(self) -> float:
            return 0.0

    monkeypatch.setattr(webhooks, "_jitter", Still())
    waits: list[Any] = [wait_after(attempt) for attempt in range(1, len(WAITS) + 2)]
    assert waits[:3] == [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)]
    assert waits[-1] is None
    assert timedelta(days=3) < sum(waits[:-1], timedelta()) < timedelta(days=4)
