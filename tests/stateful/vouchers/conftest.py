"""Fixtures of the vouchers state machine."""

from tests.support.vouchers import world

__all__ = ["world"]
