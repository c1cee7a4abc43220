"""The way of an event: vouchers' outbox → relay → Kafka → consumer → step, sharing only the contract."""

from __future__ import annotations

import secrets
from pathlib import Path

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
    spent = database("vouchers")
    emitting = test_settings("vouchers", database_url=spent.url, kafka_bootstrap=kafka, secrets_dir=tmp_path)
    ensure_topics(emitting, topics_of("vouchers"))
    # A consumer group of this test's own: other tests may consume the same topic at the same time.
    reacting = test_settings(
        f"t{secrets.token_hex(4)}",
        database_url=portfolio.database.url,
        kafka_bootstrap=kafka,
        secrets_dir=tmp_path,
    )
    app = PortfolioApp(reacting)
    ref = vouchers.RedemptionRef(
        redemption=f"redemptions/{secrets.token_hex(8)}",
        learner=f"learners/{person.subject}",
        course="courses/welding",
    )

    def confirmed() -> bool:
        read = person.GetPathway(pathway_pb2.GetPathwayRequest(name=way.name))
        return read.steps[0].state == pathway_pb2.Step.STATE_CONFIRMED

    with running(Relay(emitting, spent.engine).run, Consumer(DEFINITION, app).run):
        with transaction(spent.engine) as tx:
            for kind in (vouchers.RedemptionReserved, vouchers.RedemptionAccepted):
                tx.publish(kind(ref=ref))
        eventually(confirmed)
    app.close()
