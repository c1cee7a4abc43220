"""Fixtures of the vouchers tests."""

from tests.support.quality import school
from tests.support.vouchers import stored, world

__all__ = ["school", "stored", "world"]
