"""Words of letters: the same in each language, none missing, amounts and days as the language has them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from html import escape
from typing import Any

import pytest

from services.platform.errors import Refusal
from services.platform.paper import pages
from services.platform.paper.printing import pdf_of
from services.vouchers.api import eligibility
from services.vouchers.domain.appeals import check_appeal
from services.vouchers.domain.builtin import CLAUSE_OF_CODE, TEXTS
from services.vouchers.domain.outcomes import Outcome, Result
from services.vouchers.domain.states import ApplicationState as State
from services.vouchers.letters import rendering, telling, words
from services.vouchers.letters.said import Condition, Kind, Said
from tests.support.pdf import text_of

DAY = date(2026, 11, 6)
TEMPLATES = [path.read_text() for path in (rendering._FOLDER / "templates").glob("*.html")]
USED = set(re.findall(r"\bt\.([a-z_]+)", " ".join(TEMPLATES)))


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_word_is_there_in_every_language_and_used(language: str) -> None:
    found = dict(words.words_of(language))
    conditions = found.pop("conditions")
    assert found.keys() == USED
    assert conditions.keys() == {*TEXTS, "target-group", "CASEWORKER"}
    assert all(str(text).strip() for text in (*found.values(), *conditions.values()))
    assert filled(language) == filled(pages.FALLBACK)


def filled(language: str) -> dict[str, list[str]]:
    """Returns what is to be filled in, by text: none so far, and the same in each language."""
    said = dict(words.words_of(language))
    every = {**said.pop("conditions"), **said}
    return {key: sorted(re.findall(r"\{[^}]*\}|%[a-z]", text)) for key, text in every.items()}


def test_each_file_is_a_language_and_each_says_it_in_its_own_words() -> None:
    files = {path.stem for path in (rendering._FOLDER / "texts").iterdir()}
    assert files == set(words.LANGUAGES) >= set(pages.LANGUAGES)
    for key in USED - {"voucher", "programme"}:  # two words that several languages share
        said = [words.words_of(language)[key] for language in words.LANGUAGES]
        assert len(set(said)) == len(said), key


def test_every_code_of_ours_has_a_clause_with_words() -> None:
    assert set(CLAUSE_OF_CODE.values()) == {*TEXTS, "target-group"}


def test_a_check_says_what_a_clause_of_ours_asks_for_in_the_languages_asked_for() -> None:
    ours = Result("price", Outcome.FAILED, reason_code="PRICE_UNKNOWN", texts=(("en", TEXTS["price"]),))
    said = eligibility._clause(ours, DAY, ["nl-BE", "el", "xx", "en"]).texts
    assert said.keys() == {"en", "nl", "el"}
    assert (said["en"], said["nl"]) == (TEXTS["price"], words.condition("price", "nl"))
    theirs = ours._replace(clause="resident")
    assert eligibility._clause(theirs, DAY, ["nl"]).texts.keys() == {"en"}


@pytest.mark.parametrize(
    ("language", "amount", "day"),
    [
        ("en", "€1,234.50", "6 November 2026"),
        ("nl", "€ 1.234,50", "6 november 2026"),
        ("fr", "1 234,50 €", "6 novembre 2026"),
        ("de", "1.234,50 €", "6. November 2026"),
        ("da", "1.234,50 €", "6. november 2026"),
        ("el", "1.234,50 €", "6 Νοεμβρίου 2026"),
        ("et", "1 234,50 €", "6. november 2026"),
        ("pt", "1 234,50 €", "6 de novembro de 2026"),
    ],
)
def test_amounts_and_days(language: str, amount: str, day: str) -> None:
    written = words.amount(123_450, "EUR", language)
    assert written.replace("\u202f", " ").replace("\xa0", " ") == amount
    assert words.day(DAY, language) == day


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("nl", "nl"),
        ("de-AT", "de"),
        ("NL", "nl"),
        ("", "en"),
        ("el", "el"),
        ("nld", "en"),
        ("pt-BR", "pt"),
        ("fi", "en"),
    ],
)
def test_what_we_do_not_speak_is_english(code: str, language: str) -> None:
    assert words.language_of(code) == language
    assert pages.language_of(code) == (language if language in pages.LANGUAGES else "en")


@pytest.mark.parametrize(
    ("clause", "texts", "said"),
    [
        ("in-work", {"en": "rule", "nl": "regel"}, "regel"),
        ("price", {"en": TEXTS["price"]}, "De opleider moet een prijs bekendgemaakt hebben"),
        ("in-work", {"en": "rule", "fr": "règle"}, "rule"),
        ("in-work", {"fr": "règle"}, "règle"),
        ("A_CODE", {}, "A_CODE"),
    ],
)
def test_a_condition_is_told_in_the_best_words_there_are(
    clause: str, texts: dict[str, str], said: str
) -> None:
    assert rendering.condition_text(Condition(clause, texts, ""), "nl").startswith(said)


@pytest.mark.parametrize(
    ("state", "outcome", "stands", "first"),
    [
        (State.SUBMITTED, 0, None, None),
        (State.WITHDRAWN, 0, None, None),
        (State.GRANTED, 0, Kind.GRANTED, Kind.GRANTED),
        (State.REFUSED, 0, Kind.REFUSED, Kind.REFUSED),
        (State.APPEALED, 0, Kind.REFUSED, Kind.REFUSED),
        (State.REFUSED, 2, Kind.APPEAL_REFUSED, Kind.REFUSED),
        (State.GRANTED, 1, Kind.APPEAL_GRANTED, Kind.REFUSED),
    ],
)
def test_which_letter_tells_it(state: State, outcome: int, stands: Kind | None, first: Kind | None) -> None:
    row: dict[str, Any] = {"state": int(state), "appeal_outcome": outcome}
    assert telling.kind_of(row, first=False) == stands
    earlier = dict.fromkeys(telling._REPLACED) | {"decided_at": "2026-11-06T10:00:00+00:00"}
    replaced = telling.first_decision(row, earlier if outcome == 1 else None)
    assert telling.kind_of(replaced, first=True) == first


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("language", words.LANGUAGES)
def test_each_kind_is_written_as_html_and_pdf(kind: Kind, language: str) -> None:
    said = letter(kind)
    page = rendering.as_html(said, language).decode()
    assert "&lt;b&gt;&amp;" in page
    title = words.words_of(language)[f"{kind}_title"]
    written = text_of(rendering.as_pdf(said, language))
    assert [part for part in (title, "Όνομα Łódź", words.day(DAY, language)) if part not in written] == []


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_each_letter_of_each_text_is_a_glyph_in_the_pdf(language: str) -> None:
    """Even where the language of the page is another one: what people write comes in any."""
    said = dict(words.words_of(language))
    every = [*said.pop("conditions").values(), *said.values(), words.amount(123_450, "EUR", language)]
    body = "".join(f"<p>{escape(text)}</p>" for text in every)
    page = f"<html><head><title>x</title></head><body><main><h1>x</h1>{body}</main></body></html>"
    written = text_of(pdf_of(page.encode(), "en"))
    for text in every:
        assert " ".join(text.split()) in written


def test_control_what_no_font_has_is_not_found() -> None:
    page = "<html><head><title>x</title></head><body><main><h1>x</h1><p>a \u1820 b</p></main></body></html>"
    assert "\u1820" not in text_of(pdf_of(page.encode(), "en"))


def letter(kind: Kind) -> Said:
    """Returns what a letter of a kind says."""
    return Said(
        kind=kind,
        learner="learners/1",
        application="applications/1",
        session="courses/1/sessions/1",
        titles={"en": "<i>&"},
        programme_names={"en": "Όνομα Łódź"},
        decided=DAY,
        applied=DAY,
        currency="EUR",
        automatic=False,
        note="<b>&",
        voucher="vouchers/1",
        order_until=DAY,
        valid_until=DAY,
        conditions=(Condition("price", {}, "law"),),
        appeal_until=DAY,
    )


@pytest.mark.parametrize(
    ("state", "until", "appealed", "reason"),
    [
        (State.REFUSED, DAY, False, ""),
        (State.REFUSED, DAY - timedelta(days=1), False, "REASON_APPEAL_TOO_LATE"),
        (State.REFUSED, None, False, "REASON_APPEAL_NOT_FORESEEN"),
        (State.REFUSED, DAY, True, "REASON_APPEALED_BEFORE"),
        (State.APPEALED, DAY, True, "REASON_APPEALED_BEFORE"),
        (State.SUBMITTED, None, False, "REASON_WRONG_STATE"),
        (State.GRANTED, None, False, "REASON_WRONG_STATE"),
    ],
)
def test_who_may_appeal(state: State, until: date | None, appealed: bool, reason: str) -> None:
    from waymark.errors.v1 import reason_pb2

    if not reason:
        check_appeal(state, until, DAY, appealed=appealed)
        return
    with pytest.raises(Refusal) as raised:
        check_appeal(state, until, DAY, appealed=appealed)
    assert reason_pb2.Reason.Name(raised.value.reason) == reason


def test_days_to_appeal_count_from_the_day_in_utc() -> None:
    from services.vouchers.domain.programme import compile_rules
    from tests.unit.vouchers.domain.test_ready_programmes import FLEMISH, version

    rules = compile_rules("v", "EUR", version(FLEMISH))
    late = datetime(2026, 11, 7, 0, 30, tzinfo=timezone(timedelta(hours=1)))  # still the sixth in UTC
    assert rules.appeal_until(late) == DAY + timedelta(days=30)
    assert compile_rules("v", "EUR", version(FLEMISH, appealRule=None)).appeal_until(late) is None


@pytest.mark.parametrize("session", ["courses/1/sessions/1", "allocations/1"])
def test_a_voucher_that_was_allocated_names_no_session(session: str) -> None:
    from services.vouchers.domain.programme import compile_rules
    from tests.unit.vouchers.domain.test_ready_programmes import FLEMISH, version

    now = datetime(2026, 11, 6, 12, tzinfo=UTC)
    row = {
        "id": "1",
        "learner": "learners/1",
        "session": session,
        "decided_at": now,
        "created_at": now,
        "currency": "EUR",
        "automatic": True,
        "decided_by": "",
        "offer": {"price": 1},
        "amount_cents": 1,
        "share_cents": 0,
        "voucher_id": "1",
    }
    said = telling.said_of(Kind.GRANTED, row, compile_rules("v", "EUR", version(FLEMISH)), {"en": "x"}, "")
    page = rendering.as_html(said, "en").decode()
    chosen = session.startswith("courses/")
    assert (session in page, "Training applied for" in page) == (chosen, chosen)
    assert "allocations/" not in page
