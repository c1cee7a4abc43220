"""Running services for tests of the contracts."""

from tests.contract.running import run

__all__ = ["run"]
