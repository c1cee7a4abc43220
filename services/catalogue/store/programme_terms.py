"""Statements on terms and money of voucher programmes, as the vouchers service told them."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects.postgresql import insert

from services.catalogue.store.market_tables import programme_money, programme_terms
from services.platform.db.transaction import Transaction

_t, _m = programme_terms.c, programme_money.c


def put(tx: Transaction, programme: str, number: int, effective: date, terms: dict[str, Any]) -> None:
    """Keeps an active version: it never changes, so a repeat is nothing. `terms`: ProgrammeTerms in JSON."""
    values = {"programme": programme, "number": number, "effective_date": effective, "terms": terms}
    tx.execute(insert(programme_terms).values(values).on_conflict_do_nothing())


def put_money(tx: Transaction, programme: str, money_left: int, number: int) -> None:
    """Keeps how far a programme's money reaches, unless what is known was told later: has a higher number."""
    new = insert(programme_money).values(programme=programme, money_left=money_left, number=number)
    later = _m.number < new.excluded.number
    values = {"money_left": new.excluded.money_left, "number": new.excluded.number}
    tx.execute(new.on_conflict_do_update(index_elements=["programme"], set_=values, where=later))


def in_force(connection: Connection, day: date) -> list[Row[Any]]:
    """Returns the versions that decide on a day, by programme: with `successor`, the day from which another
    does, None where none is known, and `money_left`, None where nothing was told of it. The order is that of
    the vouchers service, whatever order they came in."""
    order = (_t.effective_date, _t.number)
    successor = func.lead(_t.effective_date).over(partition_by=_t.programme, order_by=order)
    each = select(programme_terms, successor.label("successor")).subquery()
    decides = (each.c.effective_date <= day) & (each.c.successor.is_(None) | (each.c.successor > day))
    with_money = each.outerjoin(programme_money, _m.programme == each.c.programme)
    statement = select(each, _m.money_left).select_from(with_money)
    return list(connection.execute(statement.where(decides).order_by(each.c.programme)))
