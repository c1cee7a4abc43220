"""Kills a stack's processes over and over under load, and then asks whether anything was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

import psycopg

from tests.support import audit
from tests.support.gates import Gates
from tests.support.kills import HITS, strike
from tests.support.stand import Learner, Stand
from tests.support.traffic import load
from tests.support.waiting import eventually

SPENDINGS = 2000  # of one voucher, before the next learner comes
SPENDERS, PAUSE = 4, 0.2
SECONDS = 300  # that everything may take to come to rest


class Spender:
    """Spends vouchers in small amounts, one after the other, for as long as it is called."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._left = 0

    def __call__(self) -> None:
        """Takes a redemption all the way."""
        if not self._left:
            self._learner, self._left = self._stand.learner(), SPENDINGS
        self._stand.spend(self._learner)
        self._left -= 1


@dataclass(frozen=True)
class Outcome:
    """What the kills came to. `repeated`: calls that had to be made again; `twice`: events told again."""

    kills: Mapping[str, int]
    calls: int
    repeated: int
    twice: int
    faults: list[str]

    @property
    def verdict(self) -> str:
        """One line: what was lost, if anything."""
        bitten = (
            f"{self.calls} calls acknowledged, {self.repeated} of them made again, {self.twice} events twice"
        )
        if not self.faults:
            return f"nothing lost: {sum(self.kills.values())} kills, {bitten}"
        return f"LOST, {len(self.faults)} findings, the first: {self.faults[0]}"


class Torture:
    """Rounds of kills on a stand; the same seed hits the same points in the same order."""

    def __init__(self, stand: Stand, built: Mapping[str, Gates], seed: int) -> None:
        self.kills = Counter[str]()
        self._stand, self._built, self._chance = stand, built, Random(seed)
        self._walkers = list[Learner]()
        self._spenders = [Spender(stand) for _ in range(SPENDERS)]

    def round(self) -> None:
        """Kills each part once while vouchers are spent and a step is moved."""
        self._stand.stack.until(lambda state: state.ready)
        parts = self._chance.sample(sorted(HITS), len(HITS))
        with load(*self._spenders, pause=PAUSE), ThreadPoolExecutor(1) as pool:
            walked = pool.submit(self._walk)
            for part in parts:
                hit = self._chance.choice(HITS[part])
                strike(self._stand, self._built, hit, self._chance)
                self.kills[hit.name] += 1
            walked.result()

    def _walk(self) -> None:
        walker = self._stand.learner(pathway=True)
        self._stand.spend(walker)
        self._walkers.append(walker)

    def outcome(self) -> Outcome:
        """Waits until everything is at rest, and holds what was acknowledged against what is there."""
        stand, journal = self._stand, self._stand.callers.journal
        stand.stack.until(lambda state: state.ready)
        stand.until_drained(SECONDS)
        records = audit.read_topics(stand.bootstrap, [audit.REDEMPTIONS])
        events = audit.events_in(records)
        told = Counter(event.id for event in events)
        return Outcome(
            kills=dict(self.kills),
            calls=len(journal.entries),
            repeated=sum(len(entry.attempts) > 1 for entry in journal.entries),
            twice=sum(count > 1 for count in told.values()),
            faults=stand.books() + audit.event_faults(events, journal) + self._effect_faults(events),
        )

    def _effect_faults(self, events: list[audit.Event]) -> list[str]:
        stand, pathways = self._stand, [walker.pathway for walker in self._walkers]
        with psycopg.connect(stand.database("portfolio"), autocommit=True) as connection:
            try:
                eventually(lambda: not audit.inbox_faults(connection, events), SECONDS)
            except AssertionError:
                return audit.inbox_faults(connection, events)
        eventually(lambda: not stand.one("portfolio", "SELECT count(*) FROM outbox"), SECONDS)
        return audit.step_faults(audit.read_topics(stand.bootstrap, [audit.PATHWAYS]), pathways)
