"""One stack for all tests of commands, which each make what they look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.stacks import Stack, free_base


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that is up."""
    shared = Stack(tmp_path_factory.mktemp("commands"), free_base())
    shared.up()
    yield shared
    shared.call("down")
    shared.until_gone()
