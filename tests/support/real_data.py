"""Real files of partners and publishers, which lie beside the checkout and are not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def real_data(path: str = "") -> Path:
    """Returns a file or folder of the real data; without it the test fails where `CI` is set, so that nobody
    takes a suite for passed that has not seen them, and is skipped elsewhere."""
    found = DATA / path
    if not found.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{found} is missing")
        pytest.skip(f"{found} is not on this machine; the real files are not part of the project")
    return found
