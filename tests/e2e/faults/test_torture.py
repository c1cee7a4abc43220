"""A round of what `make torture` does for hours: each process killed once under load, nothing lost."""

from __future__ import annotations

import random
from copy import deepcopy

import pytest

from tests.support.kills import HITS, all_gates
from tests.support.stand import Stand
from tests.support.torture import Torture

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]


def test_each_process_is_killed_once_and_nothing_is_lost(stand: Stand) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    with all_gates(stand) as built:
        tortured = Torture(stand, built, seed)
        tortured.round()
        outcome = tortured.outcome()
        assert outcome.faults == []
        assert sum(outcome.kills.values()) == len(HITS)
        print(outcome.verdict)
        assert outcome.verdict.startswith("nothing lost: 3 kills")

        journal = stand.callers.journal
        lost = deepcopy(journal.of("AcceptRedemption")[-1].answer)  # control: a call of which nothing is left
        lost.name = "redemptions/lost"
        entry = journal.of("AcceptRedemption")[-1]
        journal.entries.append(type(entry)(entry.person, entry.rpc, entry.request, lost, []))
        assert "('accept', 'redemptions/lost')" in tortured.outcome().verdict
        journal.entries.pop()
