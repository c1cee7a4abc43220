"""How tests put applications on the desk."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from waymark.vouchers.v1 import appeal_pb2, application_pb2, inquiry_pb2, learner_fact_pb2

from services.platform.db.transaction import transaction
from tests.support.vouchers import NO_EVIDENCE, Person, World, day_message, request_id

State = application_pb2.Application
Inquiry = inquiry_pb2.Inquiry
APPEAL = {"appealRule": {"days": 30, "legalReference": "Decree, article 12"}}


def programme(world: World, **changes: Any) -> str:
    """Returns a programme for jobseekers that foresees an appeal within 30 days."""
    return world.programme(**{**NO_EVIDENCE, **APPEAL, **changes})


def waiting(world: World, name: str = "", person: Person | None = None, session: str = "") -> Any:
    """Returns an application that waits for a person, because its facts are only declared."""
    person = person or world.person("learner")
    fact = learner_fact_pb2.LearnerFact(key="employment_status", text="unemployed")
    application = State(
        learner=person.learner, programme=name or programme(world), session=session or world.session
    )
    return person.applications.CreateApplication(
        application_pb2.CreateApplicationRequest(
            application=application, declared_facts=[fact], request_id=request_id()
        )
    )


def refused_by_rules(world: World, name: str = "") -> tuple[Person, Any]:
    """Returns a learner and an application that rules have refused, because the register says `employed`."""
    person = world.learner(employment_status="employed")
    refusal = world.apply(person, name or programme(world))
    assert refusal.state == State.STATE_REFUSED
    return person, refusal


def decide(who: Person, name: str, *, grant: bool = False, **fields: Any) -> Any:
    """Decides an application."""
    return who.applications.DecideApplication(
        application_pb2.DecideApplicationRequest(name=name, grant=grant, reason="looked at it", **fields)
    )


def assign(who: Person, name: str, **fields: Any) -> Any:
    """Takes an application in hand, or puts it into another's."""
    return who.applications.AssignApplication(
        application_pb2.AssignApplicationRequest(name=name, request_id=request_id(), **fields)
    )


def appeal(who: Person, name: str, **fields: Any) -> Any:
    """Appeals."""
    request = appeal_pb2.AppealApplicationRequest(name=name, grounds="the register is wrong", **fields)
    return who.appeals.AppealApplication(request)


def decide_appeal(who: Person, name: str, *, grant: bool = False, **fields: Any) -> Any:
    """Decides an appeal."""
    return who.appeals.DecideAppeal(
        appeal_pb2.DecideAppealRequest(name=name, grant=grant, reason="looked at it again", **fields)
    )


def ask(who: Person, name: str, due: date, **fields: Any) -> Any:
    """Asks the applicant for something; by default for the fact how educated they are."""
    asked = {"kind": Inquiry.KIND_FACT, "fact_key": "education_level", **fields}
    return who.inquiries.CreateInquiry(
        inquiry_pb2.CreateInquiryRequest(
            parent=name, inquiry=Inquiry(due_date=day_message(due), **asked), request_id=request_id()
        )
    )


def answer(who: Person, name: str, **fields: Any) -> Any:
    """Answers what was asked."""
    return who.inquiries.AnswerInquiry(inquiry_pb2.AnswerInquiryRequest(name=name, **fields))


def level(number: int) -> learner_fact_pb2.LearnerFact:
    """Returns the fact how educated somebody is."""
    return learner_fact_pb2.LearnerFact(key="education_level", number=number)


def let_days_pass(world: World, days: int) -> None:
    """Makes decisions and questions so many days older: the database's clock cannot be turned."""
    with transaction(world.app) as tx:
        past = {"days": days}
        tx.execute(
            text("""UPDATE applications SET appeal_until = appeal_until - :days,
          answer_due = answer_due - :days"""),
            past,
        )
        tx.execute(text("UPDATE inquiries SET due_date = due_date - :days"), past)


def told(world: World, kind: str) -> int:
    """Returns how many events of a kind wait to be sent."""
    with transaction(world.app) as tx:
        query = text("SELECT count(*) FROM outbox WHERE type LIKE :kind")
        return int(tx.execute(query, {"kind": f"%.{kind}"}).scalar_one())


def tomorrow(world: World, days: int = 1) -> date:
    """Returns a day ahead."""
    return world.today + timedelta(days=days)
