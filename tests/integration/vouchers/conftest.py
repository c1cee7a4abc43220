"""Fixtures of the vouchers tests."""

from tests.integration.vouchers.ledgers import spent, tamper
from tests.support.quality import school
from tests.support.vouchers import stored, world

__all__ = ["school", "spent", "stored", "tamper", "world"]
