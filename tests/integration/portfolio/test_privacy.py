"""What is kept of a person: sealed in its place, unreadable without the key, nowhere else (I11)."""

from __future__ import annotations

import uuid

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from waymark.portfolio.v1 import access_log_pb2, entry_pb2, holder_pb2, share_link_pb2

from services.platform.db.transaction import transaction
from services.portfolio import jobs
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import keys
from services.portfolio.domain.keys import KeyRing
from services.portfolio.store import tables, vault
from tests.support.canary import CANARY, everything, live_a_life
from tests.support.portfolio import Caller, Portfolio, entry, reason_of, share


def provoke(person: Caller) -> list[str]:
    """Refusals that a name could slip into."""
    bad = [
        (person.CreateHolder, holder_pb2.CreateHolderRequest(holder=holder_pb2.Holder(given_name=CANARY))),
        (
            person.CreateEntry,
            entry_pb2.CreateEntryRequest(
                parent=person.holder,
                entry=entry_pb2.Entry(kind=1, uri=CANARY, title=CANARY, evidence=[CANARY]),
            ),
        ),
        (person.GetEntry, entry_pb2.GetEntryRequest(name=f"{person.holder}/entries/none")),
    ]
    return [reason_of(call, request) for call, request in bad]


def test_a_canary_name_is_nowhere_in_the_clear(lonely_portfolio: Portfolio, capfd) -> None:
    person = live_a_life(lonely_portfolio)
    provoke(person)
    assert CANARY not in everything(lonely_portfolio.app.engine)
    out, err = capfd.readouterr()
    assert CANARY not in out + err
    read = person.GetHolder(holder_pb2.GetHolderRequest(name=person.holder))
    assert read.given_name == CANARY


def test_without_sealing_the_canary_would_be_found(lonely_portfolio: Portfolio, monkeypatch) -> None:
    """Control: it is the seal that keeps the name out of sight, in rows and in kept answers."""
    monkeypatch.setattr(keys, "_encrypt", lambda key, plain, bound: plain)
    monkeypatch.setattr(keys, "_decrypt", lambda key, sealed, bound: sealed)
    live_a_life(lonely_portfolio)
    assert everything(lonely_portfolio.app.engine).count(CANARY) >= 10


def test_without_sealed_answers_the_canary_would_be_found(lonely_portfolio: Portfolio, monkeypatch) -> None:
    """Control: kept answers are sealed by the app and by nothing else."""
    monkeypatch.setattr(PortfolioApp, "seal_answer", lambda self, tx, request, answer: answer)
    live_a_life(lonely_portfolio)
    assert CANARY in everything(lonely_portfolio.app.engine)


def swap(portfolio: Portfolio, first: str, second: str) -> None:
    """Exchanges the ciphertexts of two entries in the database."""
    statement = (
        "UPDATE entries SET sealed = (SELECT o.sealed FROM entries o WHERE o.id IN (:a, :b) "
        "AND o.id <> entries.id) WHERE id IN (:a, :b)"
    )
    with transaction(portfolio.app) as tx:
        assert tx.execute(text(statement), {"a": first[-36:], "b": second[-36:]}).rowcount == 2


@pytest.mark.parametrize("same_holder", [True, False])
def test_swapped_ciphertexts_are_refused(lonely_portfolio: Portfolio, same_holder: bool) -> None:
    person = lonely_portfolio.person()
    other = person if same_holder else lonely_portfolio.person()
    first, second = entry(person, "first"), entry(other, "second")
    swap(lonely_portfolio, first.name, second.name)
    assert reason_of(person.GetEntry, entry_pb2.GetEntryRequest(name=first.name)) == "INTERNAL"


def test_without_associated_data_a_swap_would_pass(lonely_portfolio: Portfolio, monkeypatch) -> None:
    """Control."""
    monkeypatch.setattr(keys, "associated", lambda *place: b"")
    person = lonely_portfolio.person()
    first, second = entry(person, "first"), entry(person, "second")
    swap(lonely_portfolio, first.name, second.name)
    assert person.GetEntry(entry_pb2.GetEntryRequest(name=first.name)).title == "second"


def test_an_erased_key_makes_everything_unreadable(lonely_portfolio: Portfolio) -> None:
    person, other = lonely_portfolio.person(given_name="Ada"), lonely_portfolio.person(given_name="Bob")
    counsellor = lonely_portfolio.mandated(person)
    job, token = entry(person), share(person, ["holder"]).token
    request = holder_pb2.UpdateHolderRequest(
        holder=holder_pb2.Holder(name=person.holder, given_name="Eve"), request_id=str(uuid.uuid4())
    )
    person.UpdateHolder(request)
    with transaction(lonely_portfolio.app) as tx:
        assert vault.erase_key(tx, person.subject)
        assert not vault.erase_key(tx, person.subject)
    look = holder_pb2.GetHolderRequest(name=person.holder)
    opening = share_link_pb2.OpenShareLinkRequest(token=token)
    for call, refused in [
        (person.GetHolder, look),
        (counsellor.GetHolder, look),
        (person.GetEntry, entry_pb2.GetEntryRequest(name=job.name)),
        (person.ListEntries, entry_pb2.ListEntriesRequest(parent=person.holder)),
        (person.UpdateHolder, request),  # the kept answer
        (lonely_portfolio.anybody().OpenShareLink, opening),
    ]:
        assert reason_of(call, refused) == "NOT_FOUND"
    records = person.ListAccessRecords(access_log_pb2.ListAccessRecordsRequest(parent=person.holder))
    assert not records.access_records  # and nobody saw anything
    assert other.GetHolder(holder_pb2.GetHolderRequest(name=other.holder)).given_name == "Bob"


def test_a_rotated_master_key_opens_what_was_sealed_before(lonely_portfolio: Portfolio) -> None:
    person = lonely_portfolio.person(given_name="Ada")
    app = lonely_portfolio.app
    old = app.settings.secret("portfolio-master.key", size=32)
    app.keys = KeyRing(b"n" * 32, former=[old])
    look = holder_pb2.GetHolderRequest(name=person.holder)
    assert person.GetHolder(look).given_name == "Ada"
    jobs.rewrap_holder_keys(app)
    app.keys = KeyRing(b"n" * 32)
    assert person.GetHolder(look).given_name == "Ada"
    app.keys = KeyRing(old)
    assert reason_of(person.GetHolder, look) == "SEAL_KEY_MISSING"  # control: the old key is of no use


def test_the_migrations_make_the_tables_that_the_code_uses(database) -> None:
    with database("portfolio").engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), tables.metadata)
    assert differences == []
