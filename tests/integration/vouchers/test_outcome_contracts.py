"""Outcome contracts: money in, verified outcomes, tranches, target mix, repayment, and who may see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from waymark.vouchers.v1 import outcome_contract_pb2 as pb
from waymark.vouchers.v1 import programme_pb2

from services.platform.db.transaction import transaction
from services.vouchers.store import outcomes as store
from services.vouchers.store.outcome_tables import outcome_contracts
from tests.integration.vouchers.refusals import metadata_of, refused, tried, violations_of
from tests.support.instruments import active_bond, bond
from tests.support.meetings import Meanwhile
from tests.support.vouchers import World, cents, day_message, eur, request_id

COMPLETED, PLACED = pb.PARTICIPANT_OUTCOME_COMPLETED, pb.PARTICIPANT_OUTCOME_PLACED
FUNDER, BANK, AVAILABLE = 1, 7, 11


def intact(world: World) -> bool:
    """Verifies the ledger, which must sum to zero."""
    report = world.verify()
    assert report.intact, report.findings
    return sum(world.balances().values()) == 0


def enrol(world: World, contract: str, count: int, **facts: Any) -> list[str]:
    """Enrols new people with these facts; returns the names of the participants."""
    people = [world.person("learner") for _ in range(count)]
    for person in people:
        if facts:
            world.push(person, facts)
    request = pb.EnrolParticipantsRequest(
        parent=contract, learners=[person.learner for person in people], request_id=request_id()
    )
    return [each.name for each in world.caseworker.contracts.EnrolParticipants(request).participants]


def report(world: World, contract: str, who: list[str], outcome: Any = PLACED, days_ago: int = 0) -> Any:
    """Reports an outcome."""
    request = pb.ReportOutcomesRequest(
        parent=contract,
        outcome=outcome,
        participants=who,
        date=day_message(world.today - timedelta(days=days_ago)),
        evidence_reference="list-1",
        request_id=request_id(),
    )
    return world.caseworker.contracts.ReportOutcomes(request)


def decide(world: World, contract: str, who: list[str], *, by: Any = None, refute: bool = False) -> Any:
    """Decides on reports of placements, by default as another person."""
    request = pb.DecideOutcomesRequest(
        parent=contract, outcome=PLACED, participants=who, refute=refute, request_id=request_id()
    )
    return (by or world.checker).contracts.DecideOutcomes(request)


def place(world: World, contract: str, who: list[str]) -> None:
    """Reports and verifies placements."""
    report(world, contract, who)
    decide(world, contract, who)


def release(world: World, contract: str, milestone: str) -> Any:
    """Releases a tranche."""
    request = pb.ReleaseTrancheRequest(name=contract, milestone=milestone, request_id=request_id())
    return world.payer.contracts.ReleaseTranche(request)


def repayment(world: World, contract: str) -> Any:
    """Reads the repayment."""
    return world.auditor.contracts.GetRepayment(pb.GetRepaymentRequest(name=contract))


def test_a_second_person_puts_it_in_force_and_the_money_comes_in(world: World) -> None:
    draft = pb.CreateOutcomeContractRequest(outcome_contract=bond(world), outcome_contract_id="bond")
    made = world.maker.contracts.CreateOutcomeContract(draft)
    assert (made.name, made.state) == ("outcomeContracts/bond", pb.OutcomeContract.STATE_DRAFT)
    assert (cents(made.invested), cents(made.available)) == (100_001, 0)
    assert refused(lambda: world.maker.contracts.CreateOutcomeContract(draft)) == "ALREADY_EXISTS"
    activate = pb.ActivateOutcomeContractRequest(name=made.name)
    assert refused(lambda: world.maker.contracts.ActivateOutcomeContract(activate)) == "SAME_PERSON"
    assert refused(lambda: enrol(world, made.name, 1)) == "WRONG_STATE"
    activate.etag = '"7"'
    assert refused(lambda: world.checker.contracts.ActivateOutcomeContract(activate)) == "ETAG_STALE"
    activate.etag = made.etag
    active = world.checker.contracts.ActivateOutcomeContract(activate)
    assert cents(active.available) == 100_001
    assert refused(lambda: world.checker.contracts.ActivateOutcomeContract(activate)) == "WRONG_STATE"
    assert world.balances() == {FUNDER: -100_001, AVAILABLE: 100_001}
    assert intact(world)
    listed = world.auditor.contracts.ListOutcomeContracts(pb.ListOutcomeContractsRequest())
    assert [each.name for each in listed.outcome_contracts] == [made.name]


def test_a_draft_that_makes_no_sense_is_refused_with_everything_that_is_wrong(world: World) -> None:
    good = bond(world)
    first = good.investors[0]
    steps = [pb.RepaymentStep(result_basis_points=5), pb.RepaymentStep(result_basis_points=5)]
    wrong = bond(
        world,
        investors=[first, first],
        milestones=[
            pb.Milestone(code="a1", measure=pb.Milestone.MEASURE_PLACED, amount=eur(200_000)),
            pb.Milestone(code="a1", measure=pb.Milestone.MEASURE_PLACED, amount=eur(1)),
        ],
        mix_targets=[pb.MixTarget(code="w1", expression="learner.sex == 1", display_names={"en": "x"})],
        repayment_steps=steps,
        repay_date=day_message(world.today - timedelta(days=800)),
    )
    request = pb.CreateOutcomeContractRequest(outcome_contract=wrong)
    assert refused(lambda: world.maker.contracts.CreateOutcomeContract(request)) == "RULE_INVALID"
    places = violations_of(lambda: world.maker.contracts.CreateOutcomeContract(request))
    assert [place.removeprefix("outcome_contract.") for place in sorted(places)] == [
        "investors[1].funding_source",
        "milestones",
        "milestones[1].code",
        "mix_targets[0].expression",
        "repay_date",
        "repayment_steps[1].result_basis_points",
    ]
    dollars = bond(world, currency_code="USD")
    request = pb.CreateOutcomeContractRequest(outcome_contract=dollars)
    assert refused(lambda: world.maker.contracts.CreateOutcomeContract(request)) == "CURRENCY_MISMATCH"
    unknown = bond(world, payer="fundingSources/none")
    request = pb.CreateOutcomeContractRequest(outcome_contract=unknown)
    assert refused(lambda: world.maker.contracts.CreateOutcomeContract(request)) == "NOT_FOUND"
    said = metadata_of(lambda: world.maker.contracts.CreateOutcomeContract(request))
    assert said["missing"] == "fundingSources/none"
    fund = programme_pb2.FundProgrammeRequest(
        name=world.programme(),
        funding_source="fundingSources/no",
        start_date=day_message(world.today),
        end_date=day_message(world.today),
        amount=eur(1),
    )
    said = metadata_of(lambda: world.maker.programmes.FundProgramme(fund))
    assert said["missing"] == "fundingSources/no"


def test_outcomes_count_once_another_person_has_verified_them(world: World) -> None:
    contract = active_bond(world).name
    people = enrol(world, contract, 3)
    done = report(world, contract, people)
    assert (done.applied_count, done.known_count) == (3, 0)
    assert report(world, contract, people).known_count == 3
    assert repayment(world, contract).placed == 0
    assert refused(lambda: decide(world, contract, people, by=world.caseworker)) == "SAME_PERSON"
    assert decide(world, contract, people[:2]).applied_count == 2
    assert decide(world, contract, people[:2]).known_count == 2
    assert repayment(world, contract).placed == 2
    assert decide(world, contract, people[:1], refute=True).proposed_count == 1
    assert decide(world, contract, people[2:], refute=True).applied_count == 1
    assert report(world, contract, people[2:]).applied_count == 1
    read = world.auditor.contracts.ListParticipants(pb.ListParticipantsRequest(parent=contract))
    found = {each.name: each for each in read.participants}
    states = [found[name].reports[0].state for name in people]
    assert states == [pb.OutcomeReport.STATE_VERIFIED] * 2 + [pb.OutcomeReport.STATE_REPORTED]
    again = pb.EnrolParticipantsRequest(parent=contract, learners=[found[people[0]].learner])
    enrolled = world.caseworker.contracts.EnrolParticipants(again)
    assert (enrolled.known_count, enrolled.participants[0].name) == (1, people[0])


def test_what_was_verified_wrongly_is_refuted_by_two_people(world: World) -> None:
    contract = active_bond(world).name
    who = enrol(world, contract, 1)
    place(world, contract, who)
    first, second = world.person("caseworker"), world.person("caseworker")
    once = decide(world, contract, who, by=first, refute=True)
    assert (once.applied_count, once.proposed_count) == (0, 1)
    assert decide(world, contract, who, by=first, refute=True).proposed_count == 1
    ask = pb.ListParticipantsRequest(parent=contract)
    (still,) = world.auditor.contracts.ListParticipants(ask).participants[0].reports
    assert (still.state, still.correction_proposed) == (pb.OutcomeReport.STATE_VERIFIED, True)
    decide(world, contract, who, by=second)  # it is true after all
    assert decide(world, contract, who, by=second, refute=True).proposed_count == 1
    assert decide(world, contract, who, by=first, refute=True).applied_count == 1
    (gone,) = world.auditor.contracts.ListParticipants(ask).participants[0].reports
    assert (gone.state, gone.correction_proposed) == (pb.OutcomeReport.STATE_REFUTED, False)
    place(world, contract, who)  # and it can be reported again
    assert repayment(world, contract).placed == 1


def test_who_was_enrolled_by_mistake_is_removed_by_two_people(world: World) -> None:
    contract = active_bond(world).name
    wrong, placed = enrol(world, contract, 2)
    place(world, contract, [placed])
    first, second = world.person("caseworker"), world.person("caseworker")
    both = pb.RemoveParticipantsRequest(parent=contract, participants=[wrong, placed])
    assert refused(lambda: first.contracts.RemoveParticipants(both)) == "WRONG_STATE"
    alone = pb.RemoveParticipantsRequest(parent=contract, participants=[wrong])
    for _ in range(2):  # saying it twice removes nobody
        assert first.contracts.RemoveParticipants(alone).proposed_count == 1
    assert second.contracts.RemoveParticipants(alone).removed_count == 1
    left = world.auditor.contracts.ListParticipants(pb.ListParticipantsRequest(parent=contract)).participants
    assert [each.name for each in left] == [placed]


def test_only_outcomes_of_own_people_within_the_contract_are_taken(world: World) -> None:
    contract, other = active_bond(world).name, active_bond(world).name
    people, theirs = enrol(world, contract, 1), enrol(world, other, 1)
    assert refused(lambda: report(world, contract, people, days_ago=731)) == "INVALID_ARGUMENT"
    assert refused(lambda: report(world, contract, people, days_ago=-1)) == "INVALID_ARGUMENT"
    assert refused(lambda: report(world, contract, people + theirs)) == "NOT_FOUND"
    foreign = f"{contract}/participants/{theirs[0].rpartition('/')[2]}"
    assert refused(lambda: report(world, contract, [foreign])) == "NOT_FOUND"
    assert refused(lambda: decide(world, contract, people)) == "OUTCOME_NOT_REPORTED"


def test_a_milestone_releases_its_tranche_when_it_is_reached_and_once(world: World) -> None:
    contract = active_bond(world).name
    people = enrol(world, contract, 9)
    assert refused(lambda: release(world, contract, "start")) == "MILESTONE_NOT_REACHED"
    people += enrol(world, contract, 1)
    done = release(world, contract, "start")
    assert (done.milestones[0].count, cents(done.available)) == (10, 50_001)
    assert done.milestones[0].HasField("release_time")
    assert refused(lambda: release(world, contract, "start")) == "WRONG_STATE"
    assert refused(lambda: release(world, contract, "none")) == "NOT_FOUND"
    report(world, contract, people[:6])
    assert refused(lambda: release(world, contract, "placed")) == "MILESTONE_NOT_REACHED"
    decide(world, contract, people[:6])
    assert cents(release(world, contract, "placed").available) == 20_001
    assert world.balances() == {FUNDER: -100_001, BANK: 80_000, AVAILABLE: 20_001}
    assert intact(world)


def test_investors_are_repaid_by_results_and_the_cents_add_up(world: World) -> None:
    contract = active_bond(world).name
    people = enrol(world, contract, 10)
    release(world, contract, "start")
    place(world, contract, people[:5])
    propose = pb.ProposeRepaymentRequest(name=contract)
    reject = pb.RejectRepaymentRequest(name=contract)
    assert refused(lambda: world.approver.contracts.RejectRepayment(reject)) == "WRONG_STATE"
    world.approver.contracts.ProposeRepayment(propose)
    world.payer.contracts.RejectRepayment(reject)
    due = world.payer.contracts.ProposeRepayment(propose)
    assert (due.result_basis_points, cents(due.released)) == (5_000, 50_000)
    assert (cents(due.repaid), cents(due.unspent)) == (39_682, 50_001)  # 50 of 63 parts; what is left
    assert [cents(each.repaid) for each in due.investors] == [23_809, 15_873]
    assert [cents(each.unspent) for each in due.investors] == [30_001, 20_000]
    assert refused(lambda: report(world, contract, people[5:])) == "WRONG_STATE"
    approve = pb.ApproveRepaymentRequest(name=contract)
    assert refused(lambda: world.payer.contracts.ApproveRepayment(approve)) == "SAME_PERSON"
    done = world.approver.contracts.ApproveRepayment(approve)
    assert done == repayment(world, contract) == due
    assert refused(lambda: world.approver.contracts.ApproveRepayment(approve)) == "WRONG_STATE"
    balances = world.balances()
    assert (balances[BANK], balances.get(AVAILABLE, 0), balances[FUNDER]) == (50_000, 0, -50_000)
    read = world.auditor.contracts.GetOutcomeContract(pb.GetOutcomeContractRequest(name=contract))
    assert (read.state, cents(read.available)) == (pb.OutcomeContract.STATE_REPAID, 0)
    assert intact(world)


def test_repayment_waits_for_its_day(world: World) -> None:
    contract = active_bond(world, repay_date=day_message(world.today + timedelta(days=1))).name
    propose = pb.ProposeRepaymentRequest(name=contract)
    assert refused(lambda: world.payer.contracts.ProposeRepayment(propose)) == "REPAYMENT_NOT_DUE"
    approve = pb.ApproveRepaymentRequest(name=contract)
    assert refused(lambda: world.approver.contracts.ApproveRepayment(approve)) == "WRONG_STATE"


def mix(world: World, contract: str) -> Any:
    """Reads the share of the one group."""
    (share,) = world.auditor.contracts.GetTargetMix(pb.GetTargetMixRequest(name=contract)).shares
    return share


def test_the_target_mix_follows_the_facts_and_hides_the_few(world: World) -> None:
    contract = active_bond(world).name
    assert not mix(world, contract).met  # nobody takes part
    enrol(world, contract, 14, gender="male")
    assert not mix(world, contract).met
    enrol(world, contract, 4, gender="female")
    few = mix(world, contract)
    assert (few.suppressed, few.members, few.share_basis_points, few.met) == (True, 0, 0, False)
    enrol(world, contract, 1, gender="female")
    told = mix(world, contract)
    assert (told.suppressed, told.members, told.share_basis_points, told.met) == (False, 5, 2_631, False)
    enrol(world, contract, 1, gender="female")
    assert mix(world, contract).met  # 6 of 20
    enrol(world, contract, 5)
    assert (mix(world, contract).unknown, mix(world, contract).met) == (5, False)


def test_an_observer_reads_everything_of_its_contract_and_nothing_else(world: World) -> None:
    contract, other = active_bond(world).name, active_bond(world, observers=["somebody-else"]).name
    people = enrol(world, contract, 1)
    enrol(world, other, 1)
    observer = world.person("observer", subject="the-observer")
    stranger = world.person("observer")
    reads: list[Callable[[Any, str], Any]] = [
        lambda who, name: who.contracts.GetOutcomeContract(pb.GetOutcomeContractRequest(name=name)),
        lambda who, name: who.contracts.ListParticipants(pb.ListParticipantsRequest(parent=name)),
        lambda who, name: who.contracts.GetTargetMix(pb.GetTargetMixRequest(name=name)),
        lambda who, name: who.contracts.GetRepayment(pb.GetRepaymentRequest(name=name)),
    ]
    for read in reads:
        assert read(observer, contract).ByteSize()
        assert refused(lambda read=read: read(observer, other)) == "NOT_FOUND"
        assert refused(lambda read=read: read(stranger, contract)) == "NOT_FOUND"
    everything = pb.ListOutcomeContractsRequest()
    assert refused(lambda: observer.contracts.ListOutcomeContracts(everything)) == "PERMISSION_DENIED"
    change = pb.ReportOutcomesRequest(
        parent=contract,
        outcome=PLACED,
        participants=people,
        date=day_message(world.today),
        evidence_reference="list-1",
    )
    assert refused(lambda: observer.contracts.ReportOutcomes(change)) == "PERMISSION_DENIED"


def race(world: World, contract: str, monkeypatch: pytest.MonkeyPatch, patience: float) -> list[str]:
    """Releases a tranche twice, the second while the first stands between reading and writing; returns why
    each was refused, empty when it was not."""

    def take() -> str:
        return tried(lambda: release(world, contract, "start"))

    twin = Meanwhile(monkeypatch, store, "tranches_of", take, patience)
    return [take(), twin.answer]


def test_two_releases_at_once_pay_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = active_bond(world).name
    enrol(world, contract, 10)
    assert race(world, contract, monkeypatch, 1) == ["", "WRONG_STATE"]
    assert world.balances()[BANK] == 50_000


def test_control_without_the_lock_and_the_key_it_is_paid_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = active_bond(world).name
    enrol(world, contract, 10)
    with transaction(world.app) as tx:
        tx.execute(text("ALTER TABLE outcome_tranches DROP CONSTRAINT outcome_tranches_pkey"))
    world.app.engine.dispose()

    def read_only(tx: Any, key: str) -> Any:
        return tx.execute(select(outcome_contracts).where(outcome_contracts.c.id == key)).one()

    monkeypatch.setattr(store, "lock", read_only)
    assert race(world, contract, monkeypatch, 30) == ["", ""]
    assert world.balances()[BANK] == 100_000


def test_verification_sees_a_contract_that_somebody_changed(world: World) -> None:
    active_bond(world)
    assert intact(world)
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE outcome_contracts SET available_cents = available_cents + 1"))
    assert {finding.kind for finding in world.verify().findings} == {"BALANCE"}
