"""The ledger: append-only, and a flipped, deleted, swapped or inserted entry is found and named."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import text
from waymark.vouchers.v1 import ledger_pb2

from services.platform.db import engine as engines
from services.platform.db.engine import make_engine
from services.platform.db.ids import new_id
from services.platform.db.transaction import transaction
from services.vouchers import verification
from services.vouchers.api import ledger as ledger_api
from services.vouchers.domain import bookings
from services.vouchers.store import ledger
from tests.integration.vouchers.ledgers import Tamper, chain, findings
from tests.integration.vouchers.refusals import refused
from tests.support.vouchers import World, cents


def test_an_honest_ledger_is_intact(spent: World) -> None:
    report = spent.verify()
    assert report.intact, report.findings
    assert report.checkpoint_count > 0
    assert sum(spent.balances().values()) == 0


def test_the_balance_of_a_pot_is_the_sum_of_its_entries(
    spent: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(spent.app) as tx:
        pot = tx.execute(text("SELECT name FROM pots")).scalar_one()
        summed = ledger.owner_sums(tx, pot)
    monkeypatch.setattr(ledger, "owner_sums", lambda *_: pytest.fail("reads an entry for each grant"))
    asked = ledger_pb2.GetBalancesRequest(account_owner=pot)
    (found,) = spent.auditor.ledger.GetBalances(asked).balances
    ((kind, currency, entered),) = summed
    assert (found.account_kind, found.amount.currency_code, cents(found.amount)) == (kind, currency, entered)


def test_a_statement_of_redeeming_moves_no_money_whose_sums_it_leaves(spent: World) -> None:
    with transaction(spent.app) as tx:
        head = ledger.lock_head_of(tx, "EUR", "pot")
        funding = bookings.fund(new_id(), "source", "pot", 100)
        with pytest.raises(ValueError, match="fund moves money beside the accounts"):
            ledger.tail(tx, head, funding, ledger.REDEEMING)
        assert ledger.tail(tx, head, funding)["kind_2"] == 100


def test_even_the_service_itself_can_neither_change_nor_delete(spent: World) -> None:
    for table in ("ledger_entries", "ledger_rounds", "ledger_checkpoints"):
        for statement in (
            f"UPDATE {table} SET created_at = now()",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
        ):
            with (
                pytest.raises(sqlalchemy.exc.ProgrammingError, match=r"append-only|permission"),
                transaction(spent.app) as tx,
            ):
                tx.execute(text(statement))


def test_a_flipped_entry_is_named(spent: World, tamper: Tamper) -> None:
    shard = chain(tamper)
    tamper("UPDATE ledger_entries SET cents = cents + 1 WHERE shard = :s AND sequence = 2", s=shard)
    found = findings(spent)
    assert (shard, 2, "HASH") in found
    assert (shard, 1, "UNBALANCED") in found


def test_a_deleted_entry_is_named(spent: World, tamper: Tamper) -> None:
    shard = chain(tamper)
    tamper("DELETE FROM ledger_entries WHERE shard = :s AND sequence = 3", s=shard)
    assert (shard, 4, "GAP") in findings(spent)


def test_deleted_last_entries_are_named(spent: World, tamper: Tamper) -> None:
    shard = chain(tamper)
    tamper("DELETE FROM ledger_entries WHERE shard = :s AND sequence > 2", s=shard)
    kinds = {kind for where, _, kind in findings(spent) if where == shard}
    assert {"HEAD", "CHECKPOINT"} <= kinds


def test_swapped_entries_are_named(spent: World, tamper: Tamper) -> None:
    shard = chain(tamper)
    for old, new in ((1, 1001), (2, 1), (1001, 2)):
        tamper(
            "UPDATE ledger_entries SET sequence = :new WHERE shard = :s AND sequence = :old",
            s=shard,
            old=old,
            new=new,
        )
    assert {(shard, 1, "HASH"), (shard, 2, "HASH")} <= findings(spent)


def test_an_inserted_entry_is_named(spent: World, tamper: Tamper) -> None:
    shard = chain(tamper)
    (last,) = tamper("SELECT max(sequence) AS m FROM ledger_entries WHERE shard = :s", s=shard)
    tamper(
        """INSERT INTO ledger_entries SELECT shard, sequence + 1, transaction, operation, kind, owner, cents,
          currency, reference, hash, created_at FROM ledger_entries WHERE shard = :s AND sequence = :m""",
        s=shard,
        m=last.m,
    )
    found = findings(spent)
    assert (shard, last.m + 1, "HASH") in found


def test_a_balance_changed_beside_the_ledger_is_named(spent: World, tamper: Tamper) -> None:
    tamper("UPDATE pots SET available_cents = available_cents + 1")
    assert {kind for _, _, kind in findings(spent)} == {"BALANCE"}


@pytest.fixture
def spending_meanwhile(spent: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which somebody reserves between the two halves of a verification."""
    learner, voucher = spent.voucher()
    add_up = verification._add_up

    def reserved_first(*arguments: Any) -> Any:
        spent.reserve(learner, voucher, 1_000)
        return add_up(*arguments)

    monkeypatch.setattr(verification, "_add_up", reserved_first)
    return spent


def test_chains_and_sums_are_read_at_one_moment(spending_meanwhile: World) -> None:
    assert spending_meanwhile.verify().intact


def test_control_without_the_shared_moment_spending_looks_like_tampering(
    spending_meanwhile: World,
) -> None:
    def forget(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> tuple[str, Any]:
        return statement.replace("SET TRANSACTION SNAPSHOT", "SELECT"), parameters

    engine = spending_meanwhile.app.side_engine
    sqlalchemy.event.listen(engine, "before_cursor_execute", forget, retval=True)
    try:
        assert "HEAD" in {kind for _, _, kind in findings(spending_meanwhile)}
    finally:
        sqlalchemy.event.remove(engine, "before_cursor_execute", forget)


SHORT, LONG = 0.8, 3.0  # seconds: what ordinary statements may take here, and how long a sum takes


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a transaction must not stand idle for long."""
    monkeypatch.setattr(engines, "IDLE_TIMEOUT", SHORT)


@pytest.fixture
def slow(hasty: None, spent: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """A world in which adding up balances takes LONG, because somebody has locked them for so long, and the
    bound of ordinary statements is SHORT; yields a list that takes each verification."""
    side = make_engine(spent.app.settings.database_url, 3, statement_timeout=SHORT)
    monkeypatch.setitem(spent.app.__dict__, "side_engine", side)
    verified, verify_all = list[Any](), ledger_api.verify

    def counted(*arguments: Any) -> Any:
        verified.append(arguments)
        return verify_all(*arguments)

    monkeypatch.setattr(ledger_api, "verify", counted)
    locked = threading.Event()

    def lock() -> None:
        with transaction(spent.app) as tx:
            tx.execute(text("LOCK TABLE pots IN ACCESS EXCLUSIVE MODE"))
            locked.set()
            tx.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": LONG})

    with ThreadPoolExecutor(1) as beside:
        held = beside.submit(lock)
        assert locked.wait(30)
        yield verified
        held.result()
    side.dispose()


def test_a_sum_may_take_longer_than_an_ordinary_statement(slow: list[Any], spent: World) -> None:
    assert spent.verify().intact
    assert len(slow) == 1


def test_control_within_the_bounds_of_ordinary_statements_it_is_cut_short(
    slow: list[Any], spent: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "PATIENCE", SHORT)
    # Of the statement, or of the other connection that stands idle meanwhile: whichever ends first.
    assert refused(spent.verify) in ("DEADLINE_EXCEEDED", "UNAVAILABLE")
    *_, last = spent.auditor.ledger.VerifyWholeLedger(ledger_pb2.VerifyWholeLedgerRequest())
    assert last.result.intact  # within the bounds of a stream


def test_control_were_the_call_not_to_stand_idle_it_would_be_verified_twice(
    slow: list[Any], spent: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_api, "may_idle", lambda *_: None)
    assert spent.verify().intact
    assert len(slow) == 2


def test_without_both_connections_nothing_is_read(spent: World, monkeypatch: pytest.MonkeyPatch) -> None:
    side = spent.app.side_engine
    monkeypatch.setattr(verification, "_check_chains", None)
    with side.connect(), side.connect():  # of three
        assert refused(spent.verify) == "OVERLOADED"
    assert refused(spent.verify) == "INTERNAL"  # the control
