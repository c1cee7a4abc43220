"""What a letter has to say, before it is put into words of a language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """The kinds of letter that tell a decision; each has a template of this name."""

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


@dataclass(frozen=True)
class Demand:
    """What a provider owes back, for a letter. Amounts in cents of `currency`; days are legal days.

    `titles`: of the course by language, empty where the catalogue had told none; `arose`: when the money was
    taken back; `settled`: set off, paid or given up of `amount`; `reserved`: about to be set off; `left`: to
    be paid until `due`, to the account of `payee`, naming `reference`; `bic`: empty where none is known.
    """

    kind: ClassVar[str] = "demand"
    conditions: ClassVar[tuple[Condition, ...]] = ()
    provider: str
    receivable: str
    redemption: str
    session: str
    titles: Mapping[str, str]
    programme_names: Mapping[str, str]
    arose: date
    due: date
    currency: str
    amount: int
    settled: int
    reserved: int
    left: int
    payee: str
    iban: str
    bic: str
    reference: str
