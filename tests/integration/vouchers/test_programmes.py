"""Programmes: rules refused when drafted, a second person activates, money in pots."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from sqlalchemy import text
from waymark.vouchers.v1 import application_pb2, events_pb2, fund_return_pb2, funding_source_pb2
from waymark.vouchers.v1 import programme_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers import granting
from services.vouchers.programme_terms import tell_untold
from services.vouchers.store import budgets
from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.canary import CANARY, everything
from tests.support.databases import WAITING, sessions
from tests.support.meetings import Meeting
from tests.support.quality import told
from tests.support.vouchers import NO_EVIDENCE, World, cents, day_message, eur, sample
from tests.support.waiting import eventually

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


def fund_request(world: World, programme: str, source: str) -> pb.FundProgrammeRequest:
    """Returns a request for this year's budget."""
    return pb.FundProgrammeRequest(
        name=programme,
        funding_source=source,
        start_date=day_message(world.today.replace(month=1, day=1)),
        end_date=day_message(world.today.replace(month=12, day=31)),
        amount=eur(1000),
    )


def test_money_put_in_by_mistake_goes_back_by_two_people(world: World) -> None:
    programme = world.programme(fund=0, **NO_EVIDENCE)
    budget = world.fund(programme, 250_000)
    world.voucher(programme)  # of 1 000 euro

    def propose(amount: int) -> Any:
        wanted = fund_return_pb2.FundReturn(amount=eur(amount), reason=f"{CANARY} a nought too many")
        request = fund_return_pb2.ProposeFundReturnRequest(parent=budget.name, fund_return=wanted)
        return world.maker.fund_returns.ProposeFundReturn(request)

    assert refused(lambda: propose(150_001)) == "AMOUNT_TOO_HIGH"
    first = propose(150_000)
    approve = fund_return_pb2.ApproveFundReturnRequest(name=first.name)
    decline = fund_return_pb2.DeclineFundReturnRequest(name=propose(1).name)
    assert refused(lambda: world.maker.fund_returns.ApproveFundReturn(approve)) == "SAME_PERSON"
    world.voucher(programme)  # meanwhile it is granted
    assert refused(lambda: world.checker.fund_returns.ApproveFundReturn(approve)) == "AMOUNT_TOO_HIGH"
    approve.name = propose(50_000).name
    done = world.checker.fund_returns.ApproveFundReturn(approve)
    assert done.state == fund_return_pb2.FundReturn.STATE_RETURNED
    assert refused(lambda: world.checker.fund_returns.ApproveFundReturn(approve)) == "WRONG_STATE"
    assert world.maker.fund_returns.DeclineFundReturn(decline).state == done.STATE_DECLINED
    assert refused(lambda: world.checker.fund_returns.DeclineFundReturn(decline)) == "WRONG_STATE"
    listed = world.auditor.fund_returns.ListFundReturns(
        fund_return_pb2.ListFundReturnsRequest(parent=budget.name)
    )
    assert [each.state for each in listed.fund_returns] == [2, 3, 1]
    (pot,) = world.auditor.programmes.GetBudget(pb.GetBudgetRequest(name=budget.name)).pots
    assert (cents(pot.funded), cents(pot.available)) == (200_000, 0)
    assert world.balances()[1] == -200_000  # of the funding source
    assert world.verify().intact
    assert CANARY not in everything(world.app.engine)


def test_a_budget_emptied_so_takes_another_source_and_period(world: World) -> None:
    programme = world.programme(fund=0)
    budget = world.fund(programme, 5000)
    other = world.fund(world.programme(fund=0), 1).pots[0].funding_source
    wanted = fund_return_pb2.FundReturn(amount=eur(5000), reason="the wrong source")
    proposed = world.maker.fund_returns.ProposeFundReturn(
        fund_return_pb2.ProposeFundReturnRequest(parent=budget.name, fund_return=wanted)
    )
    request = fund_request(world, programme, other)
    request.start_date.month = 2
    assert refused(lambda: world.maker.programmes.FundProgramme(request)) == "BUDGET_PERIOD_OVERLAP"
    approve = fund_return_pb2.ApproveFundReturnRequest(name=proposed.name)
    world.checker.fund_returns.ApproveFundReturn(approve)
    anew = world.maker.programmes.FundProgramme(request)
    assert (anew.name, anew.start_date.month) == (budget.name, 2)
    assert [(pot.funding_source, cents(pot.available)) for pot in anew.pots] == [(other, 1000)]
    assert world.verify().intact


def test_budgets_neither_overlap_nor_change_their_source(world: World) -> None:
    programme = world.programme(fund=0)
    budget = world.fund(programme, 5000, pot="esf")
    request = fund_request(world, programme, budget.pots[0].funding_source)
    request.start_date.month = 2
    assert refused(lambda: world.maker.programmes.FundProgramme(request)) == "BUDGET_PERIOD_OVERLAP"
    request.start_date.month = 1
    request.pot, request.target_groups[:] = "esf", ["jobseekers"]
    assert refused(lambda: world.maker.programmes.FundProgramme(request)) == "POT_CONFLICT"
    request.target_groups[:] = []
    again = world.maker.programmes.FundProgramme(request)
    assert [cents(pot.available) for pot in again.pots] == [6000]
    read = world.auditor.programmes.GetBudget(pb.GetBudgetRequest(name=again.name))
    assert read == again
    listed = world.auditor.programmes.ListBudgets(pb.ListBudgetsRequest(parent=programme))
    assert list(listed.budgets) == [again]
    request.end_date.year -= 1
    assert "end_date" in violations_of(lambda: world.maker.programmes.FundProgramme(request))


def test_a_ring_fenced_pot_is_for_its_group_and_goes_first(world: World) -> None:
    groups = sample(DUTCH)["version"]["targetGroups"]
    others = {"code": "graduates", "expression": "learner.education_level > 7", "coverPercent": 100}
    programme = world.programme(fund=0, **NO_EVIDENCE, targetGroups=[others, *groups])
    world.fund(programme, 100_000, pot="fenced", groups=("jobseekers",))
    world.fund(programme, 100_000, pot="others", groups=("graduates",))
    world.fund(programme, 100_000, pot="general")
    assert [world.apply(world.learner(), programme).state for _ in range(2)] == [2, 2]
    third = world.apply(world.learner(), programme)
    assert list(third.reason_codes) == ["BUDGET_EXHAUSTED"]
    listed = world.auditor.programmes.ListBudgets(pb.ListBudgetsRequest(parent=programme))
    left = {pot.code: cents(pot.available) for pot in listed.budgets[0].pots}
    assert left == {"fenced": 0, "others": 100_000, "general": 0}


def test_a_pot_is_for_groups_that_some_version_has(world: World) -> None:
    programme = world.programme(fund=0)
    wrong = violations_of(lambda: world.fund(programme, 1_000, pot="fenced", groups=("jobseekers", "youht")))
    assert list(wrong) == ["target_groups[1]"]
    bare = world.maker.programmes.CreateProgramme(
        pb.CreateProgrammeRequest(programme=ParseDict(sample(DUTCH)["programme"], pb.Programme()))
    )
    assert world.fund(bare.name, 1_000, pot="early", groups=("any",)).pots  # its rules may come later


@pytest.mark.parametrize(("in_turn", "waits_for"), [(True, "advisory"), (False, "transactionid")])
def test_who_asks_for_money_waits_in_a_queue_not_for_the_row(
    world: World, in_turn: bool, waits_for: str
) -> None:
    """Whoever waits for a row is passed by who comes when it is free; the control waits like that."""
    place = (world.programme().removeprefix("programmes/"), "", datetime.now(UTC).date(), 100)

    def take() -> None:
        with transaction(world.app) as tx:
            budgets.take(tx, *place, in_turn=in_turn)

    with ThreadPoolExecutor(1) as pool:
        with transaction(world.app) as first:
            budgets.take(first, *place, in_turn=in_turn)
            second = pool.submit(take)
            eventually(lambda: sessions(world.app.engine, f"{WAITING} AND wait_event = '{waits_for}'"))
        second.result()


def apply_at_once(world: World, callers: int = 12) -> list[int]:
    """Lets many learners apply for money that suffices for three; returns the states."""
    programme = world.programme(fund=300_000, **NO_EVIDENCE)
    learners = [world.learner() for _ in range(callers)]

    def one(learner: Any) -> int:
        try:
            return int(world.apply(learner, programme).state)
        except grpc.RpcError:
            return 0

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(one, learners))


def test_a_pot_is_never_overspent(world: World) -> None:
    states = apply_at_once(world)
    assert states.count(application_pb2.Application.STATE_GRANTED) == 3
    assert world.balances().get(2, 0) == 0
    assert world.verify().intact


def test_control_without_lock_and_check_a_pot_is_overspent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    meet = Meeting(4)

    def unlocked(tx: Any, *place: Any, in_turn: bool) -> Any:
        def together(*calls: Any) -> Any:
            answer = tx.together(*calls)
            meet()  # between reading and writing
            return answer

        return budgets.take(SimpleNamespace(together=together, at_commit=tx.at_commit), *place, locked=False)

    monkeypatch.setattr(granting, "budgets", type("Unlocked", (), {"take": staticmethod(unlocked)}))
    with transaction(world.app) as tx:
        tx.execute(text("ALTER TABLE pots DROP CONSTRAINT pots_not_negative"))
    states = apply_at_once(world)
    assert states.count(application_pb2.Application.STATE_GRANTED) > 3, "the race did not show"
    assert {finding.kind for finding in world.verify().findings} <= {"NEGATIVE", "BALANCE"}
    assert not world.verify().intact


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
