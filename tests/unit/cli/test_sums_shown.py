"""What the terminal shows of an account adds up: no amount of it is left out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from google.protobuf.message import Message
from google.type.money_pb2 import Money
from waymark.vouchers.v1.levy_pb2 import LevyStatement
from waymark.vouchers.v1.receivable_pb2 import Receivable
from waymark.vouchers.v1.statement_pb2 import Statement

from services.cli import levy, receivable, statement


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (Statement, statement.SUMS),
        (Receivable, receivable.ONE),
        (LevyStatement, levy.STATEMENT),
    ],
)
def test_every_amount_is_shown(message: type[Message], shown: Mapping[str, str]) -> None:
    amounts = {each.json_name for each in message.DESCRIPTOR.fields if each.message_type is Money.DESCRIPTOR}
    assert len(amounts) > 4
    assert amounts <= set(shown.values())
