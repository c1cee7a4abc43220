"""Occupations found in titles, subjects and descriptions."""

from __future__ import annotations

from services.catalogue.domain.labels import normal, stems, words
from services.catalogue.domain.tagging import Label, Tagger


def label(text: str, uri: str, isco: str, of: str = "") -> Label:
    return Label(text, uri, isco, of or text, not of)


TAGGER = Tagger(
    [
        label("software developer", "dev", "2512"),
        label("programmer", "dev", "2512", "software developer"),
        label("nurse responsible for general care", "nurse", "2221"),
        label("general nurse", "nurse", "2221", "nurse responsible for general care"),
        label("nurse", "nurse", "2221"),
        label("baker", "baker", "7512"),
        label("general", "army", "0110", "army general"),
        *(label("manager", f"m{n}", "1219") for n in range(5)),
    ],
    "en",
)


def found(title: str, subjects: tuple[str, ...] = (), rest: str = "") -> dict[str, float]:
    return {match.uri: match.confidence for match in TAGGER.tag(title, subjects, rest)}


def test_words_as_written_beat_stems() -> None:
    assert found("Become a software developer")["dev"] > found("MSc in Software Development")["dev"] > 0.5


def test_title_beats_subject_beats_description() -> None:
    title = found("Software developer")["dev"]
    subject = found("Course", ("software developer",))["dev"]
    rest = found("Course", (), "For every software developer.")["dev"]
    assert title > subject > rest


def test_longest_label_wins() -> None:
    assert list(found("General nurse")) == ["nurse"]


def test_single_words_need_to_be_preferred_and_in_title_or_subject() -> None:
    assert not found("General knowledge")
    assert not found("Programmer")
    assert not found("Bread", (), "A baker bakes.")
    assert found("Baker")["baker"] > 0.9


def test_a_label_shared_by_many_says_nothing() -> None:
    assert not found("Manager")


def test_normal_and_stems() -> None:
    assert normal("Kok  (Traiteur) – élève") == "kok traiteur eleve"
    assert stems("nursing nurses", "en") == "nurs nurs"
    assert stems("nursing", "fi") == "nursing"


def test_words_of_ascii_are_what_they_are_of_any_alphabet() -> None:
    for code in range(128):
        text = f"Web{chr(code)}Shop {chr(code)} C"
        assert words(text) == words(f"{text} ж")[:-1], code
