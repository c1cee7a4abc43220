"""Where calls to addresses of others may lead."""

from __future__ import annotations

import ipaddress

import pytest

from services.platform.outgoing import addresses
from services.platform.outgoing.addresses import AddressRefusedError, Reach, judged, url_problem

PUBLIC = Reach()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example.org/",
        "https://",
        "https://user:word@hooks.example.org/",
        "https://hooks.example.org/#part",
        "https://hooks.example.org:99999/",
        "https://localhost/",
        "https://intranet/",
        "https://db.internal/",
        "https://127.0.0.1/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://240.0.0.1/",
        "https://[2002:a00:1::]/",
        "https://[2001:0:1::]/",
        "https://[fec0::1]/",
        "https://[::10.0.0.1]/",
        "https://[ff02::1]/",
        "https://224.0.0.1/",
        "https://hooks.example.org/a b",
        "https://hooks..example.org/",
        f"https://{'a' * 64}.example.org/",
        "https://h\N{LATIN SMALL LETTER O WITH DIAERESIS}oks.example.org/",
    ],
)
def test_addresses_that_lead_inside_or_are_not_safe_are_refused(url: str) -> None:
    assert url_problem(url, PUBLIC)


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example.org/waymark?x=1", "https://1.1.1.1:8443/", "https://xn--hks-snaa.example.org./"],
)
def test_public_addresses_are_taken(url: str) -> None:
    assert url_problem(url, PUBLIC) == ""


def test_http_and_hosts_inside_are_taken_where_a_setting_names_them() -> None:
    here = Reach(("https", "http"), frozenset({"localhost", "127.0.0.1", "::1", "feeds.internal"}))
    for url in (
        "http://127.0.0.1:8080/",
        "http://LOCALHOST:8080/",
        "https://[::1]/",
        "http://feeds.internal/",
    ):
        assert url_problem(url, here) == ""
        assert url_problem(url, PUBLIC)
    for url in ("http://10.0.0.1/", "http://169.254.169.254/", "http://other.internal/"):
        assert url_problem(url, here)


def test_a_name_is_judged_by_each_address_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "resolved", lambda *_: [ipaddress.ip_address(each) for each in leads])
    leads = ["1.1.1.1", "2606:4700::1111"]
    assert str(judged("hooks.example.org", 443, PUBLIC)) == "1.1.1.1"
    leads = ["1.1.1.1", "::ffff:10.0.0.1"]
    with pytest.raises(AddressRefusedError):
        judged("hooks.example.org", 443, PUBLIC)
    assert judged("inside.test", 443, Reach(inside=frozenset({"inside.test"})))
    monkeypatch.setattr(addresses, "is_public", lambda _: True)  # control: the guard is what refused
    assert judged("hooks.example.org", 443, PUBLIC)
