"""What a test needs and a machine does not have."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """Fails the test where `CI` is set, so that nobody takes a suite for passed that has not run it, and
    skips it elsewhere; both say `what` is lacking."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
