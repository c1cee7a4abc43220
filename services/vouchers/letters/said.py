"""What a letter has to say, before it is put into words of a language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of letter; each has a template of this name."""

    GRANTED = "granted"
    REFUSED = "refused"
    APPEAL_GRANTED = "appeal_granted"
    APPEAL_REFUSED = "appeal_refused"


@dataclass(frozen=True)
class Condition:
    """A condition that is not met. `clause`: id, or a reason code that no clause has; `texts`: by language,
    as the rules have them, empty where only the letter's own words say it."""

    clause: str
    texts: Mapping[str, str]
    legal_reference: str


@dataclass(frozen=True)
class Said:
    """A decision for a letter. Amounts in cents of `currency`; days are UTC.

    `session`: empty where none was chosen yet; `titles`: of its course by language, empty where the catalogue
    had told none; `automatic`: rules alone decided; `note`: what the person who decided wrote, empty without
    one; `share`: what the learner pays; `valid_until`, `order_until`: last days of the voucher;
    `appeal_until`: last day to appeal, None when there is no (other) appeal.
    """

    kind: Kind
    learner: str
    application: str
    session: str
    titles: Mapping[str, str]
    programme_names: Mapping[str, str]
    decided: date
    applied: date
    currency: str
    automatic: bool
    note: str
    amount: int = 0
    share: int = 0
    first_day: date | None = None
    voucher: str = ""
    order_until: date | None = None
    valid_until: date | None = None
    conditions: tuple[Condition, ...] = ()
    appeal_until: date | None = None
    appeal_reference: str = ""
