"""Keyset paging with signed page tokens (AIP-158): the cost of a page does not grow with its number.

A token is bound to the list method, the filters, the order and the caller; any other use is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from uuid import UUID

import sqlalchemy
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal, Violation

if TYPE_CHECKING:
    from services.platform.db.transaction import Transaction

Value = str | int | float | bool | datetime | date | UUID


class Page(NamedTuple):
    """One page; `next_page_token` is empty on the last one."""

    rows: list[Any]
    next_page_token: str


class PageTokenSigner:
    """Makes and reads page tokens. `key`: 32 secret bytes, the same in every process of a service."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, binding: str, position: Sequence[Value]) -> str:
        """Returns the token that continues after `position` in the list that `binding` describes."""
        body = json.dumps([_encode(value) for value in position], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(binding, body) + body).decode().rstrip("=")

    def read(self, binding: str, token: str) -> list[Value]:
        """Returns the position in `token`; raises Refusal(PAGE_TOKEN_INVALID) unless made by `sign` for
        `binding`."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise Refusal(reason_pb2.REASON_PAGE_TOKEN_INVALID) from None
        mac, body = raw[:16], raw[16:]
        if not hmac.compare_digest(mac, self._mac(binding, body)):
            raise Refusal(reason_pb2.REASON_PAGE_TOKEN_INVALID)
        return [_decode(item) for item in json.loads(body)]

    def _mac(self, binding: str, body: bytes) -> bytes:
        message = hashlib.sha256(binding.encode()).digest() + body
        return hmac.digest(self._key, message, "sha256")[:16]


def page(
    tx: Transaction,
    signer: PageTokenSigner,
    select: sqlalchemy.Select[Any],
    *,
    order_by: Sequence[ColumnElement[Any]],
    request: Any,
    filters: Mapping[str, Value | None] | None = None,
    default: int = 50,
    maximum: int = 500,
) -> Page:
    """Runs `select` for the page that `request` (with `page_size` and `page_token`) asks for.

    `order_by`: NOT NULL columns, each plain, `.asc()` or `.desc()`, together unique. `filters`: everything
    of the request that narrows the list. A page size over `maximum` is cut to it, zero means `default`.
    Raises Refusal(PAGE_TOKEN_INVALID) for a foreign, forged or otherwise filtered token, INVALID_ARGUMENT
    for a negative size.
    """
    binding = _binding(tx.principal.subject, request.DESCRIPTOR.full_name, filters or {}, order_by)
    size = page_size(request.page_size, default=default, maximum=maximum)
    columns = [_column(term) for term in order_by]
    labels = [f"_position_{index}" for index in range(len(columns))]
    statement = select.add_columns(
        *(column.label(label) for column, label in zip(columns, labels, strict=True))
    )
    if request.page_token:
        statement = statement.where(after(order_by, signer.read(binding, request.page_token)))
    rows = tx.execute(statement.order_by(*order_by).limit(size + 1)).all()
    token = ""
    if len(rows) > size:
        rows = rows[:size]
        token = signer.sign(binding, [getattr(rows[-1], label) for label in labels])
    return Page(list(rows), token)


def page_size(asked: int, *, default: int = 50, maximum: int = 500) -> int:
    """Returns the page size to use; raises Refusal(INVALID_ARGUMENT) for a negative one."""
    if asked < 0:
        violation = Violation("page_size", "must not be negative")
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
    return min(asked or default, maximum)


def after(order_by: Sequence[ColumnElement[Any]], position: Sequence[Value]) -> ColumnElement[bool]:
    """Returns the condition for rows that come after `position` in the order.

    One direction throughout becomes a row comparison, which an index serves; mixed directions become
    `a > x or (a = x and b < y)`.
    """
    columns = [_column(term) for term in order_by]
    directions = {_descending(term) for term in order_by}
    if len(directions) == 1:
        left = sqlalchemy.tuple_(*columns)
        right = sqlalchemy.tuple_(
            *(sqlalchemy.literal(value, column.type) for column, value in zip(columns, position, strict=True))
        )
        return left < right if directions.pop() else left > right
    condition: ColumnElement[bool] = sqlalchemy.false()
    for term, column, value in reversed(list(zip(order_by, columns, position, strict=True))):
        beyond = column < value if _descending(term) else column > value
        condition = sqlalchemy.or_(beyond, sqlalchemy.and_(column == value, condition))
    return condition


def _descending(term: ColumnElement[Any]) -> bool:
    return isinstance(term, UnaryExpression) and term.modifier is operators.desc_op


def _column(term: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(term, UnaryExpression) and term.modifier in (operators.desc_op, operators.asc_op):
        return term.element
    return term


def _binding(
    subject: str, method: str, filters: Mapping[str, Value | None], order_by: Sequence[ColumnElement[Any]]
) -> str:
    order = [str(term) for term in order_by]
    bound = {name: None if value is None else _encode(value) for name, value in filters.items()}
    return json.dumps([subject, method, bound, order], sort_keys=True)


def _encode(value: Value) -> Any:
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, UUID):
        return {"u": str(value)}
    return value


_DECODERS: Mapping[str, Callable[[str], Value]] = {
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "u": UUID,
}


def _decode(item: Any) -> Value:
    if isinstance(item, dict):
        ((kind, text),) = item.items()
        return _DECODERS[kind](text)
    return cast("Value", item)
