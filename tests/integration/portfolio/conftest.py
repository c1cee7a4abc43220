"""Fixtures of the portfolio's tests."""

from tests.support.portfolio import portfolio, portfolio_with_files

__all__ = ["portfolio", "portfolio_with_files"]
