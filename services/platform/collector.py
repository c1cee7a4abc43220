"""Python's garbage collector in a process that works for long."""

from __future__ import annotations

import gc

# Work in flight keeps thousands of objects that a collection would look at in vain.
COLLECTED = (20_000, 20, 20)


def settle_collector() -> None:
    """Call it when all is loaded: what there is by now stays for good and is not looked at again, and what
    comes is looked at less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED)
