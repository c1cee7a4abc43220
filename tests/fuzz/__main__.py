"""`python -m tests.fuzz [--examples N] [--seconds N] [--jobs N] [--seed N] [READER…]`: many inputs for each
reader.

Prints the seed of each batch that fails, and writes the input into the corpus, where every test run meets it.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from services.cli.progress import counts
from tests.fuzz.readers import READERS
from tests.fuzz.running import Found, keep, race

EXAMPLES = 1_000_000
BATCH = 2_000  # inputs of one seed: as many have to be made again to see one that failed


def main() -> int:
    """Returns 1 when a reader did not stand an input."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="inputs for each reader")
    parser.add_argument("--seconds", type=float, default=math.inf, help="end after so long for each reader")
    parser.add_argument("--jobs", type=int, default=1, help="readers at the same moment")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9), help="to repeat a run")
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"of {', '.join(READERS)}")
    options = parser.parse_args()
    if unknown := set(options.readers) - set(READERS):
        parser.error(f"no such reader: {', '.join(sorted(unknown))}")
    print(f"seed {options.seed}", flush=True)
    one = partial(fuzz, examples=options.examples, seconds=options.seconds, first=options.seed)
    with ProcessPoolExecutor(options.jobs) as jobs:
        stood = list(jobs.map(one, options.readers or READERS))
    return int(not all(stood))


def fuzz(name: str, examples: int, seconds: float, first: int) -> bool:
    """Runs batches until so many inputs were tried or so many seconds passed; True when the reader stood
    them all."""
    read, done, began = 0, 0, time.monotonic()
    with counts() as bars:
        bar = bars.add_task(name, total=examples)
        while done < examples and time.monotonic() - began < seconds:
            number = first + done // BATCH
            try:
                read += race(name, min(BATCH, examples - done), number)
            except Found as found:
                said = repr(found.__cause__)[:300]
                print(f"{name}: seed {number}: {said}; kept as {keep(name, found.data)}", flush=True)
                return False
            done += min(BATCH, examples - done)
            bars.update(bar, completed=done)
    took = time.monotonic() - began
    print(f"{name}: stood {done} inputs, {read} of them read, in {took:.0f} s", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
