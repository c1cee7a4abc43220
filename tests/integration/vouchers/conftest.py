"""Fixtures of the vouchers tests."""

from tests.support.vouchers import world

__all__ = ["world"]
