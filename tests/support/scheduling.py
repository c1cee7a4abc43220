"""Which tests one worker does, and in which order: those that share a stack, a stand or an edge, which is
slow to start, one after the other.

By folder and file. The marks that pytest-xdist has for it do nothing under pytest 9.2, and nothing says so:
the group goes into a field of the item that pytest no longer reads.
"""

from __future__ import annotations

import gc
from functools import cached_property
from itertools import groupby
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from services.platform.collector import settle_collector

gc.disable()  # while modules are loaded and tests collected
# In the order in which they begin: what takes longest must not begin last. Two groups have stacks, since two
# cores cannot start more of them at once in time.
TOGETHER = {
    "tests/e2e/commands/": "commands",
    "tests/e2e/stack/": "stacks",
    "tests/e2e/faults/": "stacks",
    "tests/contract/test_policy.py": "policy",
    "tests/contract/test_names.py": "policy",
    "tests/e2e/edge/test_openapi_live.py": "openapi",
    "tests/e2e/edge/": "edge",
    "tests/integration/edge/": "edge",
}
# The one searches for what the faults have left; the others take so little that no worker is long the last.
LATER = ("tests/e2e/faults/test_traces.py", "tests/unit/")
FEW = 8  # tests of a file that a worker takes at once


def place(nodeid: str) -> str:
    """Returns the folder or file of TOGETHER that a test is in, empty when it stands alone."""
    return next((place for place in TOGETHER if nodeid.startswith(place)), "")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps the tests of a place together, whatever the order otherwise: whenever a folder is left, what its
    tests share is stopped."""
    order = [*TOGETHER, ""]
    items.sort(key=lambda item: (order.index(place(item.nodeid)), item.nodeid.startswith(LATER)))


def pytest_collection_finish() -> None:
    """What has been loaded by now stays: a quarter of a test's time would go into looking at it again."""
    gc.enable()
    settle_collector()


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """Hands groups to workers as a whole, and of other files a few tests at a time: what a file makes once
    for all its tests is then made by one or two workers, not by each, and less has to be said."""

    @cached_property
    def _scopes(self) -> dict[str, str]:
        """By test: its group, or its file and which few of its tests."""
        found: dict[str, str] = {}
        for file, nodeids in groupby(self.collection or (), lambda nodeid: nodeid.partition("::")[0]):
            group = TOGETHER.get(place(file))
            found |= {nodeid: group or f"{file} {number // FEW}" for number, nodeid in enumerate(nodeids)}
        return found

    def _split_scope(self, nodeid: str) -> str:
        return self._scopes[nodeid]


def pytest_xdist_make_scheduler(config: Any, log: Any) -> Together:
    """Called by pytest-xdist."""
    config.option.loadscopereorder = False  # by the number of tests, of which a group of stacks has few
    return Together(config, log)
