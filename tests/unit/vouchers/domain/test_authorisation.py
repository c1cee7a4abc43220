"""The rule of codes by which a learner agrees to a spend."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.vouchers.domain.authorisation import (
    CODES,
    TRIES,
    VALID,
    AuthorisationCode,
    code_hmac,
    new_code,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIMIT = NOW + timedelta(minutes=30)
RIGHT, WRONG = b"r" * 32, b"w" * 32
SENT = AuthorisationCode().renew(RIGHT, NOW, LIMIT)


def told(code: AuthorisationCode, presented: bytes | None, now: datetime = NOW) -> tuple[str, str]:
    """Returns reason and tries left of what must be refused."""
    with pytest.raises(Refusal) as refused:
        code.prove(presented, now)
    assert set(refused.value.metadata) == {"tries_left"}
    assert not refused.value.detail
    return refused.value.reason_name, refused.value.metadata["tries_left"]


def test_a_code_can_be_read_out() -> None:
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", new_code())
    assert len({new_code() for _ in range(500)}) == 500


def test_the_hmac_is_of_the_code_however_typed_for_one_redemption_under_one_key() -> None:
    kept = code_hmac(b"a" * 32, "1", "01AB-CDEF")
    assert code_hmac(b"a" * 32, "1", " oLab cdef") == kept
    assert code_hmac(b"a" * 32, "2", "01AB-CDEF") != kept
    assert code_hmac(b"b" * 32, "1", "01AB-CDEF") != kept
    assert code_hmac(b"a" * 32, "1", "01AB-CDEG") != kept


def test_the_right_code_counts_until_it_expires() -> None:
    SENT.prove(RIGHT, NOW + VALID - timedelta(microseconds=1))
    assert told(SENT, RIGHT, NOW + VALID) == ("AUTHORISATION_CODE_INVALID", "4")


def test_a_code_never_outlives_the_reservation() -> None:
    assert SENT.expires_at == NOW + VALID
    late = AuthorisationCode().renew(RIGHT, NOW, NOW + timedelta(minutes=2))
    assert late.expires_at == NOW + timedelta(minutes=2)


def test_whatever_is_wrong_is_told_in_the_same_words() -> None:
    replaced = SENT.renew(WRONG, NOW, LIMIT)
    used, never = AuthorisationCode(None, NOW + VALID, sent=1), AuthorisationCode()
    answers = {
        told(SENT, WRONG),
        told(replaced, RIGHT),
        told(SENT, RIGHT, NOW + VALID),
        told(used, RIGHT),
        told(never, RIGHT),
        told(never, bytes(32)),  # what an absent code is compared with
    }
    assert answers == {("AUTHORISATION_CODE_INVALID", "4")}


def test_saying_nothing_is_no_try_and_tells_the_same() -> None:
    assert told(SENT, None) == ("AUTHORISATION_CODE_INVALID", "5")


def test_the_fifth_wrong_try_ends_it_for_the_right_one_too() -> None:
    answers = [told(AuthorisationCode(RIGHT, LIMIT, wrong, 1), WRONG) for wrong in range(TRIES)]
    assert answers == [("AUTHORISATION_CODE_INVALID", left) for left in "43210"]
    for presented in (RIGHT, WRONG, None):
        ended = AuthorisationCode(RIGHT, LIMIT, TRIES, 1)
        assert told(ended, presented) == ("TOO_MANY_ATTEMPTS", "0")


@given(st.lists(st.sampled_from(["renew", "wrong"]), max_size=80))
def test_no_order_of_codes_and_tries_gives_more_than_the_product(steps: list[str]) -> None:
    code, tries = AuthorisationCode(), 0
    for step in steps:
        try:
            if step == "renew":
                code = code.renew(RIGHT, NOW, LIMIT)
            else:
                code.prove(WRONG, NOW)
        except Refusal as refusal:
            if refusal.reason == reason_pb2.REASON_AUTHORISATION_CODE_INVALID:
                tries += 1
                code = AuthorisationCode(code.hmac, code.expires_at, code.wrong + 1, code.sent)
    assert code.sent <= CODES
    assert tries <= TRIES * (CODES + 1)  # tries before the first code can never succeed


def test_a_redemption_gets_so_many_codes() -> None:
    code = AuthorisationCode()
    for number in range(1, CODES + 1):
        code = code.renew(RIGHT, NOW, LIMIT)
        assert (code.sent, code.wrong) == (number, 0)
    with pytest.raises(Refusal) as refused:
        code.renew(RIGHT, NOW, LIMIT)
    assert refused.value.reason == reason_pb2.REASON_TOO_MANY_ATTEMPTS
