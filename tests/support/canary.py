"""A person whose every text is a name that must be found nowhere else."""

from __future__ import annotations

import uuid

import sqlalchemy
from google.type.date_pb2 import Date
from sqlalchemy import text
from waymark.portfolio.v1 import (
    entry_pb2,
    holder_pb2,
    page_comment_pb2,
    page_pb2,
    pathway_pb2,
    share_link_pb2,
)
from waymark.portfolio.v1 import validation_pb2 as pb
from waymark.vouchers.v1 import events_pb2 as vouchers

from services.platform.db.transaction import transaction
from services.portfolio.service import DEFINITION
from tests.support.groups import joining, programme
from tests.support.mentoring import matched, offered
from tests.support.pages import collection, handing_in, inviting, page
from tests.support.pages import text as words
from tests.support.portfolio import Caller, Portfolio, pathway, share, skill, step
from tests.support.validations import SHOWN, opened_case

CANARY = "Zyxwvut-Canary"


def everything(engine: sqlalchemy.Engine) -> str:
    """Every value of every table as text; bytes also as the text they may hold."""
    found = []
    with engine.connect() as connection:
        for table in sqlalchemy.inspect(connection).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                for value in row:
                    is_bytes = isinstance(value, bytes | memoryview)
                    found.append(bytes(value).decode("latin-1") if is_bytes else str(value))
    return "\n".join(found)


def live_a_life(portfolio: Portfolio) -> Caller:
    """Somebody whose every text is the canary, with request ids, so that answers are kept too."""
    person = portfolio.learner()
    holder = holder_pb2.Holder(given_name=CANARY, family_name=CANARY, summary={"en": CANARY})
    person.CreateHolder(holder_pb2.CreateHolderRequest(holder=holder, request_id=str(uuid.uuid4())))
    job = entry_pb2.Entry(kind=entry_pb2.ENTRY_KIND_WORK, title=CANARY, description={"en": CANARY})
    made = person.CreateEntry(
        entry_pb2.CreateEntryRequest(parent=person.holder, entry=job, request_id=str(uuid.uuid4()))
    )
    changed = entry_pb2.Entry(name=made.name, place=CANARY)  # what it said before becomes a revision
    person.UpdateEntry(entry_pb2.UpdateEntryRequest(entry=changed))
    skill(person, CANARY, label={"en": CANARY})
    way = pathway(person, title=CANARY)
    step(person, way.name, title=CANARY, course="courses/c")
    spell = pathway_pb2.Spell(kind=pathway_pb2.Spell.KIND_SICK, start_date=Date(year=2024, month=1, day=1))
    person.AddSpell(pathway_pb2.AddSpellRequest(pathway=way.name, spell=spell))
    person.AbandonPathway(
        pathway_pb2.AbandonPathwayRequest(name=way.name, reason=CANARY, request_id=str(uuid.uuid4()))
    )
    way = pathway(person, title=CANARY)
    step(person, way.name, title=CANARY, course="courses/c")
    person.AgreePathway(pathway_pb2.AgreePathwayRequest(name=way.name))
    hand_in_a_case(portfolio, person, made.name)
    opened = share(person, ["holder", "entries", "pathways"], label=CANARY)
    put_pages_together(portfolio, person, made.name)
    person.CreateGroupMembership(joining(person, programme(portfolio).name, CANARY))
    matched(person, offered(portfolio), wish=CANARY)
    counsellor = portfolio.mandated(person)
    counsellor.GetHolder(holder_pb2.GetHolderRequest(name=person.holder))
    shown = portfolio.anybody().OpenShareLink(share_link_pb2.OpenShareLinkRequest(token=opened.token))
    assert CANARY in str(shown)
    ref = vouchers.RedemptionRef(
        redemption="redemptions/1", learner=f"learners/{person.subject}", course="courses/c"
    )
    with transaction(portfolio.app) as tx:
        event = vouchers.RedemptionAccepted(ref=ref)
        DEFINITION.reactions[type(event)](portfolio.app, tx, event, None)  # type: ignore[arg-type]
    return person


def put_pages_together(portfolio: Portfolio, person: Caller, shown: str) -> None:
    """A page in a collection, with a published comment, handed in; every text is the canary."""
    made = page(person, words(CANARY), page_pb2.PageBlock(entry=shown), title=CANARY)
    link = person.CreatePageInvitation(inviting(person, made.name, label=CANARY))
    said = page_comment_pb2.GivePageCommentRequest(token=link.token, author=CANARY, text=CANARY)
    portfolio.anybody().GivePageComment(said)
    whole = collection(person, made.name, title=CANARY).name
    recipient = portfolio.counsellor()
    person.CreatePageSubmission(handing_in(person, whole, recipient, portfolio.organisation, note=CANARY))


def hand_in_a_case(portfolio: Portfolio, person: Caller, shown_by: str) -> None:
    """A validation case whose every text is the canary, handed in."""
    case, _ = opened_case(portfolio, person)
    elements = [pb.ValidationElement(id="x", title=CANARY)]
    person.IdentifyElements(pb.IdentifyElementsRequest(name=case.name, elements=elements))
    document = pb.ElementDocument(element="x", rating=SHOWN, note=CANARY, entries=[shown_by])  # type: ignore[arg-type]
    person.DocumentElements(pb.DocumentElementsRequest(name=case.name, documents=[document]))
    person.SubmitValidationCase(pb.SubmitValidationCaseRequest(name=case.name))
