"""Takes decisions from the store, reads what is pinned with each, and computes them again."""

from __future__ import annotations

from typing import Any, NamedTuple

from google.protobuf.json_format import ParseDict, ParseError
from sqlalchemy import Row
from waymark.vouchers.v1 import application_pb2 as pb
from waymark.vouchers.v1 import eligibility_pb2

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.vouchers.api.convert import difference, moment
from services.vouchers.decisions import kept_clause
from services.vouchers.domain import facts, offers, replay
from services.vouchers.domain.differences import Difference
from services.vouchers.domain.eligibility import Decision, History, decide
from services.vouchers.domain.money import money
from services.vouchers.domain.programme import Rules, Version, compile_rules
from services.vouchers.domain.shortage import Entry
from services.vouchers.domain.states import ApplicationState
from services.vouchers.shortages import Lists
from services.vouchers.store import programmes


class Replayer:
    """Computes decisions again in one transaction. Rules are read from their rows, each once, and never from
    the cache of the process: a row that was changed since must show."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._lists = Lists(tx)
        self._rules: dict[tuple[str, int], Rules | Difference] = {}

    def replay(self, row: Row[Any]) -> pb.Replay:
        """Returns what came of the application in `row`."""
        found = self._differences(row)
        programme = f"programmes/{row.programme_id}"
        return pb.Replay(
            application=f"applications/{row.id}",
            programme_version=f"{programme}/versions/{row.version_number}",
            shortage_list_version=row.shortage_version,
            agrees=not found,
            differences=map(difference, found),
            facts_let_go_time=moment(row.facts_let_go_at),
        )

    def _differences(self, row: Row[Any]) -> list[Difference]:
        rules = self._rules_of(row.programme_id, row.version_number)
        if isinstance(rules, Difference):
            return [rules]
        if row.facts_let_go_at:
            return self._pins_left(row, rules)
        try:
            known, offer = facts.restore(row.facts), offers.restore(row.offer)
            history = History(**row.history)  # what was not counted in its day is nothing
        except replay.UNREADABLE as error:  # the kind of error only: the text could repeat a fact
            return [Difference("facts", None, f"what was kept cannot be read: {type(error).__name__}")]
        entry = self._lists.matching_entry(rules, offer, row.shortage_version)
        texts = [facts.canonical(kept) for kept in (row.facts, row.offer, row.history)]
        now = replay.pins(rules, texts[0], texts[1], texts[2], entry, row.decided_on)
        applied, price = row.applied_on, row.offer.get("price")
        decision = decide(rules, known, offer, entry, history, row.decided_on, applied, price)
        decision = decision.with_budget(held=row.pot_held)
        return [
            *replay.pin_differences({"facts": row.fact_hash, **row.pins}, now),
            *_outcome_differences(row, _computed(row, decision, entry)),
            *_numbers(row, decision),
        ]

    def _pins_left(self, row: Row[Any], rules: Rules) -> list[Difference]:
        """Returns what differs of all else than the facts, which are gone, and the outcome with them."""
        entry = self._lists.matching_entry(rules, offers.restore(row.offer), row.shortage_version)
        offer, history = facts.canonical(row.offer), facts.canonical(row.history)
        return replay.pin_differences(row.pins, replay.pins(rules, "", offer, history, entry, row.decided_on))

    def _rules_of(self, programme_id: str, number: int) -> Rules | Difference:
        key = (programme_id, number)
        if key not in self._rules:
            self._rules[key] = self._compiled(programme_id, number)
        return self._rules[key]

    def _compiled(self, programme_id: str, number: int) -> Rules | Difference:
        row = programmes.get_version(self._tx, programme_id, number)
        name = f"programmes/{programme_id}/versions/{number}"
        try:
            return compile_rules(name, row.currency, ParseDict(row.rules, Version()))
        except Refusal as refusal:
            said = "; ".join(f"{item.field} {item.description}" for item in refusal.violations)
        except ParseError as error:
            said = str(error)
        return Difference("rules", None, f"cannot be read: {said}")


class _Outcome(NamedTuple):
    """What came of a decision, in the columns and the form that are kept."""

    state: int
    shortage_entry: str
    clauses: list[dict[str, Any]]
    reason_codes: list[str]
    automatic: bool
    amount_cents: int
    share_cents: int
    target_group: str
    currency: str


def _computed(row: Row[Any], decision: Decision, entry: Entry | None) -> _Outcome:
    by_person, stored = replay.by_person(row), ApplicationState(row.state)
    state, codes = replay.state_of(
        decision, stored, row.reason_codes, by_person=by_person, left_draw=row.left_draw
    )
    worth = decision.worth
    return _Outcome(
        state=int(state),
        shortage_entry=entry.name if entry else "",
        clauses=[kept_clause(result, row.decided_on) for result in decision.results],
        reason_codes=codes,
        automatic=decision.automatic and not by_person,
        amount_cents=worth.amount if worth else 0,
        share_cents=worth.share if worth else 0,
        target_group=decision.group,
        currency=row.currency,
    )


def _outcome_differences(row: Row[Any], now: _Outcome) -> list[Difference]:
    if all(getattr(row, name) == value for name, value in now._asdict().items()):
        return []  # nearly always, and far quicker than by messages
    return replay.outcome_differences(_message(row), _message(now))


def _message(kept: Row[Any] | _Outcome) -> pb.Application:
    clauses = kept.clauses or []  # an empty document where none was kept
    return pb.Application(
        state=pb.Application.State.ValueType(kept.state),
        shortage_entry=kept.shortage_entry,
        clauses=[ParseDict(item, eligibility_pb2.ClauseOutcome()) for item in clauses],
        reason_codes=kept.reason_codes,
        automatic=kept.automatic,
        amount=money(kept.amount_cents, kept.currency),
        learner_share=money(kept.share_cents, kept.currency),
        target_group=kept.target_group,
    )


def _numbers(row: Row[Any], decision: Decision) -> list[Difference]:
    """Returns where the numbers differ that later decisions and spending rest on and no application shows."""
    face = decision.worth.face if decision.worth else 0
    pairs = (("face_cents", row.face_cents, face), ("cover_percent", row.cover_percent, decision.cover))
    return [Difference(name, str(kept), str(now)) for name, kept, now in pairs if kept != now]
