"""Consumer: reads the topics a service reacts to, gives each event its effect, then commits the offsets."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

import structlog

from services.platform.events import clients
from services.platform.events.cloudevents import EventInfo
from services.platform.events.dead_letters import DeadLetters
from services.platform.events.effects import Effects, TooManyDeadLetters
from services.platform.events.faults import passing
from services.platform.events.lag import keep_lag
from services.platform.events.messages import Reader
from services.platform.events.stalls import StallWatch
from services.platform.telemetry import metrics

if TYPE_CHECKING:
    from services.platform.app import App
    from services.platform.service import ServiceDefinition

BATCH = 500  # messages of one transaction
POLL_MS = 1000  # at most, without a message; also how long a stop may wait
BACK_OFF = 10.0  # seconds at most between tries of a failing dependency
HALT_CHECK = 10.0  # seconds between looks whether the dead-letter limit still holds
LAG_EVERY = 5.0  # seconds between measurements of the lag
ENDS_MS = 5_000  # to ask where topics end, which waits behind a fetch that has nothing to bring
log = structlog.get_logger("consumer")

__all__ = ["Consumer", "EventInfo"]


class Consumer:
    """The consumer of one service, group `waymark-<service>`. Several may run; Kafka shares the partitions
    out."""

    def __init__(
        self, definition: ServiceDefinition, app: App, *, dead_letters: DeadLetters | None = None
    ) -> None:
        self._settings = app.settings
        self._engine = app.engine
        self._dead = dead_letters or DeadLetters(app.settings, app.engine)
        self._effects = Effects(app, self._dead, definition.locks)
        self._reader = Reader(definition.reactions)
        self._measured = 0.0
        self.halted = False

    def run(self, stop: threading.Event) -> None:
        """Consumes until `stop` is set; waits out failures of the database and the broker."""
        failures = 0
        while not stop.is_set():
            client = None
            try:
                client = clients.member(self._settings, max_poll_records=BATCH)
                watch = StallWatch()
                client.subscribe(self._reader.topics, listener=watch.listener())
                client.topics()  # joining before the partitions are known may leave it deaf (stalls.py)
                self._consume(client, watch, stop)
                failures = 0
            except Exception as error:  # of the client itself: make a new one
                failures += 1
                # The inbox makes trying again harmless: the unforeseen is waited out as well, but loudly.
                say = log.warning if passing(error) else log.exception
                say("consumer_reconnects", exc_info=error, attempt=failures)
                stop.wait(min(BACK_OFF, 0.2 * 2**failures))
            finally:
                if client is not None:
                    _close(client)
        self._dead.close()

    def _consume(self, client: Any, watch: StallWatch, stop: threading.Event) -> None:
        failures = 0
        while not stop.is_set():
            batch = client.poll(timeout_ms=POLL_MS)
            if not batch:
                watch.check(client)
                self._measure(client)
                continue
            watch.heard()
            try:
                self._effects.apply(
                    [self._reader.read(record) for record in chain.from_iterable(batch.values())]
                )
            except Exception as error:
                halted = isinstance(error, TooManyDeadLetters)
                if not halted and not passing(error):
                    raise
                failures += 1
                self._stand_still(client, batch, stop, error, failures, halted=halted)
                continue
            failures = 0
            _commit(client)
            self._measure(client)

    def _stand_still(
        self,
        client: Any,
        batch: Mapping[Any, Any],
        stop: threading.Event,
        error: Exception,
        failures: int,
        *,
        halted: bool,
    ) -> None:
        """Goes back to where the batch began and waits, paused, so that the group does not lose this
        member."""
        wait = HALT_CHECK if halted else min(BACK_OFF, 0.1 * 2**failures)
        gauge = metrics.CONSUMER_HALTED if halted else metrics.CONSUMER_PAUSED
        say = log.error if halted else log.warning
        say("consumer_halted" if halted else "consumer_paused", exc_info=error, attempt=failures, wait=wait)
        for place, records in batch.items():
            if place in client.assignment():
                client.seek(place, records[0].offset)
        gauge.set(1)
        self.halted = halted
        until = time.monotonic() + wait
        while time.monotonic() < until and not stop.is_set():
            client.pause(*client.assignment())
            client.poll(timeout_ms=100)
            self._measure(client, paused=True)
        client.resume(*client.assignment())
        if not halted or not self._dead_over_limit():
            gauge.set(0)
            self.halted = False

    def _dead_over_limit(self) -> bool:
        try:
            return self._dead.over_limit()
        except Exception as error:
            log.warning("limit_unknown", exc_info=error)
            return True

    def _measure(self, client: Any, *, paused: bool = False) -> None:
        """Tells how far the client is behind: by what it fetched last, unless it is `paused`, and by the
        broker's word where nothing fetched says so, as with idle partitions that a member is given anew."""
        if self._measured_lately():
            return
        places = client.assignment()
        ends = {} if paused else {place: client.highwater(place) for place in places}
        unknown = [place for place in places if ends.get(place) is None]
        try:
            if unknown:
                ends |= client.end_offsets(unknown, timeout_ms=ENDS_MS)
        except Exception as error:  # the broker is away too
            log.warning("lag_unknown", exc_info=error)
        self._keep_lag(client, ends)

    def _measured_lately(self) -> bool:
        lately = time.monotonic() - self._measured < LAG_EVERY
        if not lately:
            self._measured = time.monotonic()
        return lately

    def _keep_lag(self, client: Any, ends: Mapping[Any, int | None]) -> None:
        """Tells and writes how far before `ends`, by partition, the client stands; None: not known yet."""
        rows = []
        for place, end in ends.items():
            if end is not None:
                lag = max(0, end - client.position(place))
                metrics.CONSUMER_LAG.labels(place.topic, str(place.partition)).set(lag)
                rows.append({"topic": place.topic, "partition": place.partition, "lag": lag})
        try:
            keep_lag(self._engine, rows)
        except Exception as error:  # the next effect will meet the same trouble and wait for its end
            log.warning("lag_not_kept", exc_info=error)


def _commit(client: Any) -> None:
    from kafka.errors import CommitFailedError

    try:
        client.commit()
    except CommitFailedError:  # the partition went to another member, who finds the events in the inbox
        log.info("partitions_moved")


def _close(client: Any) -> None:
    try:
        client.close(autocommit=False)
    except Exception as error:
        log.warning("consumer_not_closed", exc_info=error)
