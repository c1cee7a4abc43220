"""Some people's vouchers at once: each decided by itself, all written together. The database works on those
before while the next is decided or made."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from google.protobuf.message import Message
from sqlalchemy import Row
from waymark.vouchers.v1 import events_pb2

from services.platform.db.copying import copy_rows
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.db.wire import Call
from services.vouchers.app import VouchersApp
from services.vouchers.assessment import Assessment
from services.vouchers.decisions import decision_values
from services.vouchers.domain.eligibility import Decision, decide
from services.vouchers.domain.ledger import Booking, shard_offset
from services.vouchers.domain.states import ApplicationState
from services.vouchers.granting import issue_booking, issued, voucher_values
from services.vouchers.store import allocations, applications, budgets, facts, ledger, vouchers
from services.vouchers.store.allocations import RowOutcome, Settled
from services.vouchers.store.tables import applications as application_table

AT_ONCE = 200  # vouchers of one statement, so that the database begins soon


class Grant(NamedTuple):
    """One voucher to be, with the pot that pays for it. `application` and `voucher`: ids."""

    learner: str
    found: Assessment
    pot: Row[Any]
    application: str
    voucher: str

    @property
    def cents(self) -> int:
        """What the voucher is worth."""
        assert self.found.decision.worth is not None
        return self.found.decision.worth.amount


class Purse:
    """The pots of a programme while money is taken from them. `taken`: cents by pot that are promised already
    and still in it, as in a dry run."""

    def __init__(self, pots: Sequence[Row[Any]], taken: Mapping[str, int]) -> None:
        self._pots = [(pot, str(pot.id)) for pot in pots]
        self.taken = {name: taken.get(name, 0) for _, name in self._pots}

    def take(self, group: str, cents: int) -> Row[Any] | None:
        """Takes from the first pot for the group that holds enough; None when none does."""
        for pot, name in self._pots:
            left = pot.available_cents - self.taken[name]
            if left >= cents and (not pot.target_groups or group in pot.target_groups):
                self.taken[name] += cents
                return pot
        return None


class Allotment:
    """What became of `rows` (learner, price_cents, line): `settled` for each, `grants`, and in a dry run
    `taken`, the cents by pot that it and those before it would have taken.

    Takes locks in the order of a single grant: learners, pots, chains of the ledger.
    """

    def __init__(
        self,
        app: VouchersApp,
        tx: Transaction,
        operation: str,
        asked: Mapping[str, Any],
        rows: Sequence[Row[Any]],
        taken: Mapping[str, int],
    ) -> None:
        self._tx, self._asked, self._today = tx, asked, tx.today
        self._rules = app.rules(tx, asked["programme"], asked["number"])
        self._operation, self._session = operation, f"allocations/{asked['allocation']}"
        dry_run, people = bool(asked["dry_run"]), [row.learner for row in rows]
        if not dry_run:
            facts.lock_learners(tx, people)
        self._facts = facts.read_many(tx, people)
        programme = asked["programme"]
        self._histories = applications.histories(tx, people, programme, self._session, self._rules)
        newcomers = self._rules.for_newcomers
        self._versions = applications.last_versions(tx, people, programme) if newcomers else {}
        self._purse = Purse(budgets.open_pots(tx, programme, self._today, locked=not dry_run), taken)
        before = applications.granted_for(tx, people, programme, self._session)
        self.grants: list[Grant] = []
        self.settled: list[Settled] = []
        self._made: list[dict[str, Any]] = []  # vouchers of the grants
        self._booked: list[tuple[int, Booking]] = []
        granted = self._granted(rows, before)
        if dry_run:
            for _ in granted:
                pass  # nothing to write but what became of the rows
            tx.stream(allocations.settling(operation, self.settled))
        else:
            self._write(granted)
        self.taken = self._purse.taken if dry_run else {}

    def _granted(self, rows: Iterable[Row[Any]], before: Container[str]) -> Iterator[Grant]:
        """Settles row after row; yields the grants."""
        for row in rows:
            grant, codes, missing = None, ["ALLOCATED_BEFORE"], list[str]()
            if self._versions.get(row.learner, self._asked["number"]) != self._asked["number"]:
                codes = ["EARLIER_COHORT"]
            elif row.learner == f"learners/{self._asked.get('asked_by')}":
                codes = ["SAME_PERSON"]
            elif row.learner not in before:
                grant, codes, missing = self._settle(row)
            if grant is None:
                self.settled.append(Settled(row.line, int(RowOutcome.REFUSED), 0, None, codes, missing))
                continue
            voucher = None if self._asked["dry_run"] else grant.voucher
            self.settled.append(Settled(row.line, int(RowOutcome.ALLOCATED), grant.cents, voucher, [], []))
            self.grants.append(grant)
            yield grant

    def _settle(self, row: Row[Any]) -> tuple[Grant | None, list[str], list[str]]:
        """Decides one row; returns the grant, or what speaks against one and which facts are missing."""
        decision = self._decide(row)
        codes, worth = decision.reason_codes, decision.worth
        if worth is not None and row.price_cents is not None and worth.face < row.price_cents:
            codes = [*codes, "AMOUNT_TOO_HIGH"]
        if not codes and decision.automatic and worth is not None:
            pot = self._purse.take(decision.group, worth.amount)
            if pot is not None:
                found = self._found(row, decision.with_budget(held=True))
                return Grant(row.learner, found, pot, new_id(), new_id()), [], []
            codes = ["BUDGET_EXHAUSTED"]
        missing = decision.missing
        return None, codes or ["FACTS_MISSING" if missing else "NOT_VERIFIED"], missing

    def _decide(self, row: Row[Any]) -> Decision:
        known, history = self._facts[row.learner], self._histories[row.learner]
        return decide(self._rules, known, None, None, history, self._today, price=row.price_cents)

    def _found(self, row: Row[Any], decision: Decision) -> Assessment:
        return Assessment(
            programme_id=self._asked["programme"],
            number=self._asked["number"],
            rules=self._rules,
            offer=None,
            shortage_version="",
            entry=None,
            history=self._histories[row.learner],
            today=self._today,
            pot_held=True,
            decision=decision,
            allocation=self._session,
            price=row.price_cents,
        )

    def _write(self, granted: Iterable[Grant]) -> None:
        """Writes all grants; the chains of the ledger come last, because others wait for them too."""
        copy_rows(self._tx, application_table, map(self._application, granted))
        self._tx.stream(self._calls(ledger.chains(self._tx, self._rules.currency)))
        if self._booked:
            ledger.post_all(self._tx, self._booked)

    def _calls(self, chains: Sequence[int]) -> Iterator[Call]:
        """Yields what writes all but applications and ledger."""
        yield from allocations.settling(self._operation, self.settled)
        for start in range(0, len(self.grants), AT_ONCE):
            yield vouchers.adding(self._vouchers(self.grants[start : start + AT_ONCE], chains))
        yield from budgets.taking(self._purse.taken)
        yield from self._tx.publishing(self._events())

    def _vouchers(self, grants: Iterable[Grant], chains: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Makes vouchers and their bookings; yields the vouchers."""
        for grant in grants:
            values = self._voucher(grant, chains)
            self._made.append(values)
            self._booked.append((values["shard"], issue_booking(values, grant.pot)))
            yield values

    def _events(self) -> Iterator[Message]:
        for grant, values in zip(self.grants, self._made, strict=True):
            yield self._decided(grant)
            yield issued(values)

    def _voucher(self, grant: Grant, chains: Sequence[int]) -> dict[str, Any]:
        shard = chains[shard_offset(f"vouchers/{grant.voucher}")]
        ids = grant.learner, grant.application, grant.voucher
        within = self._rules.version.window_rule.within_budget_period
        last_day = grant.pot.end_date if within else None
        return voucher_values(self._tx, grant.found, *ids, grant.pot, shard, last_day)

    def _application(self, grant: Grant) -> dict[str, Any]:
        values = decision_values(grant.found, grant.learner)
        granted = {"state": int(ApplicationState.GRANTED), "decided_at": self._tx.now}
        return {**values, **granted, "id": grant.application, "voucher_id": grant.voucher}

    def _decided(self, grant: Grant) -> events_pb2.ApplicationDecided:
        name = f"applications/{grant.application}"
        return events_pb2.ApplicationDecided(application=name, learner=grant.learner, granted=True)
