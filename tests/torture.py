"""`python -m tests.torture [--kills N] [--seed N]`: kill -9 again and again under load; says what was lost.

A stack of its own, from start to end. Exit code 1 when anything was lost, or when no kill ever bit.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from services.cli.progress import counts
from tests.support.kills import HITS, all_gates
from tests.support.stand import stand
from tests.support.torture import Outcome, Torture

KILLS = 1000
# Seconds of a caller: what is killed often comes back late, and may be killed at the same call.
PATIENCE = 900.0


def main() -> int:
    """Tortures a new stack."""
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help=f"rounded up to a multiple of {len(HITS)}")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**9), help="to hit the same points again"
    )
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="waymark-torture-") as folder:
        began = time.monotonic()
        outcome = torture(Path(folder), options.kills, options.seed)
    print(", ".join(f"{name}: {count}" for name, count in sorted(outcome.kills.items())))
    print(f"{outcome.verdict}, in {time.monotonic() - began:.0f} s")
    return int(bool(outcome.faults) or not outcome.repeated or not outcome.twice)


def torture(folder: Path, kills: int, seed: int) -> Outcome:
    """Starts a stack, kills its parts until there were so many kills, and says what came of it."""
    settings = {
        # What is killed again and again would else be away for half a minute each time.
        "WAYMARK_LONGEST_PAUSE_SECONDS": "1",
        # One counsellor makes a pathway in each round: more people than one may look at in a day.
        "WAYMARK_DAILY_PEOPLE": "1000000",
    }
    with (
        stand(folder, **settings) as running,
        all_gates(running) as built,
        counts() as bars,
    ):
        running.callers.patience = PATIENCE
        tortured, bar = Torture(running, built, seed), bars.add_task("kills", total=kills)
        while sum(tortured.kills.values()) < kills:
            tortured.round()
            bars.update(bar, completed=sum(tortured.kills.values()))
        return tortured.outcome()


if __name__ == "__main__":
    sys.exit(main())
