"""The delete guard: may a feed remove what it no longer names?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from waymark.catalogue.v1.feed_run_pb2 import FeedRun

NONE = FeedRun.HOLD_REASON_UNSPECIFIED
EMPTY = FeedRun.HOLD_REASON_EMPTY_FEED
NO_LIMIT = 100  # percent
WEEK = timedelta(days=7)  # over which removals add up
ABOVE_LIMIT = FeedRun.HOLD_REASON_REMOVALS_ABOVE_LIMIT


@dataclass(frozen=True)
class Situation:
    """What a feed looked like.

    `present`: courses the source has now; `missing`: those of them not in the feed; `gone`: those that
    vanished within WEEK and have not come back, since a person last looked.
    """

    complete: bool
    partial: bool
    records_in: int
    nameless: int
    present: int
    missing: int
    limit_percent: int
    gone: int = 0


@dataclass(frozen=True)
class Verdict:
    """`hold`: a person has to look first (FeedRun.HoldReason, 0: no). `removes`: missing courses go."""

    hold: int
    removes: bool


def judge(feed: Situation) -> Verdict:
    """Decides about removals.

    Only a complete full feed removes. A rejected record without an id could be any course, so it makes the
    feed incomplete. An empty feed over present courses is held, and one with which `limit_percent` or more of
    what there was within the week would be gone; a limit of 100 holds only empty ones.
    """
    if feed.partial or not feed.complete or feed.nameless:
        return Verdict(NONE, removes=False)
    if feed.present and not feed.records_in:
        return Verdict(EMPTY, removes=True)
    vanishing, there = feed.missing + feed.gone, feed.present + feed.gone
    if feed.missing and feed.limit_percent < NO_LIMIT and vanishing * 100 >= there * feed.limit_percent:
        return Verdict(ABOVE_LIMIT, removes=True)
    return Verdict(NONE, removes=feed.missing > 0)
