"""JSON logs, a line per event, for machines; with trace ids and without personal data.

Only the fields in FIELDS leave the process: a value that nobody allowed is dropped and its name is listed
under `dropped`. Texts of exceptions and arguments of libraries' log lines may quote rows or requests, so
neither is written: an error shows as its type and the places it passed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

from services.platform.telemetry.tracing import current_trace

FIELDS = frozenset({
    # what every line has
    "event", "level", "timestamp", "logger", "service", "trace_id", "span_id", "source", "dropped",
    # calls
    "method", "code", "reason", "seconds", "caller", "error", "cause", "at", "attempt", "wait", "limit",
    "status",
    # events
    "topic", "partition", "offset", "event_type", "event_id", "bucket", "holder", "group", "lag", "age",
    "outcome",
    # processes and jobs
    "address", "port", "pid", "processes", "threads", "signal", "version", "migration", "check", "healthy",
    "job",
    "why", "kind", "size", "part", "state", "count", "rows", "run",
})  # fmt: skip
_FRAMES = 12  # innermost ones of a traceback
_TEMPLATE = 120  # characters of a library's message


class _Caller:
    """Turns subjects into handles that tell callers apart without saying who they are."""

    key = b""

    @classmethod
    def handle(cls, subject: str) -> str:
        return hashlib.blake2b(subject.encode(), digest_size=6, key=cls.key).hexdigest() if subject else ""


def caller_handle(subject: str) -> str:
    """Returns a keyed hash of a subject, fit for logs; without the key nobody can test a guess."""
    return _Caller.handle(subject)


def configure_logging(service: str, *, key: bytes = b"", level: int = logging.INFO) -> None:
    """Sends this process's logs, its libraries' included, to standard output as JSON lines.

    `key`: secret (up to 64 bytes) for the callers' handles.
    """
    _Caller.key = key
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            add_trace,
            describe_error,
            only_allowed,
            Render(service),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [LibraryHandler()]
    root.setLevel(logging.WARNING)


def add_trace(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Adds the ids of the trace this thread works in."""
    trace = current_trace()
    if trace is not None:
        event.setdefault("trace_id", trace.trace_id)
        event.setdefault("span_id", trace.span_id)
    return event


def describe_error(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replaces `exc_info` by the error's type, its causes' types and the places it passed; never its text."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"], event["cause"], event["at"] = describe(error)
    return event


def describe(error: BaseException) -> tuple[str, str, list[str]]:
    """Returns (type, types of the causes, `file:line function` of the innermost frames)."""
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < 5:
        causes.append(type(cause).__qualname__)
        cause = cause.__cause__ or cause.__context__
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = [
        f"{'/'.join(frame.filename.rsplit('/', 3)[-3:])}:{frame.lineno} {frame.name}" for frame in frames
    ]
    return type(error).__qualname__, " < ".join(causes), places


def only_allowed(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drops every field that FIELDS does not name, and says which."""
    if not FIELDS.issuperset(event):
        dropped = sorted(name for name in event if name not in FIELDS)
        for name in dropped:
            del event[name]
        event["dropped"] = dropped
    return event


def _type_name(value: object) -> str:
    return type(value).__name__


class Render:
    """Last processor: one JSON line, `service` first."""

    def __init__(self, service: str) -> None:
        self._head = {"service": service}
        self._encode = json.JSONEncoder(
            separators=(",", ":"), default=lambda value: type(value).__name__
        ).encode

    def __call__(self, _: object, __: str, event: MutableMapping[str, Any]) -> bytes:
        """Returns the line."""
        return self._encode({**self._head, **event}).encode()


class LibraryHandler(logging.Handler):
    """Log lines of libraries: place and template, never the arguments, which may quote data."""

    def emit(self, record: logging.LogRecord) -> None:
        """Passes a record on."""
        log = structlog.get_logger()
        write = log.error if record.levelno >= logging.ERROR else log.warning
        # A message without arguments may have been put together from data before it came here.
        template = (
            record.msg[:_TEMPLATE] if isinstance(record.msg, str) and record.args else "library message"
        )
        where = {"logger": record.name, "source": f"{record.module}:{record.lineno}"}
        write(template, **where, exc_info=record.exc_info or None)
