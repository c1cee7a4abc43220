"""Chapter 4: the person's own portfolio: a pathway that the voucher moves, and a look that leaves a trace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from waymark.portfolio.v1 import (
    entry_pb2,
    entry_pb2_grpc,
    holder_pb2,
    holder_pb2_grpc,
    mandate_pb2,
    mandate_pb2_grpc,
    pathway_pb2,
    pathway_pb2_grpc,
)

from services.cli.client import Caller, request_id
from services.cli.demo.data import OCCUPATION
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.programme import LEARNER
from services.cli.legal_day import legal_day

Pathway = pathway_pb2.Pathway
COUNSELLOR = "Tess"
LEAVER = "Mila"
OFFICE = "organisations/employment-service"
PIN = "2468"


def agree_pathway(journey: Journey) -> str:
    """gRPC: the learner opens a portfolio, mandates a counsellor; both agree to a pathway with the course."""
    learner = journey.person("learner", LEARNER)
    holder = open_portfolio(journey, learner)
    give_mandate(journey, learner, holder)
    counsellor = journey.person("counsellor", COUNSELLOR, OFFICE).stub(pathway_pb2_grpc.PathwayServiceStub)
    name = draw_up(journey, counsellor, holder)
    agree = pathway_pb2.AgreePathwayRequest(name=name)
    learner.stub(pathway_pb2_grpc.PathwayServiceStub).AgreePathway(agree)
    agreed = counsellor.AgreePathway(agree)
    expect(agreed.state == Pathway.STATE_AGREED, "both agreed, but the pathway is not")
    started = counsellor.StartPathway(pathway_pb2.StartPathwayRequest(name=name))
    expect(started.state == Pathway.STATE_ACTIVE, "the pathway did not start")
    journey.facts.holder, journey.facts.pathway = holder, name
    return f"agreed by both and active, {len(started.steps)} step, {len(started.spells)} spell beside it"


def give_mandate(journey: Journey, learner: Caller, holder: str) -> None:
    """The learner lets a counsellor work on pathways, and on nothing else, for ninety days."""
    mandate = mandate_pb2.Mandate(
        counsellor=journey.subject(COUNSELLOR),
        organisation=OFFICE,
        purpose=mandate_pb2.MANDATE_PURPOSE_PATHWAY,
        expire_time=in_days(90),
    )
    learner.stub(mandate_pb2_grpc.MandateServiceStub).CreateMandate(
        mandate_pb2.CreateMandateRequest(parent=holder, mandate=mandate, request_id=request_id())
    )


def draw_up(journey: Journey, pathways: Any, holder: str) -> str:
    """The counsellor draws up a pathway to the occupation, with the course as a step; returns its name."""
    target = pathway_pb2.Target(
        occupation_uri=f"http://data.europa.eu/esco/isco/C{OCCUPATION}", eqf_level=4, title="Welder"
    )
    pathway = Pathway(title="From warehouse to welding", target=target)
    request = pathway_pb2.CreatePathwayRequest(parent=holder, pathway=pathway, request_id=request_id())
    name: str = pathways.CreatePathway(request).name
    step = pathway_pb2.Step(
        kind=pathway_pb2.Step.KIND_COURSE, title="Welding course", course=journey.facts.course
    )
    pathways.AddStep(pathway_pb2.AddStepRequest(pathway=name, step=step, request_id=request_id()))
    spell = pathway_pb2.Spell(kind=pathway_pb2.Spell.KIND_UNEMPLOYED)
    today = legal_day()
    spell.start_date.year, spell.start_date.month, spell.start_date.day = today.year, today.month, 1
    pathways.AddSpell(pathway_pb2.AddSpellRequest(pathway=name, spell=spell, request_id=request_id()))
    return name


def open_portfolio(journey: Journey, learner: Caller) -> str:
    """Opens the learner's portfolio with a work entry; returns `holders/{id}`."""
    holder = learner.stub(holder_pb2_grpc.HolderServiceStub).CreateHolder(
        holder_pb2.CreateHolderRequest(
            holder=holder_pb2.Holder(given_name=LEARNER, family_name="Verbeke", languages=["nl", "en"]),
            request_id=request_id(),
        )
    )
    learner.stub(entry_pb2_grpc.EntryServiceStub).CreateEntry(
        entry_pb2.CreateEntryRequest(
            parent=holder.name,
            entry=entry_pb2.Entry(
                kind=entry_pb2.ENTRY_KIND_WORK, title="Warehouse operative", organisation="Scheldt Logistics"
            ),
            request_id=request_id(),
        )
    )
    expect(
        holder.name == f"holders/{journey.subject(LEARNER)}", "the portfolio is not under the token's subject"
    )
    name: str = holder.name
    return name


def step_confirmed(journey: Journey) -> str:
    """gRPC: nobody touches the pathway; the events of the redemption alone move its step to confirmed."""
    pathways = journey.person("learner", LEARNER).stub(pathway_pb2_grpc.PathwayServiceStub)

    def confirmed() -> Any:
        pathway = pathways.GetPathway(pathway_pb2.GetPathwayRequest(name=journey.facts.pathway))
        step = pathway.steps[0]
        return step if step.state == pathway_pb2.Step.STATE_CONFIRMED else None

    step = journey.wait_for("the step is confirmed by the event", confirmed)
    return f"{step.title!r} is confirmed; no call to the portfolio moved it"


def share(journey: Journey) -> str:
    """REST: a link with a PIN shows an employer chosen fields; the learner reads in the log who looked."""
    learner = journey.person("learner", LEARNER)
    expire = (datetime.now(UTC) + timedelta(days=14)).strftime("%Y-%m-%dT%H:%M:%SZ")
    link = {
        "label": "for an employer",
        "purpose": "to choose whom to invite",
        "fields": ["holder.given_name", "entries.title", "pathways"],
        "expireTime": expire,
        "maxUses": 3,
    }
    body = {"shareLink": link, "pin": PIN, "requestId": request_id()}
    made = learner.rest("POST", f"/v1/{journey.facts.holder}/shareLinks", body)
    employer = journey.client.anonymous()
    opened = employer.rest("POST", "/v1/shareLinks:open", {"token": made["token"], "pin": PIN})
    shown = opened["portfolio"]
    expect(opened["purpose"] == link["purpose"], f"the employer is told that it is for {opened['purpose']}")
    expect(shown["holder"].get("givenName") == LEARNER, "the link does not show the listed field")
    expect(not shown["holder"].get("familyName"), "the link shows a field that is not listed")
    log = learner.rest("GET", f"/v1/{journey.facts.holder}/accessRecords").get("accessRecords", [])
    looks = [each for each in log if each.get("grant") == made["shareLink"]["name"]]
    expect(len(looks) == 1, f"{len(looks)} records of one look")
    seen = (
        f"the employer saw {len(opened['fields'])} fields; the log names the look and {len(log) - 1} others"
    )
    return f"{seen}; of somebody who leaves, {leave(journey)}"


def leave(journey: Journey) -> str:
    """REST: somebody opens a portfolio and a link, and erases it again; the link is dead, the log stays."""
    leaver = journey.person("learner", LEAVER)
    holder = leaver.rest("POST", "/v1/holders", {"givenName": LEAVER, "familyName": "Claes"})
    entry = {"kind": "ENTRY_KIND_WORK", "title": "Baker"}
    leaver.rest("POST", f"/v1/{holder['name']}/entries", entry)
    expire = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    link = {
        "shareLink": {"fields": ["holder"], "expireTime": expire, "maxUses": 3},
        "requestId": request_id(),
    }
    token = leaver.rest("POST", f"/v1/{holder['name']}/shareLinks", link)["token"]
    employer = journey.client.anonymous()
    employer.rest("POST", "/v1/shareLinks:open", {"token": token})
    body = {"etag": holder["etag"], "requestId": request_id()}
    erased = leaver.rest("POST", f"/v1/{holder['name']}:erase", body)
    with refused("NOT_FOUND"):
        employer.rest("POST", "/v1/shareLinks:open", {"token": token})
    with refused("NOT_FOUND"):
        leaver.rest("GET", f"/v1/{holder['name']}")
    log = leaver.rest("GET", f"/v1/{holder['name']}/accessRecords").get("accessRecords", [])
    expect(len(log) == erased["accessRecords"] == 1, f"{len(log)} records of one look")
    gone = f"{erased['entries']} entry and {erased['shareLinks']} link"
    return f"{gone} are gone for good"


def in_days(days: int) -> Timestamp:
    """A moment some days ahead."""
    moment = Timestamp()
    moment.FromDatetime(datetime.now(UTC) + timedelta(days=days))
    return moment


PATHWAY = Step("pathway-agreed", "Learner and counsellor agree on a pathway", ("P1",), agree_pathway)
STEP_CONFIRMED = Step(
    "pathway-step-confirmed", "The event alone confirms the pathway step", ("P1",), step_confirmed
)
SHARE = Step("portfolio-shared", "An employer opens a share link, the learner sees it", ("P4", "P19"), share)
