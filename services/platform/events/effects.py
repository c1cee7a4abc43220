"""Runs reactions: inbox row and effect in one transaction, a batch at a time, one by one when the batch
fails."""

from __future__ import annotations

import time
from collections import Counter as Counting
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import structlog

from services.platform.db.transaction import transaction
from services.platform.events import inbox
from services.platform.events.dead_letters import DeadLetters
from services.platform.events.faults import passing, reason_of, slow
from services.platform.events.messages import Ignored, Known, Poison
from services.platform.telemetry import metrics
from services.platform.telemetry.tracing import enter_trace, start_span

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

    from services.platform.app import App
    from services.platform.db.transaction import Transaction
    from services.platform.service import Lock

ATTEMPTS = 3  # of one event, before it is called poison
SLOW_ATTEMPTS = 5  # of one alone that each time meets the limit of a statement; consuming waits in between
RETRY = 0.2  # seconds between them
log = structlog.get_logger("consumer")


class Effects:
    """Turns read messages into effects of one service."""

    def __init__(self, app: App, dead_letters: DeadLetters, lock: Lock | None = None) -> None:
        self._app = app
        self._dead = dead_letters
        self._lock = lock
        self._slow: Counting[str] = Counting()  # by event: how often it alone met the limit of a statement

    def apply(self, messages: Sequence[Known | Ignored | Poison]) -> None:
        """Gives every message its effect, once, in the order given.

        Raises the error of a failing dependency (`faults.passing`), with nothing lost: applying the same
        messages again is harmless. Raises TooManyDeadLetters at the limit.
        """
        for ignored in messages:
            if isinstance(ignored, Ignored):
                _consumed(ignored.record.topic, "ignored").inc()
        work = [message for message in messages if not isinstance(message, Ignored)]
        if not all(isinstance(message, Known) for message in work) or not self._together(work):
            for message in work:
                self._alone(message)

    def react(self, tx: Transaction, events: Sequence[Known]) -> int:
        """Runs the reactions of events that are new to the inbox, within `tx`; returns how many were new."""
        new = inbox.admit(tx, [event.info.id for event in events])
        count = len(new)
        if self._lock:
            self._lock(tx, [event.message for event in events if event.info.id in new])
        now = datetime.now(UTC)  # a batch takes a fraction of what EVENT_AGE can tell apart
        for event in events:
            topic = event.info.topic
            if event.info.id not in new:
                _consumed(topic, "duplicate").inc()
                continue
            new.discard(event.info.id)  # the same event twice in one batch
            span = start_span(event.info.type, event.info.traceparent)
            enter_trace(span.context)
            outcome = "INTERNAL"
            try:
                event.reaction(self._app, tx, event.message, event.info)
                outcome = "OK"
            finally:
                enter_trace(None)
                span.end(outcome)
            _consumed(topic, "effect").inc()
            _age(topic).observe((now - event.info.time).total_seconds())
        return count

    def _together(self, work: Sequence[Known | Poison]) -> bool:
        """Tries all in one transaction; False when a reaction fails, so that the culprit must be found."""
        events = [message for message in work if isinstance(message, Known)]
        try:
            if events:
                with transaction(self._app) as tx:
                    self.react(tx, events)
        except Exception as error:
            if passing(error) and not slow(error):
                raise
            return False
        return True

    def _alone(self, message: Known | Poison) -> None:
        if isinstance(message, Poison):
            self._bury(message.record, message.reason, message.type)
            return
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with transaction(self._app) as tx:
                    self.react(tx, [message])
                self._slow.pop(message.info.id, None)
                return
            except Exception as error:
                if passing(error) and not self._always_slow(message, error):
                    raise
                log.warning(
                    "reaction_failed",
                    exc_info=error,
                    attempt=attempt,
                    event_type=message.info.type,
                    event_id=message.info.id,
                )
                if attempt == ATTEMPTS or slow(error):
                    self._bury(message.record, reason_of(error), message.info.type)
                    return
                time.sleep(RETRY)

    def _always_slow(self, message: Known, error: Exception) -> bool:
        """Counts a try that met the limit of a statement; True for the last of those a message has."""
        if not slow(error):
            return False
        self._slow[message.info.id] += 1
        return self._slow[message.info.id] >= SLOW_ATTEMPTS

    def _bury(self, record: object, reason: str, type: str) -> None:
        if self._dead.over_limit():
            raise TooManyDeadLetters(reason)
        self._dead.put(record, reason, type)
        metrics.EVENTS_CONSUMED.labels(record.topic, "dead_letter").inc()  # type: ignore[attr-defined]
        log.error("dead_letter", reason=reason, event_type=type)


# The metrics look a label up under a lock; a service reads a handful of topics.
@cache
def _consumed(topic: str, outcome: str) -> Counter:
    return metrics.EVENTS_CONSUMED.labels(topic, outcome)


@cache
def _age(topic: str) -> Histogram:
    return metrics.EVENT_AGE.labels(topic)


class TooManyDeadLetters(Exception):
    """The dead-letter limit is reached: the fault is not in single messages, and somebody must look."""
