"""Values that travel as literals arrive as they were, and what is written late is seen by what reads next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, ProgrammingError

from services.platform.db.engine import make_engine
from services.platform.db.transaction import transaction
from services.platform.db.wire import Call, Prepared, named, sent_ahead

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
NASTY = ("", "plain-1/2", "it's", 'a "b"', "back\\slash", "x'; DROP TABLE t; --", "{a,b}", "é\n")
COUNT = named("count_kept", "SELECT count(*) AS found FROM kept WHERE word = :word")
KEEP = named("keep", "INSERT INTO kept (word) VALUES (:word)")


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        *(("text", word) for word in NASTY),
        ("text[]", list(NASTY)),
        ("text[]", []),
        ("text", None),
        ("bigint", -(2**62)),
        ("smallint[]", [-1, 2]),
        ("bytea", b"\x00'\\"),
        ("bytea[]", [b"\x00'\\", b""]),
        ("timestamptz", MOMENT),
        ("date", MOMENT.date()),
        ("uuid", UUID(int=7)),
    ],
)
def test_a_value_arrives_as_it_was(database, type_, value) -> None:
    echo = Prepared("echo_" + type_.replace("[]", "_array"), "SELECT $1 AS value", (type_,))
    with transaction(database("portfolio").engine) as tx:
        assert tx.rows(echo(value))[0].value == value


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("text[]", [*NASTY, "NULL", None]),
        ("bigint[]", [-(2**62), None]),
        ("bytea[]", [b"\x00'\\", None]),
        ("boolean[]", [True, False]),
        ("text[]", [list(NASTY), list(NASTY)]),
        ("timestamptz[]", [MOMENT]),
        ("uuid[]", [UUID(int=7)]),
    ],
)
def test_a_list_arrives_in_the_drivers_statements_as_it_was(database, type_, value) -> None:
    echo = text(f"SELECT CAST(:value AS {type_})")
    with transaction(database("portfolio").engine) as tx:
        assert tx.execute(echo, {"value": value}).scalar_one() == value


@pytest.mark.parametrize("value", [["a\0b"], ["a", 1]])
def test_a_list_that_cannot_be_sent_is_refused(database, value) -> None:
    with transaction(database("portfolio").engine) as tx:
        with pytest.raises((DataError, ProgrammingError)):
            tx.execute(text("SELECT CAST(:value AS text[])"), {"value": value})
        assert tx.execute(text("SELECT 1")).scalar() == 1


def test_a_value_that_cannot_be_sent_leaves_the_connection_as_it_was(database) -> None:
    echo = Prepared("echo_text", "SELECT $1 AS value", ("text",))
    with transaction(database("portfolio").engine) as tx:
        with pytest.raises(DataError):
            tx.rows(echo("a\0b"))
        assert tx.rows(echo("a"))[0].value == "a"
        assert tx.execute(text("SELECT 1")).scalar() == 1


def test_what_waits_for_the_commit_is_seen_by_the_next_statement(database) -> None:
    with transaction(database("portfolio").engine) as tx:
        tx.execute(text("CREATE TEMPORARY TABLE kept (word text)"))
        tx.at_commit(KEEP(word="a"))
        assert tx.execute(text("SELECT count(*) FROM kept")).scalar() == 1
        tx.at_commit(KEEP(word="a"))
        assert tx.rows(COUNT(word="a"))[0].found == 2


def test_an_answer_sent_ahead_is_taken_once_and_forgotten_with_its_transaction(database) -> None:
    engine = database("portfolio").engine
    call = named("clock", "SELECT clock_timestamp() AS read")()
    with transaction(engine, ahead=[call]) as tx:
        ahead = sent_ahead(tx.connection, call)
        assert tx.rows(call) == ahead
        assert tx.rows(call) != ahead
    with transaction(engine, ahead=[call]) as tx:
        pass
    with transaction(engine) as tx:
        assert sent_ahead(tx.connection, call) is None


def test_a_stream_does_all_in_order_and_its_statements_are_prepared_once(database) -> None:
    engine = database("portfolio").engine
    for _ in range(2):
        with transaction(engine) as tx:
            tx.execute(text("CREATE TEMPORARY TABLE IF NOT EXISTS kept (word text) ON COMMIT DELETE ROWS"))
            tx.at_commit(KEEP(word="first"))
            tx.stream(KEEP(word=str(number)) for number in range(1000))
            tx.stream([])
            words = list(tx.execute(text("SELECT word FROM kept")).scalars())
            assert words == ["first", *map(str, range(1000))]


@pytest.mark.parametrize("broken", ["call", "value", "maker"])
def test_a_stream_that_fails_says_so_and_leaves_a_connection_that_works(database, broken: str) -> None:
    engine = make_engine(database("portfolio").url, 1)
    fail = named("fail", "SELECT 1 / (length(:word) - 1)")

    def calls() -> Iterator[Call]:
        yield KEEP(word="a")
        if broken == "maker":
            raise KeyError
        yield fail(word="a") if broken == "call" else KEEP(word="a\0b")
        yield COUNT(word="a")

    def run() -> None:
        with transaction(engine) as tx:
            tx.execute(text("CREATE TEMPORARY TABLE kept (word text)"))
            tx.stream(calls())

    with pytest.raises(KeyError if broken == "maker" else DataError):
        run()
    with transaction(engine) as tx:
        tx.execute(text("CREATE TEMPORARY TABLE kept (word text)"))
        tx.stream([KEEP(word="a"), fail(word="ab"), COUNT(word="a")])
        assert tx.rows(COUNT(word="a"))[0].found == 1
    engine.dispose()
