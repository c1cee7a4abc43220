"""The master key in a key service: a real HTTP server that speaks like Vault's transit engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import credential_issuer_pb2, holder_pb2

from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from services.platform.seals import SealBrokenError
from services.platform.settings import SettingsError
from services.portfolio import jobs, key_service
from services.portfolio.domain.keys import KeyRing, WrappedKey
from services.portfolio.key_service import TOKEN, TransitMaster, key_ring
from tests.support.portfolio import Portfolio, entry, reason_of
from tests.support.transit import Transit, transit

MASTER = "portfolio-master.key"


@pytest.fixture
def there() -> Iterator[Transit]:
    with transit() as made:
        yield made


@pytest.fixture
def master(there: Transit, tmp_path: Path) -> TransitMaster:
    (tmp_path / TOKEN).write_text(f"{there.token}\n")
    return TransitMaster(there.url, tmp_path / TOKEN)


def unavailable(call: object, *given: object) -> bool:
    with pytest.raises(Refusal) as refusal:
        call(*given)  # type: ignore[operator]
    return refusal.value.reason == reason_pb2.REASON_UNAVAILABLE and refusal.value.retry_after is not None


def test_a_key_is_of_its_place_and_asked_for_once_a_minute(
    there: Transit, master: TransitMaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = KeyRing(master)
    ada = ring.new_key("ada")
    key = ring.unwrap("ada", ada)
    assert ring.unwrap("ada", ada).open("t", "1", key.seal("t", "1", b"secret")) == b"secret"
    assert there.calls == ["encrypt", "decrypt"]
    with pytest.raises(SealBrokenError):
        ring.unwrap("bob", ada)
    with pytest.raises(SealBrokenError):
        ring.unwrap("ada", WrappedKey(ada.master_key_id, b"vault:v1:AAAA"))
    with pytest.raises(SealBrokenError):
        ring.open("ada", ada)  # a holder's key is no issuer's
    monkeypatch.setattr(key_service, "KEPT_SECONDS", -1.0)
    calls = len(there.calls)
    for _ in range(3):
        KeyRing(TransitMaster(there.url, master._token)).unwrap("ada", ada)
    fresh = TransitMaster(there.url, master._token)
    for _ in range(3):
        KeyRing(fresh).unwrap("ada", ada)
    assert len(there.calls) == calls + 6  # control: what is not remembered is asked for
    monkeypatch.setattr(key_service, "KEPT_SECONDS", 60.0)
    monkeypatch.setattr(key_service, "KEPT", 2)
    for holder in ("1", "2", "3"):
        ring.unwrap(holder, ring.new_key(holder))
    assert len(master._remembered._kept) <= 2


def test_what_the_service_may_do_wrong(
    there: Transit, master: TransitMaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = KeyRing(master)
    ada = ring.new_key("ada")
    there.status = [503]
    assert ring.unwrap("ada", ada)  # a second try finds it back
    for wrong in ([503, 500], [429, 503], [403], [404], [301]):
        there.status = wrong
        assert unavailable(ring.new_key, "bob")
        assert there.status == []
    for body in (
        b"",
        b"{}",
        b"[1]",
        b'{"data": 1}',
        b'{"data": {"ciphertext": "x"}}',
        b"[" * 60_000,
        b"x" * 10**6,
    ):
        there.body = body
        assert unavailable(ring.new_key, "bob")
    there.body = b'{"data": {"ciphertext": "vault:v1:x"}, "more": "%s"}' % (b"x" * key_service.MAX_ANSWER)
    assert unavailable(ring.new_key, "bob")
    with monkeypatch.context() as patched:
        patched.setattr(key_service, "MAX_ANSWER", 10**6)  # control
        assert ring.new_key("bob").wrapped
    there.body = b'{"data": {"plaintext": "?"}}'
    assert unavailable(ring.unwrap, "bob", WrappedKey(ada.master_key_id, b"vault:v1:x"))
    there.body = None
    monkeypatch.setattr(key_service, "READ", 0.05)
    slow = TransitMaster(there.url, master._token)
    there.held.clear()
    assert unavailable(slow.wrap, b"key", b"")
    there.held.set()
    master._token.unlink()
    assert unavailable(ring.new_key, "bob")
    for url in ("https://vault.example/v1/transit", "vault.example/keys/x", "https://vault.example/keys/"):
        with pytest.raises(SettingsError):
            TransitMaster(url, master._token)


def test_an_outage_loses_nothing(lonely_portfolio: Portfolio, there: Transit, master: TransitMaster) -> None:
    app = lonely_portfolio.app
    app.keys = KeyRing(master)
    person = lonely_portfolio.person(given_name="Ada")
    look = holder_pb2.GetHolderRequest(name=person.holder)
    newcomer = lonely_portfolio.learner()
    create = holder_pb2.CreateHolderRequest(holder=holder_pb2.Holder(given_name="Bob"))
    there.status = [503] * 4
    assert reason_of(newcomer.CreateHolder, create) == "UNAVAILABLE"
    with transaction(app) as tx:
        assert tx.execute(text("SELECT count(*) FROM holders")).scalar_one() == 1
    assert person.GetHolder(look).given_name == "Ada"  # what is remembered goes on
    master._remembered._kept.clear()
    there.status = [503] * 2
    assert reason_of(person.GetHolder, look) == "UNAVAILABLE"
    assert person.GetHolder(look).given_name == "Ada"
    assert newcomer.CreateHolder(create).given_name == "Bob"
    assert entry(newcomer).title == "Welder"


def test_the_master_key_changes_while_all_runs(
    lonely_portfolio: Portfolio, there: Transit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a file into the service, to the service's next version, and back to another file."""
    app = lonely_portfolio.app
    monkeypatch.setattr(key_service, "KEPT_SECONDS", -1.0)
    person = lonely_portfolio.person(given_name="Ada")
    look = holder_pb2.GetHolderRequest(name=person.holder)
    manager = lonely_portfolio.staff("catalogue_manager")
    issuer = credential_issuer_pb2.CredentialIssuer(organisation="organisations/quay", display_name="Quay")
    manager.CreateCredentialIssuer(
        credential_issuer_pb2.CreateCredentialIssuerRequest(credential_issuer=issuer)
    )
    settings = replace(app.settings, key_service=there.url)
    (settings.secrets_dir / TOKEN).write_text(there.token)
    ids = text("SELECT master_key_id FROM holder_keys UNION SELECT master_key_id FROM issuer_keys")

    def wrapped_by() -> set[str]:
        with transaction(app, read_only=True) as tx:
            return set(tx.execute(ids).scalars())

    app.keys = key_ring(settings, MASTER)
    assert person.GetHolder(look).given_name == "Ada"  # still under the former key
    there.status = [503] * 2
    with pytest.raises(Refusal):
        jobs.rewrap_holder_keys(app)
    jobs.rewrap_holder_keys(app)
    assert wrapped_by() == {app.keys.current_id}
    assert app.keys.current_id.endswith("#v1")
    (settings.secrets_dir / MASTER).unlink()
    app.keys = key_ring(settings, MASTER)
    assert person.GetHolder(look).given_name == "Ada"
    there.rotate()
    assert person.GetHolder(look).given_name == "Ada"
    jobs.rewrap_holder_keys(app)
    (version,) = wrapped_by()
    assert version.endswith("#v2")
    there.keys[0] = os.urandom(32)  # the former version is gone for good
    assert person.GetHolder(look).given_name == "Ada"
    back = replace(settings, key_service="", former_key_services=(there.url,))
    app.keys = key_ring(back, MASTER)
    jobs.rewrap_holder_keys(app)
    assert wrapped_by() == {app.keys.current_id}
    app.keys = key_ring(replace(back, former_key_services=()), MASTER)
    assert person.GetHolder(look).given_name == "Ada"
    app.keys = KeyRing(TransitMaster(there.url, settings.secrets_dir / TOKEN))
    assert reason_of(person.GetHolder, look) == "SEAL_KEY_MISSING"  # control: the service's key is of no use
