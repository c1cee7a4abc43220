"""Which tests one worker does, and in which order: those that share a stack, a stand or an edge, which is
slow to start, one after the other.

By folder and file. The marks that pytest-xdist has for it do nothing under pytest 9.2, and nothing says so:
the group goes into a field of the item that pytest no longer reads.
"""

from __future__ import annotations

import gc
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
AFTER_ITS_FOLDER = "tests/e2e/faults/test_traces.py"  # it searches for what the faults have left


def place(nodeid: str) -> str:
    """Returns the folder or file of TOGETHER that a test is in, empty when it stands alone."""
    return next((place for place in TOGETHER if nodeid.startswith(place)), "")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps the tests of a place together, whatever the order otherwise: whenever a folder is left, what its
    tests share is stopped."""
    order = [*TOGETHER, ""]
    items.sort(key=lambda item: (order.index(place(item.nodeid)), item.nodeid.startswith(AFTER_ITS_FOLDER)))


def pytest_collection_finish() -> None:
    """What has been loaded by now stays: a quarter of a test's time would go into looking at it again."""
    gc.enable()
    settle_collector()


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """Hands groups to workers as a whole, and the rest test by test."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER.get(place(nodeid), nodeid)


def pytest_xdist_make_scheduler(config: Any, log: Any) -> Together:
    """Called by pytest-xdist."""
    config.option.loadscopereorder = False  # by the number of tests, of which a group of stacks has few
    return Together(config, log)
