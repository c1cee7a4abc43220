"""Between messages and Python values: days, moments, facts, clauses."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import difference_pb2, eligibility_pb2, learner_fact_pb2

from services.platform.errors import Refusal, Violation, invalid
from services.vouchers.domain.differences import Difference
from services.vouchers.domain.eligibility import suppliers
from services.vouchers.domain.facts import Fact, Source
from services.vouchers.domain.outcomes import Outcome, Result

if TYPE_CHECKING:
    from services.platform.objects.store import Objects

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day(value: date) -> date_pb2.Date:
    """Returns a day as message."""
    return date_pb2.Date(year=value.year, month=value.month, day=value.day)


def date_of(message: date_pb2.Date, field: str) -> date:
    """Returns a day; raises Refusal(INVALID_ARGUMENT) for one that does not exist."""
    try:
        return date(message.year, message.month, message.day)
    except ValueError as error:
        violation = Violation(field, f"is no day: {error}")
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation]) from None


def moment(value: datetime | None) -> Timestamp | None:
    """Returns a moment as message; None stays unset."""
    if value is None:
        return None
    since = value - _EPOCH  # what Timestamp.FromDatetime does, in a fifth of its time
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1000)


def set_ticket(message: Any, objects: Objects, bucket: str, key: str, content_type: str) -> None:
    """Says in a message, which has `size_bytes` and `sha256` of a file, where to put it."""
    size, sha256 = message.size_bytes, message.sha256
    ticket = objects.ticket(bucket, key, size=size, content_type=content_type, sha256=sha256)
    message.upload_uri = ticket.url
    message.upload_headers.update(ticket.headers)
    message.expire_time.FromDatetime(ticket.expire_time)


def fact_of(message: learner_fact_pb2.LearnerFact, place: str, today: date, *, declared: bool) -> Fact:
    """Returns a fact. `declared`: sent by a learner, whatever source it claims."""
    kind = message.WhichOneof("value")
    sent = getattr(message, str(kind))
    if not declared and message.source == learner_fact_pb2.FACT_SOURCE_UNSPECIFIED:
        raise invalid(f"{place}.source", "must be given")
    observed, until = message.observed_date, message.valid_until
    return Fact(
        key=message.key,
        value=date_of(sent, f"{place}.date") if kind == "date" else sent,
        source=Source.SELF_DECLARED if declared else Source(message.source),
        observed=date_of(observed, f"{place}.observed_date") if message.HasField("observed_date") else today,
        valid_until=date_of(until, f"{place}.valid_until") if message.HasField("valid_until") else None,
    )


def fact_message(fact: Fact, name: str, created: datetime | None = None) -> learner_fact_pb2.LearnerFact:
    """Returns a fact as message."""
    message = learner_fact_pb2.LearnerFact(
        name=name,
        key=fact.key,
        source=learner_fact_pb2.FactSource.ValueType(int(fact.source)),
        observed_date=day(fact.observed),
        valid_until=day(fact.valid_until) if fact.valid_until else None,
        create_time=moment(created),
    )
    if isinstance(fact.value, bool):
        message.flag = fact.value
    elif isinstance(fact.value, int):
        message.number = fact.value
    elif isinstance(fact.value, str):
        message.text = fact.value
    else:
        message.date.CopyFrom(day(fact.value))
    return message


def fact_use(fact: Fact, today: date) -> eligibility_pb2.FactUse:
    """Returns what a clause was decided on."""
    return eligibility_pb2.FactUse(
        key=fact.key,
        value=str(fact.value).lower() if isinstance(fact.value, bool) else str(fact.value),
        source=learner_fact_pb2.FactSource.ValueType(int(fact.source)),
        observed_date=day(fact.observed),
        age_days=(today - fact.observed).days,
    )


def missing_fact(key: str) -> eligibility_pb2.FactUse:
    """Returns what a clause lacks."""
    return eligibility_pb2.FactUse(key=key, suppliers=suppliers(key))


def clause(result: Result, today: date) -> eligibility_pb2.ClauseOutcome:
    """Returns the outcome of a clause as message; a code is given only where it explains a refusal."""
    failed = result.outcome is Outcome.FAILED
    return eligibility_pb2.ClauseOutcome(
        clause=result.clause,
        outcome=eligibility_pb2.ClauseOutcome.Outcome.ValueType(int(result.outcome)),
        verified=result.verified,
        facts=[fact_use(fact, today) for fact in result.used],
        missing=[missing_fact(key) for key in result.missing],
        reason_code=result.reason_code if failed else "",
        legal_reference=result.legal_reference,
        texts=dict(result.texts),
    )


def difference(found: Difference) -> difference_pb2.FieldDifference:
    """Returns a difference as message."""
    return difference_pb2.FieldDifference(path=found.path, before=found.before, after=found.after)
