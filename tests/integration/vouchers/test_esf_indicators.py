"""Indicators of the ESF+: told by choice on entering, upon leaving and six months later, counted once."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from pyarrow import parquet
from sqlalchemy import text
from waymark.vouchers.v1 import application_pb2, export_pb2, learner_fact_pb2, report_pb2
from waymark.vouchers.v1 import learner_result_pb2 as pb

from services.platform.db.transaction import transaction
from services.vouchers import esf_figures
from tests.integration.vouchers.refusals import refused, violations_of
from tests.integration.vouchers.test_exports import export
from tests.integration.vouchers.test_reports import make_older
from tests.support.vouchers import NO_EVIDENCE, Person, World, day_message, request_id

Leaving, Outcome, Fact = pb.LearnerLeaving, pb.LearnerOutcome, learner_fact_pb2.LearnerFact
BY_CHOICE = ("EECO14", "EECO15", "EECO16", "EECO17")


def indicators(world: World, first: date, last: date, programme: str = "") -> dict[str, Any]:
    request = report_pb2.GetEsfIndicatorsRequest(
        start_date=day_message(first), end_date=day_message(last), programme=programme
    )
    return {each.code: each for each in world.payer.reports.GetEsfIndicators(request).indicators}


def today(world: World) -> dict[str, tuple[int, int]]:
    found = indicators(world, world.today, world.today)
    return {code: (each.participants, each.unknown) for code, each in found.items()}


def leave(person: Person, redemption: str, **fields: Any) -> Any:
    """Says where a learner is upon leaving."""
    request = pb.ReportLeavingRequest(name=f"{redemption}/leaving", leaving=Leaving(**fields))
    return person.results.ReportLeaving(request)


def left(person: Person, redemption: str) -> Any:
    return person.results.GetLearnerLeaving(pb.GetLearnerLeavingRequest(name=f"{redemption}/leaving"))


def own_facts(person: Person, learner: str) -> dict[str, Any]:
    request = learner_fact_pb2.ListLearnerFactsRequest(parent=learner)
    return {fact.key: fact for fact in person.facts.ListLearnerFacts(request).facts}


def half_year_before(day: date) -> tuple[date, date]:
    """Returns first and last day of the last half-year that is over."""
    start = day.replace(month=1 if day.month < 7 else 7, day=1)
    last = start - timedelta(days=1)
    return last.replace(month=last.month - 5, day=1), last


@pytest.fixture
def entered(world: World) -> Any:
    """A world where, in a half-year that is over, six said yes, five no, five would not say, one was not
    asked; and one said yes in another programme. In `first` and `last` that half-year."""
    made: Any = world
    made.plan = world.programme(fund=10_000_000, **NO_EVIDENCE)
    made.small = world.programme(**NO_EVIDENCE)
    for answer, rural, people in (("yes", 3, 6), ("no", 1, 5), ("not_told", 2, 5)):
        for _ in range(people):
            told = dict.fromkeys(("foreign_background", "minority", "housing_exclusion"), answer)
            person = world.learner(degree_of_urbanisation=rural, gender="female", **told)
            assert world.apply(person, made.plan).voucher
    world.apply(world.learner(), made.plan)
    world.apply(world.learner(minority="yes", gender="female"), made.small)
    made.first, made.last = half_year_before(world.today)
    for column in ("decided_at", "created_at"):
        make_older(world, "applications", (world.today - made.last).days + 10, column)
    return made


def test_what_was_told_by_choice_is_counted_beside_who_would_not_say(entered: Any) -> None:
    found = indicators(entered, entered.first, entered.last, entered.plan)
    assert found["EECO01"].participants == 17
    for code in BY_CHOICE[:3]:
        numbers = (found[code].participants, found[code].unknown, found[code].not_told)
        assert (numbers, found[code].suppressed) == ((6, 6, 5), False)
    assert (found["EECO17"].participants, found["EECO17"].unknown) == (6, 1)
    assert (found["EECO01"].female, found["EECO15"].female) == (16, 6)  # of one nobody knows
    one = indicators(entered, entered.first, entered.last, entered.small)["EECO01"]
    assert (one.participants, one.female, one.gender_suppressed) == (1, 0, True)


def test_of_few_and_of_other_periods_it_is_withheld(entered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def withheld(*asked: Any) -> set[str]:
        return {code for code, each in indicators(entered, *asked).items() if each.suppressed}

    whole, shifted = (entered.first, entered.last), (entered.first, entered.last - timedelta(days=1))
    assert withheld(*whole, entered.plan) == set()
    assert withheld(*shifted, entered.plan) == set(BY_CHOICE)
    assert withheld(*whole, entered.small) == {"EECO15"}
    assert indicators(entered, *whole, entered.small)["EECO15"].participants == 0
    # Control: without the two bounds one person is told of.
    monkeypatch.setattr(esf_figures.esf, "settled", lambda *_: True)
    monkeypatch.setattr(esf_figures.esf, "SMALLEST", 1)
    assert withheld(*shifted, entered.plan) == set()
    assert indicators(entered, *whole, entered.small)["EECO15"].participants == 1


def exported(world: Any, programme: str, last: date, form: Any = export_pb2.EXPORT_FORMAT_CSV) -> bytes:
    """Returns the file of indicators from the first day of the half-year on."""
    request = export_pb2.GetExportRequest(
        dataset=export_pb2.EXPORT_DATASET_ESF_INDICATORS,
        format=form,
        start_date=day_message(world.first),
        end_date=day_message(last),
        programme=programme,
    )
    return b"".join(part.data for part in export(world.auditor, request))


def rows(file: bytes) -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in csv.DictReader(io.StringIO(file.decode(), newline=""))}


def test_both_formats_say_what_the_report_says(entered: Any) -> None:
    told = rows(exported(entered, entered.plan, entered.last))
    parts = exported(entered, entered.plan, entered.last, export_pb2.EXPORT_FORMAT_PARQUET)
    table = parquet.read_table(io.BytesIO(parts)).to_pylist()
    report = indicators(entered, entered.first, entered.last, entered.plan)
    assert {code: row["participants"] for code, row in told.items()} == {
        code: str(each.participants) for code, each in report.items()
    }
    assert [str(row["participants"]) for row in table] == [row["participants"] for row in told.values()]
    assert (told["EECO01"]["participants"], told["EECO01"]["suppressed"]) == ("17", "false")


def test_the_file_tells_of_nobody_alone(entered: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def numbers(*asked: Any) -> set[str]:
        return {row["participants"] for row in rows(exported(entered, *asked)).values()}

    assert indicators(entered, entered.first, entered.last, entered.small)["EECO01"].participants == 1
    assert numbers(entered.small, entered.last) == {""}
    assert numbers(entered.plan, entered.last - timedelta(days=1)) == {""}  # part of a month
    monkeypatch.setattr(esf_figures, "published", esf_figures.indicators)  # control: as it was
    assert "1" in numbers(entered.small, entered.last)


def test_what_is_told_by_choice_is_listed_to_the_person_alone(world: World) -> None:
    person = world.learner(minority="yes")
    assert own_facts(person, person.learner)["minority"].text == "yes"
    assert "employment_status" in own_facts(world.caseworker, person.learner)
    assert "minority" not in own_facts(world.caseworker, person.learner)
    stranger = world.learner()
    assert refused(lambda: own_facts(stranger, person.learner)) == "NOT_FOUND"
    for nobody in (world.provider, world.auditor, world.payer, world.maker):
        assert refused(lambda nobody=nobody: own_facts(nobody, person.learner)) == "PERMISSION_DENIED"  # type: ignore[misc]


def test_who_pushes_a_fact_hears_nothing_that_others_told(world: World) -> None:
    person = world.learner()
    plan = world.programme(**NO_EVIDENCE)
    granted = person.applications.CreateApplication(
        application_pb2.CreateApplicationRequest(
            application=application_pb2.Application(
                learner=person.learner, programme=plan, session=world.session
            ),
            declared_facts=[Fact(key="minority", text="not_told")],
            request_id=request_id(),
        )
    )
    assert granted.voucher
    said = Fact(key="minority", text="yes", source=learner_fact_pb2.FACT_SOURCE_PES_REGISTER)
    push = learner_fact_pb2.PushLearnerFactsRequest(parent=person.learner, facts=[said])
    for teller in (world.caseworker, world.system):
        assert [fact.text for fact in teller.facts.PushLearnerFacts(push).facts] == ["yes"]
    assert refused(lambda: person.facts.PushLearnerFacts(push)) == "PERMISSION_DENIED"
    assert refused(lambda: world.provider.facts.PushLearnerFacts(push)) == "PERMISSION_DENIED"
    wrong = learner_fact_pb2.PushLearnerFactsRequest(parent=person.learner, facts=[said])
    wrong.facts[0].text = "maybe"
    assert "facts[0].value" in violations_of(lambda: world.system.facts.PushLearnerFacts(wrong))


def test_who_left_is_counted_by_what_was_said_of_the_four_weeks_after(world: World) -> None:
    plan = world.programme(fund=10_000_000, **NO_EVIDENCE)

    def trained(**facts: Any) -> tuple[Person, str]:
        person = world.learner(**facts)
        return person, str(world.delivered(*world.voucher(plan, person)).name)

    worker, redemption = trained()
    said = leave(worker, redemption, status=Leaving.STATUS_AT_WORK, qualified=True)
    assert (said.source, said.leaving_date) == (Outcome.SOURCE_LEARNER, day_message(world.today))
    assert said.last_date == day_message(world.today + timedelta(days=28))
    leave(world.system, trained(in_education=False)[1], status=Leaving.STATUS_SEEKING, in_education=True)
    leave(world.system, trained(in_education=True)[1], in_education=True, qualified=False)
    trained()  # nobody said anything
    found = today(world)
    assert {code: found[code] for code in ("EECR01", "EECR02", "EECR03", "EECR04")} == {
        "EECR01": (0, 0),  # nobody was inactive
        "EECR02": (1, 2),
        "EECR03": (1, 2),
        "EECR04": (1, 2),
    }


def test_of_several_words_the_last_counts_and_what_it_leaves_out_stays(world: World) -> None:
    person, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    name = world.delivered(person, voucher, 10_000).name
    leave(person, name, status=Leaving.STATUS_SEEKING, qualified=True)
    leave(world.system, name, status=Leaving.STATUS_AT_WORK)
    read = left(person, name)
    assert (read.status, read.qualified, read.source) == (
        Leaving.STATUS_AT_WORK,
        True,
        Outcome.SOURCE_PES_REGISTER,
    )
    assert not read.HasField("in_education")
    assert today(world)["EECR04"] == (1, 0)
    again = world.delivered(person, voucher, 10_000).name  # another training of the same voucher
    leave(person, again, status=Leaving.STATUS_SEEKING, qualified=False)
    with transaction(world.app) as tx:
        first = text("UPDATE leavings SET left_on = left_on - 9 WHERE redemption_id = :id")
        tx.execute(first, {"id": name.removeprefix("redemptions/")})
    found = today(world)
    assert (found["EECR04"], found["EECR03"]) == ((0, 0), (1, 0))


def test_leaving_is_told_of_a_day_in_the_four_weeks_and_of_what_was_delivered(world: World) -> None:
    person, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    reserved = world.reserve(person, voucher, 10_000).name
    assert refused(lambda: leave(person, reserved, qualified=True)) == "WRONG_STATE"
    assert not left(person, reserved).HasField("leaving_date")
    name = world.delivered(person, voucher, 10_000).name
    world.offer(start=world.today - timedelta(days=49))  # so the session ended forty days ago
    read = left(person, name)
    end = world.today - timedelta(days=40)
    assert (read.leaving_date, read.last_date) == (day_message(end), day_message(end + timedelta(days=28)))

    def wrong(**fields: Any) -> list[str]:
        return list(violations_of(lambda: leave(person, name, **fields)))

    assert wrong(qualified=True) == ["leaving.observed_date"]  # today is too late
    for days in (-1, 29):
        observed = day_message(end + timedelta(days=days))
        assert wrong(qualified=True, observed_date=observed) == ["leaving.observed_date"]
    assert wrong(observed_date=read.last_date) == ["leaving"]
    assert not left(person, name).HasField("answer_time"), "half of it was written"
    assert leave(person, name, qualified=True, observed_date=read.last_date).qualified


def test_leaving_is_between_the_learner_and_the_register(world: World) -> None:
    person, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    name = world.delivered(person, voucher).name

    def told() -> int:
        with transaction(world.app) as tx:
            return int(tx.execute(text("SELECT count(*) FROM outbox")).scalar_one())

    before = told()
    leave(person, name, status=Leaving.STATUS_NEITHER)
    assert told() == before, "an event tells of it"
    stranger = world.learner()
    for call in (lambda who: leave(who, name, qualified=True), lambda who: left(who, name)):
        assert refused(lambda call=call: call(stranger)) == "NOT_FOUND"  # type: ignore[misc]
        for nobody in (world.provider, world.caseworker, world.auditor):
            assert refused(lambda call=call, who=nobody: call(who)) == "PERMISSION_DENIED"  # type: ignore[misc]


def test_whose_work_got_better_is_counted_of_those_who_had_some(world: World) -> None:
    # The clause of the sample asks for people without work; this programme takes everybody.
    plan = world.programme(
        fund=10_000_000,
        clauses=[],
        targetGroups=[{"code": "all", "expression": "true", "coverPercent": 100}],
        **NO_EVIDENCE,
    )
    improved, same, unknown, jobless = (
        world.accepted(*world.voucher(plan, world.learner(employment_status=status))).name
        for status in ("employed", "self_employed", "employed", "unemployed")
    )
    make_older(world, "redemptions", 200, "accepted_at")

    def later(redemption: str, **fields: Any) -> Any:
        outcome = Outcome(**{"status": Outcome.STATUS_EMPLOYED, **fields})
        request = pb.ReportOutcomeRequest(name=f"{redemption}/outcome", outcome=outcome)
        return world.system.results.ReportOutcome(request)

    assert later(improved, improved=True).improved
    later(same, improved=False)
    assert not later(unknown).HasField("improved")
    later(jobless, improved=True)
    found = today(world)
    assert (found["EECR05"], found["EECR06"]) == ((1, 0), (1, 1))
    wrong = violations_of(lambda: later(same, status=Outcome.STATUS_SEEKING, improved=True))
    assert list(wrong) == ["outcome.improved"]
