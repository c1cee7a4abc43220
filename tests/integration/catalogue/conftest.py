from collections.abc import Iterator

import pytest

from tests.support.catalogue import catalogue
from tests.support.origins import Origin, origin

__all__ = ["catalogue"]


@pytest.fixture
def partner() -> Iterator[Origin]:
    """A partner's server; a test says what it answers."""
    with origin() as found:
        yield found
