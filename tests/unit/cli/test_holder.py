"""What goes with a portfolio is named before it goes."""

from __future__ import annotations

from waymark.portfolio.v1.holder_pb2 import EraseHolderResponse

from services.cli.holder import GOING


def test_whoever_erases_a_portfolio_is_told_of_all_that_goes() -> None:
    counted = {field.json_name for field in EraseHolderResponse.DESCRIPTOR.fields}
    assert set(GOING.values()) == counted - {"accessRecords", "rightsRequests", "eraseTime"}
