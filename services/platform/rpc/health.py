"""Health (gRPC health checking v1): "" and each service follow the database.

`database`, `outbox`, `consumer` and `dead-letters` say more. Events stay out of the overall answer:
while Kafka is away the service goes on serving.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import psycopg
import sqlalchemy
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.platform.events.dead_letters import LIMIT, WINDOW
from services.platform.rpc.pool import ASIDE
from services.platform.telemetry import metrics

INTERVAL = 1.0  # seconds between checks
PATIENCE = 2.0  # seconds for an answer; a frozen server takes the question and never answers
OUTBOX_AGE_LIMIT = 60.0  # seconds the oldest event may wait
LAG_LIMIT = 10_000  # messages a consumer may be behind
SILENCE_LIMIT = 60.0  # seconds since a consumer that ever was last said how far it is
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
# Age of the oldest event that waits, messages not consumed, age of the consumer's last word, and dead letters
# that count towards the limit of consuming; 0 without any.
_STATE = """
SELECT
  coalesce((SELECT extract(epoch FROM clock_timestamp() - created_at) FROM outbox ORDER BY seq LIMIT 1), 0),
  (SELECT coalesce(sum(lag), 0) FROM consumer_lag),
  (SELECT coalesce(extract(epoch FROM clock_timestamp() - max(measured_at)), 0) FROM consumer_lag),
  (SELECT count(*) FROM dead_letters
   WHERE created_at > now() - %(window)s AND replayed_at IS NULL)
"""

_log = structlog.get_logger()


class State(NamedTuple):
    """What the database says: seconds, messages, seconds, messages."""

    outbox_age: float
    lag: int
    silence: float
    dead_letters: int


class Servicer(health.HealthServicer):  # type: ignore[misc]
    """The library's servicer, answering beside the workers: overload must not look like illness."""

    def __init__(self) -> None:
        super().__init__(experimental_thread_pool=ASIDE)

    def Check(
        self, request: health_pb2.HealthCheckRequest, context: object
    ) -> health_pb2.HealthCheckResponse:
        """Answers the present status of one service name."""
        return super().Check(request, context)

    Check.experimental_thread_pool = ASIDE  # type: ignore[attr-defined]


class Health:
    """Looks at the database every second over a connection of its own and publishes what it finds."""

    def __init__(
        self,
        url: sqlalchemy.URL,
        names: Iterable[str],
        interval: float = INTERVAL,
        busy: Callable[[], int] = int,
    ) -> None:
        """`busy` says how many calls are under way."""
        self.servicer = Servicer()
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._names = ("", *names)
        self._interval = interval
        self._busy = busy
        self._stop = threading.Event()
        self._seen: dict[str, bool] = {}
        self._connection: psycopg.Connection | None = None
        self._asked = 0.0  # monotonic time of the question under way; 0 when there is none
        self._threads = [
            threading.Thread(target=run, name="health", daemon=True) for run in (self._run, self._watch)
        ]

    def start(self, server: object) -> None:
        """Adds the servicer to `server` and starts looking; the first look is done before this returns."""
        health_pb2_grpc.add_HealthServicer_to_server(self.servicer, server)
        self.look()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Answers NOT_SERVING to everybody from now on."""
        self._stop.set()
        self.servicer.enter_graceful_shutdown()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=PATIENCE)
        self._disconnect()

    def look(self) -> None:
        """Asks the database once and publishes the answer."""
        state: State | None = None
        metrics.RPC_IN_FLIGHT.set(self._busy())
        self._asked = time.monotonic()
        try:
            state = self._ask()
        except (psycopg.Error, OSError):
            self._disconnect()
        finally:
            self._asked = 0.0
        self._tell(state)

    def _tell(self, state: State | None) -> None:
        for name in ("database", *self._names):
            self._publish(name, state is not None)
        self._publish("outbox", state is not None and state.outbox_age <= OUTBOX_AGE_LIMIT)
        self._publish(
            "consumer", state is not None and state.lag <= LAG_LIMIT and state.silence <= SILENCE_LIMIT
        )
        self._publish("dead-letters", state is not None and state.dead_letters < LIMIT)
        if state is not None:
            metrics.OUTBOX_AGE.set(state.outbox_age)

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            self.look()

    def _watch(self) -> None:
        """Speaks up for a question that is not answered."""
        while not self._stop.wait(PATIENCE / 4):
            if self._asked and time.monotonic() - self._asked > PATIENCE:
                self._tell(None)

    def _ask(self) -> State:
        if self._connection is None:
            self._connection = psycopg.connect(
                self._conninfo,
                autocommit=True,
                connect_timeout=2,
                application_name="waymark-health",
                options="-c statement_timeout=1000",
                tcp_user_timeout=2000,
            )
        row = self._connection.execute(_STATE, {"window": WINDOW}).fetchone()
        assert row is not None
        return State(float(row[0]), int(row[1]), float(row[2]), int(row[3]))

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _publish(self, name: str, healthy: bool) -> None:
        if self._seen.get(name) is healthy:
            return
        self.servicer.set(name, _SERVING if healthy else _NOT_SERVING)
        metrics.HEALTHY.labels(name or "server").set(int(healthy))
        if name in self._seen or not healthy:
            _log.warning("health", check=name or "server", healthy=healthy)
        self._seen[name] = healthy
