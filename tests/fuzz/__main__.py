"""`python -m tests.fuzz [--examples N] [--seed N] [READER…]`: many inputs for each reader.

Prints the seed of each batch that fails, and writes the input into the corpus, where every test run meets it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from services.cli.progress import counts
from tests.fuzz.readers import READERS
from tests.fuzz.running import Found, keep, run

EXAMPLES = 1_000_000
BATCH = 5_000  # inputs of one seed: Hypothesis remembers all of a run, so runs must end


def main() -> int:
    """Returns 1 when a reader did not stand an input."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="inputs for each reader")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9), help="to repeat a run")
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"of {', '.join(READERS)}")
    options = parser.parse_args()
    if unknown := set(options.readers) - set(READERS):
        parser.error(f"no such reader: {', '.join(sorted(unknown))}")
    print(f"seed {options.seed}", flush=True)
    failed = [name for name in options.readers or READERS if not fuzz(name, options.examples, options.seed)]
    return int(bool(failed))


def fuzz(name: str, examples: int, first: int) -> bool:
    """Runs batches until so many inputs were tried; True when the reader stood them all."""
    read, began = 0, time.monotonic()
    with counts() as bars:
        bar = bars.add_task(name, total=examples)
        for done in range(0, examples, BATCH):
            number = first + done // BATCH
            try:
                read += run(name, min(BATCH, examples - done), number)
            except Found as found:
                said = repr(found.__cause__)[:300]
                print(f"{name}: seed {number}: {said}; kept as {keep(name, found.data)}", flush=True)
                return False
            bars.advance(bar, BATCH)
    seconds = time.monotonic() - began
    print(f"{name}: stood {examples} inputs, {read} of them read, in {seconds:.0f} s", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
