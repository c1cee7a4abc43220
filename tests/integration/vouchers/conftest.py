"""Fixtures of the vouchers tests."""

from tests.support.vouchers import stored, world

__all__ = ["stored", "world"]
