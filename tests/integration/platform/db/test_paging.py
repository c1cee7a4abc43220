"""Keyset paging: every row once, in order, and no page token but one's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from waymark.errors.v1 import reason_pb2

from services.platform.db.paging import PageTokenSigner, page
from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from services.platform.identity.principals import Principal
from tests.support.events import effects, probe_event

SIGNER = PageTokenSigner(b"k" * 32)
ANNE, BEN = (Principal(subject, frozenset()) for subject in ("anne", "ben"))
ORDERS = {
    "ascending": [effects.c.key, effects.c.seq],
    "descending": [effects.c.sent.desc(), effects.c.seq.desc()],
    "mixed": [effects.c.key.desc(), effects.c.sent, effects.c.seq.desc()],
}


@dataclass
class Request:
    """As a List request of a contract."""

    page_size: int = 7
    page_token: str = ""
    DESCRIPTOR = probe_event("dbprobe").DESCRIPTOR


@pytest.fixture
def rows(platform):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with transaction(platform.engine) as tx:
        tx.execute(
            sa.insert(effects),
            [{"key": f"k{n % 3}", "n": n, "sent": start + timedelta(days=n % 5)} for n in range(40)],
        )
    return platform.engine


def ask(engine, request, *, order="ascending", principal=ANNE, filters=None, signer=SIGNER):
    with transaction(engine, principal, read_only=True) as tx:
        return page(tx, signer, sa.select(effects), order_by=ORDERS[order], request=request, filters=filters)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 7, 40, 41])
def test_the_pages_together_are_the_whole_list_in_order(rows, order, size):
    request, found = Request(page_size=size), []
    while True:
        answer = ask(rows, request, order=order)
        assert len(answer.rows) <= size
        found += [row.seq for row in answer.rows]
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    with rows.begin() as connection:
        whole = connection.execute(sa.select(effects.c.seq).order_by(*ORDERS[order])).scalars().all()
    assert found == whole


def test_a_row_inserted_meanwhile_shifts_nothing(rows):
    first = ask(rows, Request(page_size=20), order="descending")
    with transaction(rows) as tx:
        tx.execute(sa.insert(effects).values(key="new", n=99, sent=datetime(2027, 1, 1, tzinfo=UTC)))
    rest = ask(rows, Request(page_size=50, page_token=first.next_page_token), order="descending")
    assert not {row.seq for row in first.rows} & {row.seq for row in rest.rows}
    assert len(first.rows) + len(rest.rows) == 40


@pytest.mark.parametrize(
    "misuse",
    [
        {"principal": BEN},
        {"filters": {"state": "OPEN"}},
        {"order": "descending"},
        {"signer": PageTokenSigner(b"x" * 32)},
    ],
)
def test_a_token_is_good_for_one_caller_filter_order_and_key(rows, misuse):
    token = ask(rows, Request()).next_page_token
    with pytest.raises(Refusal) as refusal:
        ask(rows, Request(page_token=token), **misuse)
    assert refusal.value.reason == reason_pb2.REASON_PAGE_TOKEN_INVALID


@pytest.mark.parametrize("token", ["x", "AAAA", "é", "A" * 5000, "../..", " "])
def test_a_forged_token_is_refused(rows, token):
    with pytest.raises(Refusal) as refusal:
        ask(rows, Request(page_token=token))
    assert refusal.value.reason == reason_pb2.REASON_PAGE_TOKEN_INVALID


def test_every_flipped_character_of_a_token_is_noticed(rows):
    token = ask(rows, Request()).next_page_token
    for place in range(len(token) - 1):  # the last character may hold unused bits
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(Refusal):
            ask(rows, Request(page_token=token[:place] + other + token[place + 1 :]))


def test_page_sizes(rows):
    assert len(ask(rows, Request(page_size=0)).rows) == 40  # the default is 50
    with pytest.raises(Refusal) as refusal:
        ask(rows, Request(page_size=-1))
    assert refusal.value.violations[0].field == "page_size"
