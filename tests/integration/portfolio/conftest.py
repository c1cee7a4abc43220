"""Fixtures of the portfolio's tests."""

from tests.support.portfolio import lonely_portfolio, portfolio, portfolio_with_files

__all__ = ["lonely_portfolio", "portfolio", "portfolio_with_files"]
