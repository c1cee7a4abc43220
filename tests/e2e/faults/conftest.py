"""One stack for all tests of this folder; they run one after the other, in one worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import stand as stands
from tests.support.stand import Learner, Stand

HERE = Path(__file__).parent
LAST = HERE / "test_traces.py"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps the tests of this folder together, whatever the order, so that one stack is enough; and searches
    for traces once the faults have left theirs."""
    mine = sorted((item for item in items if item.path.parent == HERE), key=lambda item: item.path == LAST)
    if mine:
        place = items.index(next(item for item in items if item.path.parent == HERE))
        others = [item for item in items if item.path.parent != HERE]
        items[:] = others[:place] + mine + others[place:]


@pytest.fixture(scope="package")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stands.stand(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture(scope="package")
def spenders(stand: Stand) -> list[Learner]:
    """Four people who spend their vouchers in small amounts, as often as they are asked to."""
    return [stand.learner() for _ in range(4)]
