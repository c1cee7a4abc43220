"""The way of an event: outbox of another service → relay → Kafka → consumer → step, by contracts alone."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from google.protobuf.message import Message
from waymark.catalogue.v1 import events_pb2 as catalogue
from waymark.portfolio.v1 import pathway_pb2
from waymark.vouchers.v1 import events_pb2 as vouchers

from services.platform.db.transaction import transaction
from services.platform.events.consumer import Consumer
from services.platform.events.relay import Relay
from services.platform.events.topics import ensure_topics, topics_of
from services.portfolio.app import PortfolioApp
from services.portfolio.service import DEFINITION
from tests.support.events import running, test_settings
from tests.support.portfolio import Portfolio, pathway, step
from tests.support.waiting import eventually


def test_an_accepted_redemption_confirms_the_step(
    portfolio: Portfolio, database, kafka: str, tmp_path: Path
) -> None:
    person = portfolio.person()
    way = step(person, pathway(person).name, course="courses/welding")
    ref = vouchers.RedemptionRef(
        redemption=f"redemptions/{secrets.token_hex(8)}",
        learner=f"learners/{person.subject}",
        course="courses/welding",
    )
    sent = [kind(ref=ref) for kind in (vouchers.RedemptionReserved, vouchers.RedemptionAccepted)]

    def confirmed() -> bool:
        read = person.GetPathway(pathway_pb2.GetPathwayRequest(name=way.name))
        return read.steps[0].state == pathway_pb2.Step.STATE_CONFIRMED

    with told(portfolio, "vouchers", sent, database, kafka, tmp_path):
        eventually(confirmed)


def test_a_withdrawn_course_marks_the_step(
    portfolio: Portfolio, database, kafka: str, tmp_path: Path
) -> None:
    person, course = portfolio.person(), f"courses/{secrets.token_hex(8)}"
    way = step(person, pathway(person).name, course=course)
    sent = [catalogue.CourseChanged(course=course, version=each, removed=each == 2) for each in (1, 2)]

    def withdrawn() -> bool:
        read = person.GetPathway(pathway_pb2.GetPathwayRequest(name=way.name))
        return read.steps[0].course_standing == pathway_pb2.Step.COURSE_STANDING_WITHDRAWN

    with told(portfolio, "catalogue", sent, database, kafka, tmp_path):
        eventually(withdrawn)


@contextmanager
def told(
    portfolio: Portfolio, service: str, sent: Sequence[Message], database, kafka: str, secrets_dir: Path
) -> Iterator[None]:
    """A relay of `service` with events to send, and a consumer of the portfolio, both at work."""
    emitter = database(service)
    both = {"kafka_bootstrap": kafka, "secrets_dir": secrets_dir}
    emitting = test_settings(service, database_url=emitter.url, **both)
    ensure_topics(emitting, topics_of(service))
    # A consumer group of this test's own: other tests may consume the same topic at the same time.
    reacting = test_settings(f"t{secrets.token_hex(4)}", database_url=portfolio.database.url, **both)
    app = PortfolioApp(reacting)
    with running(Relay(emitting, emitter.engine).run, Consumer(DEFINITION, app).run):
        with transaction(emitter.engine) as tx:
            for event in sent:
                tx.publish(event)
        yield
    app.close()
