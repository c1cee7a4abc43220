"""Mentors for holders: who fits and why, and how a match comes into force and ends.

What somebody is, or looks like, is nowhere here: a mentor fits by occupation and language.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from waymark.portfolio.v1.mentoring_match_pb2 import MatchReasons, MentoringMatch

from services.platform.errors import invalid
from services.portfolio.domain.states import word, wrong_state

Match = MentoringMatch
State: TypeAlias = MentoringMatch.State.ValueType
LONGEST = timedelta(days=366)
LIVE = frozenset({Match.STATE_PROPOSED, Match.STATE_ACTIVE})
MOST_SUGGESTED = 20
_WIDEST = 2  # digits of an ISCO group that still says something about an occupation


class Party(StrEnum):
    """Whose consent a match needs."""

    HOLDER = "holder"
    MENTOR = "mentor"


class Wish(NamedTuple):
    """What a holder looks for: an occupation by concept URI or ISCO-08 code or both, languages best first."""

    occupation_uri: str
    isco_code: str
    languages: Sequence[str]


class Offer(NamedTuple):
    """What a mentor offers."""

    mentor: str
    organisation: str
    occupation_uris: Sequence[str]
    isco_codes: Sequence[str]
    languages: Sequence[str]


def groups_of(isco_codes: Iterable[str]) -> list[str]:
    """Returns the ISCO groups by which codes are found: each code and those above it, two digits at least."""
    found = {code[:digits] for code in isco_codes for digits in range(_WIDEST, len(code) + 1)}
    return sorted(found)


def languages_of(tags: Iterable[str]) -> list[str]:
    """Returns the languages of BCP 47 tags, each once, in their order: `nl-BE` is `nl`."""
    return list(dict.fromkeys(tag.partition("-")[0].lower() for tag in tags))


def reasons_of(wish: Wish, offer: Offer) -> MatchReasons:
    """Returns why a mentor fits."""
    shared = set(groups_of([wish.isco_code])) & set(groups_of(offer.isco_codes))
    return MatchReasons(
        same_occupation=wish.occupation_uri != "" and wish.occupation_uri in offer.occupation_uris,
        isco_group=max(shared, key=len, default=""),
        languages=[language for language in wish.languages if language in offer.languages],
    )


def suggested(wish: Wish, offers: Iterable[Offer]) -> list[tuple[Offer, MatchReasons]]:
    """Returns the mentors that fit by occupation and language, best first, at most MOST_SUGGESTED."""
    fitting = [
        (offer, reasons)
        for offer in offers
        if (reasons := reasons_of(wish, offer)).languages and (reasons.same_occupation or reasons.isco_group)
    ]

    def rank(found: tuple[Offer, MatchReasons]) -> tuple[bool, int, int, str]:
        offer, reasons = found
        first = wish.languages.index(reasons.languages[0])
        return not reasons.same_occupation, -len(reasons.isco_group), first, offer.mentor

    return sorted(fitting, key=rank)[:MOST_SUGGESTED]


@dataclass(frozen=True)
class Standing:
    """Where a match stands: since when (UTC) each of the two agrees, and when it ends."""

    state: State
    expires_at: datetime
    holder_agreed: datetime | None = None
    mentor_agreed: datetime | None = None

    def at(self, now: datetime) -> Standing:
        """As it stands at `now` (UTC, the database's clock), whether or not a job has noted the end."""
        over = self.state in LIVE and now >= self.expires_at
        return replace(self, state=Match.STATE_EXPIRED) if over else self

    def agree(self, party: Party, now: datetime) -> Standing:
        """One of the two agrees; in force once both do. Agreeing twice changes nothing.

        Raises Refusal(WRONG_STATE) for what is not proposed any more.
        """
        if party == Party.HOLDER:
            agreed = replace(self, holder_agreed=self.holder_agreed or now)
        else:
            agreed = replace(self, mentor_agreed=self.mentor_agreed or now)
        if agreed == self:
            return self
        self.require(Match.STATE_PROPOSED)
        both = agreed.holder_agreed is not None and agreed.mentor_agreed is not None
        return replace(agreed, state=Match.STATE_ACTIVE) if both else agreed

    def end(self) -> Standing:
        """One of the two does not want it, or not any more; raises Refusal(WRONG_STATE) when it is over."""
        if self.state == Match.STATE_ACTIVE:
            return replace(self, state=Match.STATE_ENDED)
        self.require(Match.STATE_PROPOSED)
        return replace(self, state=Match.STATE_DECLINED)

    def require(self, state: State) -> None:
        """Raises Refusal(WRONG_STATE) unless the match is in `state`."""
        if self.state != state:
            raise wrong_state(label(self.state), label(state))


def check_given(fields: Sequence[str], *, by_holder: bool, path: str) -> None:
    """Raises Refusal(INVALID_ARGUMENT) when fields come from anybody but the holder, or not from the holder.

    `path`: where the request says them.
    """
    if bool(fields) != by_holder:
        said = "must say what the mentor may read" if by_holder else "is for the holder alone to say"
        raise invalid(path, said)


def label(state: State) -> str:
    """Returns the name of a state as events and errors carry it: `ACTIVE`."""
    return word(Match.State, state)
