"""One stack for all tests of this folder; they run one after the other, in one worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import stand as stands
from tests.support.stand import Learner, Stand


@pytest.fixture(scope="package")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stands.stand(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture(scope="package")
def spenders(stand: Stand) -> list[Learner]:
    """Four people who spend their vouchers in small amounts, as often as they are asked to."""
    return [stand.learner() for _ in range(4)]
