"""Frameworks: drafted by one person, published by another, and never changed again."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from waymark.portfolio.v1 import framework_pb2 as pb

from services.platform.db.transaction import transaction
from services.platform.identity.principals import Principal
from services.portfolio.api import frameworks as api
from services.portfolio.store.editions import Editions
from services.portfolio.store.frameworks import FRAMEWORKS
from tests.fuzz.running import corpus
from tests.support.databases import WAITING, sessions
from tests.support.frameworks import drafted, published, sample
from tests.support.portfolio import Caller, Portfolio, reason_of, refused
from tests.support.real_data import real_data
from tests.support.refusals import fields_refused
from tests.support.waiting import eventually


def listed(caller: Caller, parent: str) -> list[str]:
    request = pb.ListFrameworkVersionsRequest(parent=parent)
    return [each.name for each in caller.ListFrameworkVersions(request).framework_versions]


def test_a_draft_is_for_managers_and_a_second_person_publishes_it(portfolio: Portfolio) -> None:
    maker, checker, anybody = (
        portfolio.staff("catalogue_manager"),
        portfolio.staff("catalogue_manager"),
        portfolio.anybody(),
    )
    parent = f"frameworks/f-{uuid.uuid4()}"
    wanted = sample("frameworks/basic-digital-skills", pb.FrameworkVersion())
    request = pb.CreateFrameworkVersionRequest(
        parent=parent, framework_version=wanted, request_id=str(uuid.uuid4())
    )
    draft = maker.CreateFrameworkVersion(request)
    assert maker.CreateFrameworkVersion(request) == draft
    assert (draft.name, draft.state) == (f"{parent}/versions/1", pb.FrameworkVersion.STATE_DRAFT)
    reading = pb.GetFrameworkVersionRequest(name=draft.name)
    assert reason_of(anybody.GetFrameworkVersion, reading) == "NOT_FOUND"
    assert (listed(anybody, parent), listed(maker, parent)) == ([], [draft.name])
    publishing = pb.PublishFrameworkVersionRequest(name=draft.name, etag=draft.etag)
    assert reason_of(maker.PublishFrameworkVersion, publishing) == "SAME_PERSON"
    changed = pb.FrameworkVersion()
    changed.CopyFrom(draft)
    changed.source = "elsewhere"
    updating = pb.UpdateFrameworkVersionRequest(framework_version=changed)
    newer = checker.UpdateFrameworkVersion(updating)
    assert reason_of(checker.UpdateFrameworkVersion, updating) == "ETAG_STALE"
    publishing.etag = newer.etag
    assert reason_of(checker.PublishFrameworkVersion, publishing) == "SAME_PERSON"  # a hand in it too
    out = portfolio.staff("catalogue_manager").PublishFrameworkVersion(publishing)
    assert (out.state, out.source) == (pb.FrameworkVersion.STATE_PUBLISHED, "elsewhere")
    assert anybody.GetFrameworkVersion(reading) == out
    assert listed(anybody, parent) == [draft.name]
    assert draft.name in listed(anybody, "frameworks/-")
    updating.framework_version.etag = ""
    assert reason_of(checker.UpdateFrameworkVersion, updating) == "WRONG_STATE"
    again = pb.PublishFrameworkVersionRequest(name=draft.name)
    assert reason_of(checker.PublishFrameworkVersion, again) == "WRONG_STATE"
    for name in (f"{parent}/versions/2", f"{parent}/versions/x", f"{parent}/versions/{'9' * 12}"):
        assert reason_of(maker.GetFrameworkVersion, pb.GetFrameworkVersionRequest(name=name)) == "NOT_FOUND"
    request.request_id = ""
    assert maker.CreateFrameworkVersion(request).name == f"{parent}/versions/2"
    request.framework_version.elements[0].standard = "none"
    assert reason_of(maker.CreateFrameworkVersion, request) == "INVALID_ARGUMENT"


def test_a_draft_is_changed_by_what_is_named(portfolio: Portfolio) -> None:
    maker = portfolio.staff("catalogue_manager")
    draft = drafted(portfolio)
    assert len(draft.levels) > 1
    assert draft.descriptions

    def update(*mask: str, **fields: Any) -> pb.FrameworkVersion:
        change = pb.FrameworkVersion(name=draft.name, **fields)
        request = pb.UpdateFrameworkVersionRequest(framework_version=change)
        request.update_mask.paths.extend(mask)
        answer: pb.FrameworkVersion = maker.UpdateFrameworkVersion(request)
        return answer

    said = update(source="elsewhere")  # what is set
    assert (said.source, said.elements, said.levels) == ("elsewhere", draft.elements, draft.levels)
    emptied = update("source", "descriptions", titles={"en": "of no matter"})
    assert (emptied.source, dict(emptied.descriptions), emptied.titles) == ("", {}, draft.titles)
    assert emptied.etag != said.etag != draft.etag
    whole = update("*", titles=draft.titles, standards=draft.standards, elements=draft.elements)
    assert (list(whole.levels), whole.elements) == ([], draft.elements)
    for mask, field in (
        (["nothing"], "update_mask"),
        (["state"], "update_mask"),
        (["elements"], "framework_version.elements"),
        (["*"], "framework_version.titles"),
        (["standards"], "framework_version.elements[0].standard"),  # what stays must fit what comes
    ):
        change = pb.FrameworkVersion(name=draft.name)
        if mask == ["standards"]:
            change.standards.add(id="other", titles=draft.standards[0].titles)
        request = pb.UpdateFrameworkVersionRequest(framework_version=change, update_mask={"paths": mask})
        assert field in fields_refused(maker.UpdateFrameworkVersion, request), mask
    assert maker.GetFrameworkVersion(pb.GetFrameworkVersionRequest(name=draft.name)) == whole


def test_the_database_keeps_what_is_published_and_who_did_it(portfolio: Portfolio) -> None:
    name, draft = published(portfolio).name.split("/")[1], drafted(portfolio).name.split("/")[1]
    changing = text("UPDATE framework_versions SET content = '' WHERE id = :id")
    alone = text(
        "UPDATE framework_versions SET published_by = drafted_by[1], published_at = now() WHERE id = :id"
    )
    for statement in (changing, text("DELETE FROM framework_versions WHERE id = :id")):
        with pytest.raises(DBAPIError, match="never changed"), transaction(portfolio.app) as tx:
            tx.execute(statement, {"id": name})
    with pytest.raises(IntegrityError, match="by_another"), transaction(portfolio.app) as tx:
        tx.execute(alone, {"id": draft})
    with (
        portfolio.database.engine.connect() as connection
    ):  # control: without trigger and check both go through
        connection.execute(text("ALTER TABLE framework_versions DISABLE TRIGGER framework_versions_stay"))
        connection.execute(
            text("ALTER TABLE framework_versions DROP CONSTRAINT framework_versions_by_another")
        )
        assert connection.execute(changing, {"id": name}).rowcount == 1
        assert connection.execute(alone, {"id": draft}).rowcount == 1
        connection.rollback()


def test_control_without_the_rule_one_person_would_reach_the_database(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule in code answers; behind it stands the CHECK."""
    maker, parent = portfolio.staff("catalogue_manager"), f"frameworks/f-{uuid.uuid4()}"
    wanted = sample("frameworks/basic-digital-skills", pb.FrameworkVersion())
    request = pb.CreateFrameworkVersionRequest(parent=parent, framework_version=wanted)
    publishing = pb.PublishFrameworkVersionRequest(name=maker.CreateFrameworkVersion(request).name)
    monkeypatch.setattr(Editions, "drafters", lambda *_: [])
    assert reason_of(maker.PublishFrameworkVersion, publishing) != "SAME_PERSON"


def test_of_two_who_draft_at_one_moment_one_drafts_again(portfolio: Portfolio) -> None:
    maker, parent = portfolio.staff("catalogue_manager"), f"frameworks/f-{uuid.uuid4()}"
    wanted = sample("frameworks/basic-digital-skills", pb.FrameworkVersion())
    request = pb.CreateFrameworkVersionRequest(parent=parent, framework_version=wanted)
    with ThreadPoolExecutor(1) as pool:
        with transaction(portfolio.app, Principal("first", frozenset())) as tx:
            FRAMEWORKS.draft(tx, parent, wanted)
            second = pool.submit(reason_of, maker.CreateFrameworkVersion, request)
            eventually(lambda: sessions(portfolio.database.engine, WAITING))
        assert second.result() == "ALREADY_EXISTS"
    assert maker.CreateFrameworkVersion(request).name == f"{parent}/versions/2"


def test_a_file_of_smart_evidence_becomes_a_draft(portfolio: Portfolio) -> None:
    maker, parent = portfolio.staff("catalogue_manager"), f"frameworks/nace-{uuid.uuid4()}"
    content = real_data("portfolio/smart-evidence/nace_usa.matrix").read_bytes()
    request = pb.ImportFrameworkVersionRequest(parent=parent, content=content)
    answer = maker.ImportFrameworkVersion(request)
    assert answer.not_carried == ["institution"]
    assert len(answer.framework_version.elements) == 7
    publishing = pb.PublishFrameworkVersionRequest(name=answer.framework_version.name)
    out = portfolio.staff("catalogue_manager").PublishFrameworkVersion(publishing)
    assert out.elements == answer.framework_version.elements
    request.content = b"[]"
    found = refused(maker.ImportFrameworkVersion, request).metadata["found"]
    assert found == "no JSON object that all readers read alike"


def test_of_what_a_file_says_beyond_it_only_so_much_is_told(
    portfolio: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.loads(corpus("framework")["good.matrix"])
    content["framework"] |= {f"unknown{number:03}": number for number in range(150)}

    def told() -> list[str]:
        parent, said = f"frameworks/f-{uuid.uuid4()}", json.dumps(content).encode()
        request = pb.ImportFrameworkVersionRequest(parent=parent, content=said)
        return list(portfolio.staff("catalogue_manager").ImportFrameworkVersion(request).not_carried)

    cut = told()
    assert len(cut) == 100
    monkeypatch.setattr(api, "MOST_LEFT", 1000)  # control
    whole = told()
    assert (len(whole), whole[:100]) == (152, cut)
