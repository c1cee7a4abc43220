"""Every Prometheus metric of Waymark. Labels are bounded and never hold personal data.

With `PROMETHEUS_MULTIPROC_DIR` set before this module is imported, the processes of one set share files in
that folder and one of them answers for all (`exposition.py`).
"""

from __future__ import annotations

import os

from prometheus_client import Counter, Gauge, Histogram, values

if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    _PID = os.getpid()
    # The library asks for the process's number at each count, for programs that fork; none here does.
    values.ValueClass = values.MultiProcessValue(lambda: _PID)  # type: ignore[no-untyped-call]

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SLOW = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)

# Calls answered, by method and gRPC status code name.
RPC_CALLS = Counter("waymark_rpc_calls_total", "Calls answered", ["method", "code"])
# Seconds from a worker thread taking the call to its answer, without its wait in the queue.
RPC_SECONDS = Histogram("waymark_rpc_seconds", "Seconds to answer a call", ["method"], buckets=FAST)
# Calls accepted and not yet answered; at most threads + queue places.
RPC_IN_FLIGHT = Gauge(
    "waymark_rpc_in_flight", "Calls accepted and not yet answered", multiprocess_mode="livesum"
)
# Calls refused at once because every thread and queue place was taken.
RPC_SHED = Counter("waymark_rpc_shed_total", "Calls refused at once under overload")
# Transactions run a second time: serialization failure, deadlock, or a connection lost under a repeatable
# call.
RPC_RETRIES = Counter("waymark_rpc_retries_total", "Transactions run a second time", ["cause"])
# How many writes shared a transaction. Always one under load: something holds the groups apart.
GROUP_SIZE = Histogram("waymark_group_size", "Writes that shared a transaction", buckets=(1, 2, 4, 8, 16, 32))
# Errors that no published reason covers; every one is a defect and has a log line with its trace id.
RPC_UNEXPECTED = Counter("waymark_rpc_unexpected_total", "Calls ended by an unexpected error", ["method"])
# 1 while the named health check passes: database, outbox, or the name of a gRPC service.
HEALTHY = Gauge("waymark_healthy", "1 while the health check passes", ["check"], multiprocess_mode="livemin")

# Access tokens refused, by why: signature, algorithm, key, issuer, audience, expired, claims, form.
TOKENS_REFUSED = Counter("waymark_tokens_refused_total", "Access tokens refused", ["why"])
# Fetches of the identity provider's key set, by outcome: ok or failed.
KEY_SET_FETCHES = Counter("waymark_key_set_fetches_total", "Fetches of the key set", ["outcome"])

# Outbox rows not yet published.
OUTBOX_ROWS = Gauge("waymark_outbox_rows", "Outbox rows not yet published", multiprocess_mode="livemax")
# Age in seconds of the oldest outbox row not yet published; alarm when it grows.
OUTBOX_AGE = Gauge(
    "waymark_outbox_age_seconds", "Age of the oldest unpublished outbox row", multiprocess_mode="livemax"
)
# Events published to Kafka, by topic.
EVENTS_PUBLISHED = Counter("waymark_events_published_total", "Events published", ["topic"])
# Failed attempts to publish a batch; the rows stay in the outbox.
PUBLISH_FAILURES = Counter("waymark_publish_failures_total", "Failed attempts to publish a batch")
# Messages between the consumer's position and the end of the partition.
CONSUMER_LAG = Gauge(
    "waymark_consumer_lag", "Messages not yet consumed", ["topic", "partition"], multiprocess_mode="livemax"
)
# Seconds from the event's time (its commit) to its effect here.
EVENT_AGE = Histogram("waymark_event_age_seconds", "Seconds from event to effect", ["topic"], buckets=SLOW)
# Events consumed, by topic and outcome: effect, duplicate, ignored, dead_letter.
EVENTS_CONSUMED = Counter("waymark_events_consumed_total", "Events consumed", ["topic", "outcome"])
# 1 while the consumer waits for a failing dependency.
CONSUMER_PAUSED = Gauge(
    "waymark_consumer_paused", "1 while consuming waits for a failing dependency", multiprocess_mode="livemax"
)
# 1 while the consumer stands still because too many messages became dead letters; somebody must look.
CONSUMER_HALTED = Gauge(
    "waymark_consumer_halted", "1 while too many dead letters stop consuming", multiprocess_mode="livemax"
)
# Messages moved to the dead-letter topic, by topic; past the limit the consumer stops.
DEAD_LETTERS = Counter("waymark_dead_letters_total", "Messages moved to the dead-letter topic", ["topic"])

# Feed runs that wait for a person; alarm when one waits longer than a working day.
FEED_RUNS_HELD = Gauge(
    "waymark_feed_runs_held", "Feed runs that wait for a person", multiprocess_mode="livemax"
)

# Searches asked by meaning too, by outcome: answered, or, with a plain answer instead, late, failed, resting
# (a moment after one of these two), busy.
MEANING_SEARCHES = Counter("waymark_meaning_searches_total", "Searches asked by meaning too", ["outcome"])

# Runs of periodic jobs, by job and outcome: ok or failed.
JOB_RUNS = Counter("waymark_job_runs_total", "Runs of periodic jobs", ["job", "outcome"])
# Seconds a run of a periodic job took.
JOB_SECONDS = Histogram("waymark_job_seconds", "Seconds a job ran", ["job"], buckets=SLOW)
