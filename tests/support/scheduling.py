"""Which tests one worker does: those that share a stack, a stand or an edge, which is slow to start.

By folder and file. The marks that pytest-xdist has for it do nothing under pytest 9.2, and nothing says so:
the group goes into a field of the item that pytest no longer reads.
"""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

TOGETHER = {
    "tests/e2e/commands/": "stack",  # two cores cannot start several stacks at once in time
    "tests/e2e/stack/": "stack",
    "tests/e2e/test_journey.py": "stack",
    "tests/e2e/faults/": "faults",
    "tests/e2e/edge/test_openapi_live.py": "openapi",
    "tests/e2e/edge/": "edge",
    "tests/integration/edge/": "edge",
    "tests/contract/test_policy.py": "policy",
}


def together(nodeid: str) -> str:
    """Returns the name of the tests that one worker does with this one; its own id when it stands alone."""
    return next((name for place, name in TOGETHER.items() if nodeid.startswith(place)), nodeid)


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """Hands groups to workers as a whole, and the rest test by test."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)


def pytest_xdist_make_scheduler(config: Any, log: Any) -> Together:
    """Called by pytest-xdist."""
    return Together(config, log)
