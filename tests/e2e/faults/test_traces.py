"""A word that stands in all a learner writes is searched where it has no business (I11).

The journey was walked, and all faults of the other files were caused, with learners of that name.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

import grpc
import httpx
import psycopg
import pytest

from services.cli.demo import portfolio
from services.cli.demo.papers import certificate
from services.platform.events import clients
from services.platform.settings import Settings
from tests.support import traces
from tests.support.stand import CANARY, Learner, Stand
from tests.support.traffic import Person
from tests.support.waiting import eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
PLANTED = "Plantwyvern"
TEXT = {"en": f"I am {CANARY}, write to {CANARY}@example.org"}


def confide(stand: Stand) -> tuple[Learner, list[str]]:
    """A learner who writes the canary wherever there is room; returns names of what they wrote too."""
    learner = stand.learner(pathway=True)
    person, holder = learner.person, learner.holder
    contact = {
        "email": f"{CANARY}@example.org",
        "phone": CANARY,
        "address_lines": [CANARY],
        "locality": CANARY,
    }
    written = {"name": holder, "given_name": CANARY, "summary": TEXT, "contact": contact}
    person.surely("UpdateHolder", holder=written)
    entry = {"kind": "ENTRY_KIND_WORK", "title": CANARY, "organisation": CANARY, "description": TEXT}
    names = [person.surely("CreateEntry", parent=holder, entry=entry).name]
    claim = {"concept_uri": f"http://data.europa.eu/esco/skill/{CANARY}", "label": TEXT}
    names.append(person.surely("CreateSkillClaim", parent=holder, skill_claim=claim).name)
    names.append(upload(stand, learner))
    fields = ["holder", "entries", "skill_claims", "evidence", "pathways"]
    link = {"label": CANARY, "fields": fields, "max_uses": 3, "expire_time": portfolio.in_days(3)}
    token = person.surely("CreateShareLink", parent=holder, share_link=link, pin="").token
    assert CANARY in str(stand.callers.anybody().call("OpenShareLink", token=token))
    voided = stand.reserve(learner)
    person.surely("VoidRedemption", name=voided, reason=f"{CANARY} is ill")
    stand.spend(learner)
    stand.until_confirmed([learner])
    person.surely("AbandonPathway", name=learner.pathway, reason=CANARY)
    return learner, names


def upload(stand: Stand, learner: Learner) -> str:
    """Evidence with the canary as its file's name and title, checked and downloadable."""
    paper = certificate(uuid.uuid4().hex[:8])
    evidence = {
        "title": CANARY,
        "file_name": f"{CANARY}.pdf",
        "content_type": "application/pdf",
        "size_bytes": len(paper),
        "sha256": hashlib.sha256(paper).hexdigest(),
    }
    made = learner.person.surely("CreateEvidence", parent=learner.holder, evidence=evidence)
    put = httpx.put(made.ticket.url, content=paper, headers=dict(made.ticket.headers), trust_env=False)
    assert put.status_code == 200, put.text
    learner.person.surely("FinalizeEvidence", name=made.evidence.name)
    address = learner.person.surely("GetEvidenceDownload", name=made.evidence.name).url
    got = httpx.get(address, trust_env=False)
    assert got.content == paper
    assert CANARY not in str(got.headers)  # proxies on the way may log them
    return str(made.evidence.name)


def refusal(person: Person, rpc: str, **fields: Any) -> bytes:
    """What somebody is told who is refused: text, details and all."""
    with pytest.raises(grpc.RpcError) as caught:
        person.call(rpc, **fields)
    trailers = [str(pair).encode() for pair in caught.value.trailing_metadata() or ()]
    return b"\n".join([str(caught.value.details()).encode(), *trailers])


def mistakes(stand: Stand, learner: Learner) -> None:
    """Calls of the learner's own that are refused, with the canary in each place that could be logged."""
    person, holder = learner.person, learner.holder
    refusal(person, "CreateHolder", holder={"given_name": CANARY})
    refusal(person, "CreateHolder", holder={"given_name": CANARY, "contact": {"email": f"{CANARY} at home"}})
    refusal(person, "GetHolder", name=f"holders/{CANARY}")
    refusal(person, "ListEntries", parent=holder, page_token=CANARY)
    refusal(person, "UpdateHolder", holder={"name": holder, "given_name": CANARY, "etag": CANARY})
    refusal(person, "CreateEntry", parent=holder, entry={"kind": 99, "title": CANARY, "uri": CANARY})
    refusal(person, "ReserveRedemption", code=f"{CANARY}-{CANARY}", session=stand.journey.facts.session)
    refusal(person, "GetVoucher", name=f"vouchers/{CANARY.lower()}")
    edge, bearer = stand.stack.state.edge, {"authorization": f"Bearer {person.token}", "x-name": CANARY}
    with httpx.Client(base_url=edge, headers=bearer, trust_env=False) as client:
        for path in (
            f"/v1/holders/{CANARY}",
            f"/v1/{CANARY}",
            f"/v1/vouchers?learner={CANARY}",
            f"/{CANARY}",
        ):
            assert client.get(path).status_code >= 400
        assert client.post("/v1/applications", content=f'{{"learner": "{CANARY}').status_code >= 400
        assert client.post("/v1/applications", json={CANARY: CANARY}).status_code >= 400


def overheard(stand: Stand, learner: Learner, names: list[str]) -> list[traces.Place]:
    """What strangers are told when they ask for what the learner wrote."""
    kinds = {"entries": "GetEntry", "skillClaims": "GetSkillClaim", "evidence": "GetEvidence"}
    strangers = [
        stand.callers.person("learner"),
        stand.callers.person("counsellor", organisation="organisations/elsewhere"),
        stand.callers.person("provider", organisation="organisations/elsewhere"),
        stand.callers.anybody(),
    ]
    asked = [(kinds[name.split("/")[2]], {"name": name}) for name in names]
    asked += [("GetHolder", {"name": learner.holder}), ("GetPathway", {"name": learner.pathway})]
    asked += [("UpdateHolder", {"holder": {"name": learner.holder, "given_name": "Eve"}})]
    asked += [("CreateEntry", {"parent": learner.holder, "entry": {"kind": "ENTRY_KIND_WORK", "title": "x"}})]
    told = [refusal(person, rpc, **fields) for rpc, fields in asked for person in strangers]
    return [("refusals", text) for text in told]


def poison(stand: Stand) -> None:
    """A message that no consumer can read; it ends as a dead letter of the portfolio."""
    settings = Settings.from_environment(
        "portfolio", {**stand.plan.service_environment("portfolio"), **kafka(stand)}
    )
    producer = clients.producer(settings)
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid.uuid4()),
        "ce_source": "/waymark/vouchers",
        "ce_type": "waymark.vouchers.v1.RedemptionAccepted",
        "ce_subject": "poison",
        "ce_time": "2026-01-01T00:00:00Z",
        "content-type": "application/protobuf",
    }
    sent = [(name, value.encode()) for name, value in headers.items()]
    producer.send("waymark.vouchers.redemptions.v1", key=b"poison", value=b"\xff\xff", headers=sent).get(60)
    producer.close(timeout=60)
    eventually(lambda: stand.one("portfolio", "SELECT count(*) FROM dead_letters"), what="no dead letter")


def kafka(stand: Stand) -> dict[str, str]:
    return {"WAYMARK_KAFKA_BOOTSTRAP": stand.bootstrap}


def checkpoint(stand: Stand) -> None:
    """Has PostgreSQL write what it holds in memory."""
    with psycopg.connect(stand.plan.admin_database_url(), autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def test_what_a_learner_writes_is_found_nowhere_but_by_those_it_is_for(stand: Stand) -> None:
    learner, names = confide(stand)
    mistakes(stand, learner)
    heard = overheard(stand, learner, names)
    poison(stand)
    stand.until_drained()
    eventually(lambda: not stand.one("portfolio", "SELECT count(*) FROM outbox"))
    checkpoint(stand)
    everywhere = [*traces.places(stand), *heard]
    assert {where.split("/")[0] for where, _ in everywhere} == {
        *("logs", "topics", "metrics", "keys", "tables", "files", "index", "refusals")
    }
    assert any(where == "topics/waymark.portfolio.dead-letters.v1" for where, _ in everywhere)
    assert traces.found(CANARY, everywhere) == []
    assert learner.person.call("GetHolder", name=learner.holder).given_name == CANARY
    mine = learner.person.call("ListRedemptions", learner=learner.name).redemptions
    assert [redemption.end_note for redemption in mine if redemption.end_note] == [f"{CANARY} is ill"]


def plant_in_log(stand: Stand) -> None:
    with (stand.plan.home / "logs" / "edge.log").open("a") as stream:
        stream.write(f"{PLANTED}\n")


def plant_in_table(stand: Stand) -> None:
    for service in ("catalogue", "vouchers", "portfolio"):
        with psycopg.connect(stand.database(service)) as connection:
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS planted AS SELECT '{PLANTED}'::bytea AS word".encode()
            )
    checkpoint(stand)


def plant_in_topic(stand: Stand) -> None:
    producer = clients.producer(Settings.from_environment("portfolio", kafka(stand)))
    header = [("waymark_reason", PLANTED.encode())]
    producer.send("waymark.portfolio.dead-letters.v1", key=b"k", value=b"v", headers=header).get(60)
    producer.close(timeout=60)


def plant_in_key(stand: Stand) -> None:
    bucket = next(path for path in (stand.plan.home / "s3").rglob("waymark-*") if path.is_dir())
    (bucket / f"{PLANTED}.pdf").touch()


@pytest.mark.parametrize(
    ("plant", "search", "expected"),
    [
        (plant_in_log, traces.logs, {"logs/edge.log"}),
        (plant_in_topic, traces.topics, {"topics/waymark.portfolio.dead-letters.v1"}),
        (plant_in_key, traces.object_keys, {"keys/s3"}),
        (
            plant_in_table,
            traces.tables,
            {"tables/catalogue.planted", "tables/vouchers.planted", "tables/portfolio.planted"},
        ),
        (plant_in_table, lambda stand: traces.files("files", stand.plan.home / "postgres"), None),
    ],
)
def test_control_a_planted_word_is_found(
    stand: Stand, plant: Callable[[Stand], None], search: Any, expected: set[str] | None
) -> None:
    plant(stand)
    seen = set(traces.found(PLANTED, search(stand)))
    assert expected <= seen if expected else any("/base/" in where for where in seen)


def test_control_the_metrics_pages_are_read(stand: Stand) -> None:
    assert len(traces.found("process_resident_memory", traces.metrics(stand))) >= 6
    assert traces.found("envoy_", traces.metrics(stand)) == ["metrics/edge"]
