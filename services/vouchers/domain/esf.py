"""Common output and result indicators of the ESF+ for participants: Annex I of Regulation (EU) 2021/1057."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

LONG_TERM_MONTHS = 12


@dataclass(frozen=True)
class Entrant:
    """What was known of a participant on entering; None: not known. `age`: in years, by the year of birth;
    `education`: EQF level 0-8; `months`: since when unemployed, whole months. `at_work_later`: six months
    after the training, as an employee or self-employed."""

    status: str | None = None
    months: int | None = None
    age: int | None = None
    education: int | None = None
    disability: bool | None = None
    third_country: bool | None = None
    at_work_later: bool | None = None


Asked = Callable[[Entrant], bool | None]  # None: the facts do not say


@dataclass(frozen=True)
class Counted:
    """An indicator with how many participants it counts, and of how many the facts do not say."""

    code: str
    text: str
    participants: int
    unknown: int


def _status(*wanted: str) -> Asked:
    return lambda entrant: None if entrant.status is None else entrant.status in wanted


def _long_term(entrant: Entrant) -> bool | None:
    if entrant.status != "unemployed":
        return None if entrant.status is None else False
    return None if entrant.months is None else entrant.months >= LONG_TERM_MONTHS


def _found_work(entrant: Entrant) -> bool | None:
    """The guidance counts a change: of those who were at work before, nobody."""
    if entrant.status not in ("unemployed", "inactive"):
        return None if entrant.status is None else False
    return entrant.at_work_later


def _age(low: int, high: int) -> Asked:
    return lambda entrant: None if entrant.age is None else low <= entrant.age <= high


def _education(low: int, high: int) -> Asked:
    return lambda entrant: None if entrant.education is None else low <= entrant.education <= high


INDICATORS: tuple[tuple[str, str, Asked], ...] = (
    ("EECO01", "total number of participants", lambda _: True),
    ("EECO02", "unemployed, including long-term unemployed", _status("unemployed")),
    ("EECO03", "long-term unemployed", _long_term),
    ("EECO04", "inactive", _status("inactive")),
    ("EECO05", "employed, including self-employed", _status("employed", "self_employed")),
    ("EECO06", "number of children below 18 years of age", _age(0, 17)),
    ("EECO07", "number of young people aged 18-29 years", _age(18, 29)),
    ("EECO08", "number of participants 55 years of age and above", _age(55, 200)),
    ("EECO09", "with lower secondary education or less (ISCED 0-2)", _education(0, 3)),
    (
        "EECO10",
        "with upper secondary (ISCED 3) or post-secondary education (ISCED 4)",
        _education(4, 4),
    ),
    ("EECO11", "with tertiary education (ISCED 5 to 8)", _education(5, 8)),
    ("EECO12", "participants with disabilities", lambda entrant: entrant.disability),
    ("EECO13", "third-country nationals", lambda entrant: entrant.third_country),
    ("EECR05", "in employment, including self-employment, six months after leaving", _found_work),
)
# Foreign background, minorities, homelessness, rural areas; what people do within four weeks of leaving, and
# whether work got better for who had some: no such fact is kept.
NOT_COVERED = (
    *("EECO14", "EECO15", "EECO16", "EECO17"),
    *("EECR01", "EECR02", "EECR03", "EECR04", "EECR06"),
)


def count(entrants: Iterable[tuple[Entrant, int]]) -> list[Counted]:
    """Returns every indicator over groups of alike participants (what is known, how many they are)."""
    groups = list(entrants)
    found = []
    for code, text, asked in INDICATORS:
        answers = [(asked(entrant), people) for entrant, people in groups]
        counted = sum(people for answer, people in answers if answer)
        unknown = sum(people for answer, people in answers if answer is None)
        found.append(Counted(code, text, counted, unknown))
    return found
