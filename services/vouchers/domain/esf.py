"""Common output and result indicators of the ESF+ for participants: Annex I of Regulation (EU) 2021/1057."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Literal, NamedTuple

from services.vouchers.domain.results import Left
from services.vouchers.domain.suppression import SMALLEST, suppressed

LONG_TERM_MONTHS = 12
NOT_TOLD: Literal["not_told"] = "not_told"  # by somebody who was asked
RURAL = 3  # degree of urbanisation: rural area
GENDERS = ("female", "male", "other")
AT_WORK, WITHOUT_WORK = ("employed", "self_employed"), ("unemployed", "inactive")


class Entrant(NamedTuple):
    """What was known of a participant on entering, and of what came of their training; None: not known.

    `age`: in years, by the year of birth; `education`: EQF level 0-8; `months`: since when unemployed, whole
    months; `learning`: in education or training. `foreign_background`, `minority`, `housing`: yes, no or
    not_told; `urbanisation`: degree of it, 1-3.
    Upon leaving: `left_as`, whether at work, `left_to_learn`, in further education, `qualified`. Six months
    later: `at_work_later`, as an employee or self-employed; `improved`, whether their work got better.
    `gender`, one of GENDERS, counts nobody in or out.
    """

    status: str | None = None
    months: int | None = None
    age: int | None = None
    education: int | None = None
    learning: bool | None = None
    disability: bool | None = None
    third_country: bool | None = None
    foreign_background: str | None = None
    minority: str | None = None
    housing: str | None = None
    urbanisation: int | None = None
    left_as: int | None = None
    left_to_learn: bool | None = None
    qualified: bool | None = None
    at_work_later: bool | None = None
    improved: bool | None = None
    gender: str | None = None


Answer = bool | Literal["not_told"] | None  # None: the facts do not say
Asked = Callable[[Entrant], Answer]


class Counted(NamedTuple):
    """An indicator with how many participants it counts, of how many the facts do not say, and how many of
    those would rather not. `suppressed`: no number is told.

    Of the participants `female`, `male` and `other`; of the rest the gender is not known.
    `gender_suppressed`: none of these three is told."""

    code: str
    text: str
    participants: int = 0
    unknown: int = 0
    not_told: int = 0
    suppressed: bool = False
    female: int = 0
    male: int = 0
    other: int = 0
    gender_suppressed: bool = False

    def plus(self, more: Mapping[str, int]) -> Counted:
        """Returns the indicator with so many people more, by names in NUMBERS."""
        return self._replace(**{name: getattr(self, name) + more[name] for name in NUMBERS})

    def suppress(self) -> Counted:
        """Returns the indicator without numbers."""
        return Counted(self.code, self.text, suppressed=True, gender_suppressed=True)

    def suppress_genders(self) -> Counted:
        """Returns the indicator for everybody alone."""
        return self._replace(female=0, male=0, other=0, gender_suppressed=True)

    @property
    def genders(self) -> tuple[int, ...]:
        """How many participants are of each gender."""
        return self.female, self.male, self.other


NUMBERS = ("participants", "unknown", "not_told", *GENDERS)  # of Counted


def _status(*wanted: str) -> Asked:
    return lambda entrant: None if entrant.status is None else entrant.status in wanted


def _long_term(entrant: Entrant) -> bool | None:
    if entrant.status != "unemployed":
        return None if entrant.status is None else False
    return None if entrant.months is None else entrant.months >= LONG_TERM_MONTHS


def _age(low: int, high: int) -> Asked:
    return lambda entrant: None if entrant.age is None else low <= entrant.age <= high


def _education(low: int, high: int) -> Asked:
    return lambda entrant: None if entrant.education is None else low <= entrant.education <= high


def _by_choice(told: str | None) -> Answer:
    return NOT_TOLD if told == NOT_TOLD else None if told is None else told == "yes"


def _rural(entrant: Entrant) -> bool | None:
    return None if entrant.urbanisation is None else entrant.urbanisation == RURAL


def _changed(before: tuple[str, ...], later: Callable[[Entrant], bool | None]) -> Asked:
    """The guidance counts a change: of those who were not as `before` on entering, nobody."""

    def asked(entrant: Entrant) -> bool | None:
        if entrant.status not in before:
            return None if entrant.status is None else False
        return later(entrant)

    return asked


def _left(wanted: Left) -> Callable[[Entrant], bool | None]:
    return lambda entrant: None if entrant.left_as is None else entrant.left_as == wanted


def _took_up_learning(entrant: Entrant) -> bool | None:
    if entrant.learning or not entrant.left_to_learn:
        return False if entrant.learning else entrant.left_to_learn
    return None if entrant.learning is None else True


def _better_work(entrant: Entrant) -> bool | None:
    return entrant.improved if entrant.at_work_later else entrant.at_work_later


INDICATORS: tuple[tuple[str, str, Asked], ...] = (
    ("EECO01", "total number of participants", lambda _: True),
    ("EECO02", "unemployed, including long-term unemployed", _status("unemployed")),
    ("EECO03", "long-term unemployed", _long_term),
    ("EECO04", "inactive", _status("inactive")),
    ("EECO05", "employed, including self-employed", _status(*AT_WORK)),
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
    (
        "EECO14",
        "participants with a foreign background",
        lambda entrant: _by_choice(entrant.foreign_background),
    ),
    (
        "EECO15",
        "minorities (including marginalised communities such as Roma people)",
        lambda entrant: _by_choice(entrant.minority),
    ),
    ("EECO16", "homeless or affected by housing exclusion", lambda entrant: _by_choice(entrant.housing)),
    ("EECO17", "participants from rural areas", _rural),
    ("EECR01", "engaged in job searching upon leaving", _changed(("inactive",), _left(Left.SEEKING))),
    ("EECR02", "in education or training upon leaving", _took_up_learning),
    ("EECR03", "gaining a qualification upon leaving", lambda entrant: entrant.qualified),
    (
        "EECR04",
        "in employment, including self-employment, upon leaving",
        _changed(WITHOUT_WORK, _left(Left.AT_WORK)),
    ),
    (
        "EECR05",
        "in employment, including self-employment, six months after leaving",
        _changed(WITHOUT_WORK, lambda entrant: entrant.at_work_later),
    ),
    (
        "EECR06",
        "with an improved labour market situation six months after leaving",
        _changed(AT_WORK, _better_work),
    ),
)
SENSITIVE = frozenset({"EECO14", "EECO15", "EECO16", "EECO17"})  # by facts told for statistics alone
OF_ENTITIES = ("EECO18", "EECO19")
# Indicators that share people out, each counting somebody else: of two, the total tells the third.
SHARED_OUT = (
    ("EECO02", "EECO04", "EECO05"),
    ("EECO06", "EECO07", "EECO08"),
    ("EECO09", "EECO10", "EECO11"),
)
# Indicators that count part of whom others count, who are known to be counted or not.
WITHIN = {
    "EECO03": ("EECO02",),
    "EECR01": ("EECO04",),
    "EECR04": ("EECO02", "EECO04"),
    "EECR05": ("EECO02", "EECO04"),
    "EECR06": ("EECO05",),
}


def settled(first: date, last: date, today: date, *, months: int = 6) -> bool:
    """True for whole half-years of the calendar that are over, or as many `months`: of other periods the
    difference would name who came in between."""
    after = last + timedelta(days=1)
    bounds = [day.day == 1 and (day.month - 1) % months == 0 for day in (first, after)]
    return all(bounds) and after <= today


def count(entrants: Iterable[tuple[Entrant, int]]) -> list[Counted]:
    """Returns every indicator over groups of alike participants (what is known, how many they are)."""
    groups = list(entrants)
    found = []
    for code, text, asked in INDICATORS:
        tally, genders = Counter[Answer](), Counter[str | None]()
        for entrant, people in groups:
            answer = asked(entrant)
            tally[answer] += people
            if answer is True:
                genders[entrant.gender] += people
        not_told = tally[NOT_TOLD]
        numbers = (tally[True], tally[None] + not_told, not_told)
        female, male, other = (genders[gender] for gender in GENDERS)
        found.append(Counted(code, text, *numbers, female=female, male=male, other=other))
    return found


def withhold(counted: Iterable[Counted], *, settled: bool) -> list[Counted]:
    """Returns every indicator as it may be told: what rests on facts for statistics alone is suppressed
    unless the period is `settled`, and where it tells of few; so are genders where one has few."""
    found = list(counted)
    total, *others = _by_gender(found)  # EECO01 counts everybody
    return [total, *(each if _may_be_told(each, total, settled) else each.suppress() for each in others)]


def publish(counted: Iterable[Counted], *, settled: bool) -> list[Counted]:
    """Returns every indicator as it may leave the house, after `withhold`: nothing of a period that is not
    `settled`, and none that tells of few, by itself, beside the others, or by subtracting them."""
    total, *others = counted
    if not settled or 0 < total.participants < SMALLEST:
        return [each.suppress() for each in (total, *others)]
    found = {each.code: each for each in others}
    hidden = {each.code for each in others if _tells_of_few(each, total)}
    for codes in SHARED_OUT:
        cells = {code: found[code].participants for code in codes}
        cells[""] = total.participants - sum(cells.values()) - found[codes[0]].unknown  # counted by none
        withheld = suppressed(cells)
        hidden |= set(codes) if withheld is None else withheld
    for code, bases in WITHIN.items():
        # Of those with work, or without, it is known; not of all of them, what came of it.
        known = sum(found[base].participants for base in bases) + found[bases[0]].unknown
        if _few(known - found[code].participants - found[code].unknown):
            hidden.add(code)
    return [total, *(each.suppress() if each.code in hidden else each for each in others)]


def _by_gender(counted: list[Counted]) -> list[Counted]:
    """Suppresses the genders of whatever tells of few of one, by itself or by subtracting it."""
    total, found = counted[0], {each.code: each for each in counted}
    hidden = {each.code for each in counted if _has_few_of_a_gender(each, total)}
    for code, bases in WITHIN.items():
        known = [sum(numbers) for numbers in zip(*(found[base].genders for base in bases), strict=True)]
        if any(_few(all_ - part) for all_, part in zip(known, found[code].genders, strict=True)):
            hidden.add(code)
    for codes in SHARED_OUT:
        if hidden.intersection(codes):
            hidden.update(codes)
    return [each.suppress_genders() if each.code in hidden else each for each in counted]


def _has_few_of_a_gender(each: Counted, total: Counted) -> bool:
    rest = [all_ - part for all_, part in zip(total.genders, each.genders, strict=True)]
    return any(map(_few, (*each.genders, *rest)))


def _may_be_told(each: Counted, total: Counted, settled: bool) -> bool:
    return each.code not in SENSITIVE or (settled and not _tells_of_few(each, total))


def _tells_of_few(each: Counted, total: Counted) -> bool:
    rest = total.participants - each.participants - each.unknown
    return any(map(_few, (each.participants, each.not_told, rest)))


def _few(people: int) -> bool:
    return 0 < people < SMALLEST
