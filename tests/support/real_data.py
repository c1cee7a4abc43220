"""Real files of partners and publishers, which lie beside the checkout and are not part of the project."""

from __future__ import annotations

from pathlib import Path

from tests.support.lacking import lacking

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def real_data(path: str = "") -> Path:
    """Returns a file or folder of the real data; without it the test ends (`lacking`)."""
    found = DATA / path
    if not found.exists():
        lacking(f"{found} is not on this machine; the real files are not part of the project")
    return found
