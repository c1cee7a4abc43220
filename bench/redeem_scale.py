"""`make bench-redeem-scale`: redeeming costs the same however many vouchers and programmes there are.

Three databases with fsync on: 10 000 vouchers and 2 000 000 of one programme, and 10 000 of 500 programmes.
The callers reserve from vouchers all over the table, authorise and accept. The databases take turns, a few
seconds each, and each turn is compared with that of the small database beside it, because a disk may be twice
as slow a minute later; the median of these ratios counts. Beside that, the decision itself
under thirty clauses, as a pure function, one fact of which nobody has checked: each clause is tried twice.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from statistics import harmonic_mean, median
from typing import NamedTuple

from google.protobuf.json_format import ParseDict
from sqlalchemy import Engine

from bench.load import run_load
from bench.redeem import CALLERS, redemptions, reservations
from bench.redeem_world import RULES, SESSION, SESSIONS, grow
from bench.report import Goal, report
from bench.servers import durable_postgres, keys, serving, settings
from services.cli.stack.ports import free_port
from services.vouchers.domain.eligibility import History, decide
from services.vouchers.domain.facts import Fact, Source
from services.vouchers.domain.offers import Offer
from services.vouchers.domain.programme import Version, compile_rules
from tests.support.servers import token

EACH = 60  # writes of each kind by each caller in a turn
# Reservations of each caller before: 2 880 of them meet nearly all of 500 programmes in both processes,
# which keep the rules of a programme from then on. With fewer a turn is one of a server just started.
WARM = 90
TURNS = 5
CLAUSES = 30
DECISIONS = 5_000
GOALS = (
    Goal("many_vouchers_to_few", "≥", 0.85),
    Goal("many_programmes_to_one", "≥", 0.85),
    Goal("decision_p99_ms", "≤", 1, "ms"),
)


class Size(NamedTuple):
    """What a database holds."""

    vouchers: int
    programmes: int


def main() -> int:
    """Measures and reports; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vouchers", type=int, default=2_000_000)
    parser.add_argument("--programmes", type=int, default=500)
    given = parser.parse_args()
    sizes = {
        "few": Size(10_000, 1),
        "many_vouchers": Size(given.vouchers, 1),
        "many_programmes": Size(10_000, given.programmes),
    }
    rates: dict[str, list[float]] = {name: [] for name in sizes}
    figures: dict[str, float] = {"vouchers": given.vouchers, "programmes": given.programmes}
    with tempfile.TemporaryDirectory(prefix="waymark-bench-") as path, keys() as jwks, ExitStack() as open_:
        worlds = {}
        for name, size in sizes.items():
            folder = Path(path) / name
            folder.mkdir()
            started = time.perf_counter()
            url = open_.enter_context(durable_postgres("vouchers", folder))
            worlds[name] = grow(url, size.vouchers, people=CALLERS, programmes=size.programmes), url, folder
            figures[f"build_{name}_s"] = time.perf_counter() - started
        Path(path).chmod(0o755)
        for turn in range(TURNS):
            order = list(worlds.items())
            for name, (engine, url, folder) in order if turn % 2 else reversed(order):
                environ = settings("vouchers", url, jwks, folder, f"127.0.0.1:{free_port()}")
                rates[name].append(measure(engine, environ, sizes[name].vouchers))
        for engine, _, _ in worlds.values():
            engine.dispose()
    figures |= {f"{name}_writes_per_s": median(found) for name, found in rates.items()}
    figures["many_vouchers_to_few"] = compared(rates["many_vouchers"], rates["few"])
    figures["many_programmes_to_one"] = compared(rates["many_programmes"], rates["few"])
    figures["decision_p50_ms"], figures["decision_p99_ms"] = decision_ms()
    return 0 if report("redeem-scale", figures, GOALS) else 1


def compared(rates: Sequence[float], others: Sequence[float]) -> float:
    """Returns the median of the ratios, turn by turn."""
    return median(one / other for one, other in zip(rates, others, strict=True))


def measure(engine: Engine, environ: dict[str, str], vouchers: int) -> float:
    """Returns how many writes of all three kinds together a server does in a second."""
    people = [token("learner", subject=str(number)) for number in range(1, CALLERS + 1)]
    with serving("vouchers", environ) as (address, _):
        run_load(reservations(address, people, anywhere(vouchers, WARM), SESSIONS))
        loads = redemptions(engine, address, people, anywhere(vouchers, EACH), sessions=SESSIONS).values()
    assert not any(load.errors for load in loads), [load.errors for load in loads]
    return harmonic_mean([load.rate for load in loads])


def anywhere(vouchers: int, each: int) -> list[list[int]]:
    """Returns numbers of vouchers of each caller, anywhere in the table where `grow` dealt them out."""
    return [random.sample(range(place + 1, vouchers + 1, CALLERS), each) for place in range(CALLERS)]


def decision_ms() -> tuple[float, float]:
    """Returns median and 99th percentile of deciding under CLAUSES clauses that read facts and session, in
    processor time, which other work on the machine disturbs less."""
    today = date(2026, 3, 2)
    clauses = [
        {
            "id": f"clause-{number}",
            "expression": f"learner.education_level < {number + 5} && session.days_to_start > -{number + 1}"
            " && learner.employment_status == 'unemployed'",
            "reasonCode": f"CODE_{number}",
            "texts": {"en": "A clause."},
        }
        for number in range(CLAUSES)
    ]
    rules = compile_rules("bench", "EUR", ParseDict({**RULES, "clauses": clauses}, Version()))
    facts = [
        Fact("employment_status", "unemployed", Source.PES_REGISTER, today),
        Fact("education_level", 3, Source.SELF_DECLARED, today),
        Fact("birth_year", 1980, Source.PES_REGISTER, today),
    ]
    start = today + timedelta(days=30)
    offer = Offer(
        session=SESSION,
        course="courses/bench",
        organisation="organisations/bench",
        kind="course",
        eqf_level=4,
        occupations=(),
        start=start,
        end=start + timedelta(days=5),
        price=100_000,
        currency="EUR",
        nuts="NL",
        accredited=True,
        accredited_until=None,
    )
    times = []
    for _ in range(DECISIONS):
        started = time.thread_time()
        decision = decide(rules, facts, offer, None, History(), today)
        times.append((time.thread_time() - started) * 1000)
        assert decision.eligible
    times.sort()
    return times[DECISIONS // 2], times[DECISIONS * 99 // 100]


if __name__ == "__main__":
    sys.exit(main())
