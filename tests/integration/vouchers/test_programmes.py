"""Programmes: rules refused when drafted, a second person activates, what is told of them."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from sqlalchemy import text
from waymark.vouchers.v1 import events_pb2, funding_source_pb2
from waymark.vouchers.v1 import programme_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers.programme_terms import tell_untold
from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.quality import told
from tests.support.vouchers import World, cents, sample

DUTCH = "dutch-temporary-training-voucher"


def draft(world: World, **changes: Any) -> tuple[Any, pb.CreateProgrammeVersionRequest]:
    """Returns a new programme and a request for a version of it."""
    content = sample(DUTCH)
    programme = ParseDict(content["programme"], pb.Programme())
    created = world.maker.programmes.CreateProgramme(pb.CreateProgrammeRequest(programme=programme))
    version = ParseDict({**content["version"], **changes}, pb.ProgrammeVersion())
    return created, pb.CreateProgrammeVersionRequest(parent=created.name, version=version)


def test_rules_that_cannot_work_are_refused_with_their_place(world: World) -> None:
    _, request = draft(world)
    expressions = ("learner.education_level < 'x'", "learner.shoe_size > 3", "1 + 1", "learner.")
    for expression in expressions:
        clause = request.version.clauses.add(expression=expression, reason_code="NO")
        clause.id = f"c-{len(request.version.clauses)}"
    request.version.target_groups.add(code="jobseekers", expression="true")
    found = violations_of(lambda: world.maker.programmes.CreateProgrammeVersion(request))
    assert {f"version.clauses[{index}].expression" for index in range(1, 5)} <= found.keys()
    assert "version.target_groups[1].code" in found
    assert "shoe_size" in found["version.clauses[2].expression"]
    assert refused(lambda: world.maker.programmes.CreateProgrammeVersion(request)) == "RULE_INVALID"


@pytest.mark.parametrize(
    ("trigger", "count"), [("TRIGGER_ATTENDANCE", 0), ("TRIGGER_COMPLETION", 0), ("TRIGGER_DELIVERY", 1)]
)
def test_a_payment_rule_that_nothing_could_follow_is_refused(world: World, trigger: str, count: int) -> None:
    _, request = draft(world, paymentRule={"trigger": trigger, "evidenceCount": count})
    create = world.maker.programmes.CreateProgrammeVersion
    assert refused(lambda: create(request)) == "RULE_INVALID"
    assert list(violations_of(lambda: create(request))) == ["version.payment_rule.evidence_count"]
    request.version.payment_rule.evidence_count = 1 - count
    drafted = create(request)
    drafted.payment_rule.evidence_count = count
    update = pb.UpdateProgrammeVersionRequest(version=drafted)
    assert refused(lambda: world.maker.programmes.UpdateProgrammeVersion(update)) == "RULE_INVALID"


def test_a_draft_from_before_payment_rules_were_checked_is_not_activated(world: World) -> None:
    _, request = draft(world)
    drafted = world.maker.programmes.CreateProgrammeVersion(request)
    with transaction(world.app) as tx:
        lacking = "UPDATE programme_versions SET rules = rules #- '{payment_rule,evidence_count}'"
        tx.execute(text(lacking))
    activate = pb.ActivateProgrammeVersionRequest(name=drafted.name)
    assert refused(lambda: world.checker.programmes.ActivateProgrammeVersion(activate)) == "RULE_INVALID"


@pytest.mark.parametrize("nowhere", ["XX", "BEZ", "BE299", "GB"])
def test_a_shortage_rule_for_a_region_that_there_is_not_is_refused(world: World, nowhere: str) -> None:
    rule = sample(DUTCH)["version"]["shortageRule"]
    create, update = (
        world.maker.programmes.CreateProgrammeVersion,
        world.maker.programmes.UpdateProgrammeVersion,
    )
    _, request = draft(world, shortageRule=rule | {"nutsCode": "BE211"})
    drafted = create(request)
    drafted.shortage_rule.nuts_code = request.version.shortage_rule.nuts_code = nowhere
    for call in (lambda: create(request), lambda: update(pb.UpdateProgrammeVersionRequest(version=drafted))):
        assert list(violations_of(call)) == ["version.shortage_rule.nuts_code"]
        assert refused(call) == "RULE_INVALID"


def test_a_region_of_an_earlier_nuts_that_the_list_speaks_of_is_taken(world: World) -> None:
    """PT17 was a region until NUTS 2021; another list that speaks of it says nothing of this one."""
    rule = sample(DUTCH)["version"]["shortageRule"]
    _, request = draft(world, shortageRule=rule | {"nutsCode": "PT170"})
    create = world.maker.programmes.CreateProgrammeVersion
    world.list_shortage(name="shortageLists/other", region="PT17")
    assert refused(lambda: create(request)) == "RULE_INVALID"
    world.list_shortage(name=rule["shortageList"], region="PT17")
    assert create(request).shortage_rule.nuts_code == "PT170"
    request.version.shortage_rule.nuts_code = "PT1A9"  # of a country that has regions
    assert refused(lambda: create(request)) == "RULE_INVALID"


def test_a_draft_from_before_regions_were_checked_is_not_activated(world: World) -> None:
    _, request = draft(world)
    drafted = world.maker.programmes.CreateProgrammeVersion(request)
    with transaction(world.app) as tx:
        nowhere = "jsonb_set(rules, '{shortage_rule,nuts_code}', '\"ZZ9\"')"
        tx.execute(text(f"UPDATE programme_versions SET rules = {nowhere}"))
    activate = pb.ActivateProgrammeVersionRequest(name=drafted.name)
    assert refused(lambda: world.checker.programmes.ActivateProgrammeVersion(activate)) == "RULE_INVALID"


def test_texts_in_several_languages_and_the_law_are_kept_and_returned(world: World) -> None:
    _, request = draft(world)
    texts = {"en": "For jobseekers.", "el": "Για ανέργους.", "pt-BR": "Para quem procura emprego."}
    clause = request.version.clauses[0]
    clause.texts.clear()
    clause.texts.update(texts)
    clause.legal_reference = "Official Journal 2026/17, article 3 (2)"
    drafted = world.maker.programmes.CreateProgrammeVersion(request)
    world.checker.programmes.ActivateProgrammeVersion(pb.ActivateProgrammeVersionRequest(name=drafted.name))
    read = world.auditor.programmes.GetProgrammeVersion(pb.GetProgrammeVersionRequest(name=drafted.name))
    assert read.clauses[0] == clause
    refusal = world.apply(world.learner(employment_status="employed"), request.parent)
    (outcome,) = (item for item in refusal.clauses if item.clause == clause.id)
    assert dict(outcome.texts) == texts
    assert (outcome.legal_reference, outcome.reason_code) == (clause.legal_reference, clause.reason_code)


def test_a_draft_is_checked_without_being_stored(world: World) -> None:
    _, request = draft(world)
    request.validate_only = True
    assert world.maker.programmes.CreateProgrammeVersion(request).name.endswith("/versions/1")
    request.version.clauses[0].expression = "[1].exists(x, x == learner.birth_year)"
    found = violations_of(lambda: world.maker.programmes.CreateProgrammeVersion(request))
    assert found["version.clauses[0].expression"].startswith("jobseeker: `exists` repeats its body")
    listed = world.auditor.programmes.ListProgrammeVersions(
        pb.ListProgrammeVersionsRequest(parent=request.parent)
    )
    assert not listed.versions


def test_another_currency_is_refused(world: World) -> None:
    _, request = draft(world)
    request.version.amount_rule.face_value.currency_code = "SEK"
    assert refused(lambda: world.maker.programmes.CreateProgrammeVersion(request)) == "CURRENCY_MISMATCH"


def test_a_day_that_does_not_exist_is_refused(world: World) -> None:
    _, request = draft(world)
    request.version.effective_date.month = 2
    request.version.effective_date.day = 30
    assert "version.effective_date" in violations_of(
        lambda: world.maker.programmes.CreateProgrammeVersion(request)
    )


def test_a_draft_is_replaced_as_a_whole(world: World) -> None:
    _, request = draft(world)
    request.version.appeal_rule.days = 30
    drafted = world.maker.programmes.CreateProgrammeVersion(request)
    update = pb.UpdateProgrammeVersionRequest(version=drafted)
    update.version.ClearField("appeal_rule")
    update.update_mask.paths.append("*")
    assert not world.maker.programmes.UpdateProgrammeVersion(update).HasField("appeal_rule")


def test_an_active_version_never_changes(world: World) -> None:
    _, request = draft(world)
    drafted = world.maker.programmes.CreateProgrammeVersion(request)
    update = pb.UpdateProgrammeVersionRequest(version=drafted)
    update.version.window_rule.validity_days = 99
    update.version.window_rule.order_days = 9
    update.update_mask.paths.append("window_rule")
    changed = world.maker.programmes.UpdateProgrammeVersion(update)
    assert changed.window_rule.validity_days == 99
    assert refused(lambda: world.maker.programmes.UpdateProgrammeVersion(update)) == "ETAG_STALE"
    world.checker.programmes.ActivateProgrammeVersion(pb.ActivateProgrammeVersionRequest(name=drafted.name))
    update.version.etag = ""
    assert refused(lambda: world.maker.programmes.UpdateProgrammeVersion(update)) == "WRONG_STATE"
    shown = world.auditor.programmes.GetProgrammeVersion(pb.GetProgrammeVersionRequest(name=drafted.name))
    assert shown.state == pb.ProgrammeVersion.STATE_ACTIVE
    assert shown.window_rule.validity_days == 99


def test_versions_are_compared_field_by_field(world: World) -> None:
    _, request = draft(world)
    first = world.maker.programmes.CreateProgrammeVersion(request)
    request.version.amount_rule.face_value.units = 3000
    request.version.clauses[0].texts["fr"] = "Pour les demandeurs d'emploi."
    second = world.maker.programmes.CreateProgrammeVersion(request)
    compare = world.auditor.programmes.CompareProgrammeVersions
    found = compare(pb.CompareProgrammeVersionsRequest(name=second.name))
    assert (found.name, found.base) == (second.name, first.name)
    assert [(item.path, item.before, item.after) for item in found.differences] == [
        ("clauses[jobseeker].texts[fr]", "", "Pour les demandeurs d'emploi."),
        ("amount_rule.face_value", "2500.00 EUR", "3000.00 EUR"),
    ]
    assert not found.differences[0].HasField("before")
    other = pb.CompareProgrammeVersionsRequest(name=first.name, base=second.name)
    assert [item.before for item in compare(other).differences][1] == "3000.00 EUR"
    other.base = first.name
    assert not compare(other).differences
    assert refused(lambda: compare(pb.CompareProgrammeVersionsRequest(name=first.name))) == "NOT_FOUND"
    other.base = "programmes/another/versions/1"
    assert "base" in violations_of(lambda: compare(other))


def test_maker_is_not_checker(world: World) -> None:
    _, request = draft(world)
    drafted = world.maker.programmes.CreateProgrammeVersion(request)
    activate = pb.ActivateProgrammeVersionRequest(name=drafted.name)
    assert refused(lambda: world.maker.programmes.ActivateProgrammeVersion(activate)) == "SAME_PERSON"


def test_nothing_is_decided_before_activation(world: World) -> None:
    created, request = draft(world)
    world.maker.programmes.CreateProgrammeVersion(request)
    assert refused(lambda: world.apply(world.learner(), created.name)) == "PROGRAMME_NOT_ACTIVE"


def test_ids_are_taken_once(world: World) -> None:
    source = funding_source_pb2.FundingSource(kind=1, display_names={"en": "State"})
    request = funding_source_pb2.CreateFundingSourceRequest(funding_source=source, funding_source_id="state")
    world.maker.sources.CreateFundingSource(request)
    assert refused(lambda: world.maker.sources.CreateFundingSource(request)) == "ALREADY_EXISTS"
    listed = world.auditor.sources.ListFundingSources(funding_source_pb2.ListFundingSourcesRequest())
    assert [item.name for item in listed.funding_sources] == ["fundingSources/state"]


def test_an_active_version_tells_its_public_terms(world: World) -> None:
    rule = sample(DUTCH)["version"]["shortageRule"] | {"nutsCode": "BE2"}
    groups = [
        {"code": "young", "expression": "learner.birth_year > 2000", "coverPercent": 60},
        {
            "code": "all",
            "expression": "true",
            "coverPercent": 100,
            "faceValue": {"currencyCode": "EUR", "units": "3000"},
        },
    ]
    created, request = draft(world, shortageRule=rule, targetGroups=groups)
    drafted = world.maker.programmes.CreateProgrammeVersion(request)
    assert told(world, events_pb2.ProgrammeActivated) == []
    world.checker.programmes.ActivateProgrammeVersion(pb.ActivateProgrammeVersionRequest(name=drafted.name))
    (event,) = told(world, events_pb2.ProgrammeActivated)
    assert (event.programme, event.version, event.sandbox) == (created.name, drafted.name, False)
    terms = event.terms
    assert terms.display_names == created.display_names
    assert terms.effective_date == drafted.effective_date
    assert (cents(terms.face_value), terms.min_cover_percent, terms.max_cover_percent) == (300_000, 60, 100)
    assert (terms.shortage_rule, terms.course_rule) == (drafted.shortage_rule, drafted.course_rule)
    assert not terms.HasField("opening_rule")


def test_what_was_activated_before_terms_were_told_is_told_once(world: World) -> None:
    active = world.programme()
    draft(world)
    (before,) = told(world, events_pb2.ProgrammeActivated)
    tell_untold(world.app)
    assert told(world, events_pb2.ProgrammeActivated) == [before]
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE programme_versions SET terms_told = false"))
    for _ in range(2):
        tell_untold(world.app)
        assert told(world, events_pb2.ProgrammeActivated) == [before, before]
    assert before.programme == active
