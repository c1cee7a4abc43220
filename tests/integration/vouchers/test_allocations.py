"""Vouchers for many people at once: what the file says, what the rules allow, each exactly once."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from sqlalchemy import text
from waymark.vouchers.v1 import allocation_pb2 as pb
from waymark.vouchers.v1 import application_pb2, operation_pb2, programme_pb2, voucher_pb2

from services.platform.db.transaction import transaction
from services.platform.operations import runner
from services.vouchers import allocating, allotment
from services.vouchers.domain import allocation_file
from services.vouchers.store import budgets
from tests.integration.vouchers.refusals import refused
from tests.integration.vouchers.test_simulation import finished
from tests.support.uploads import put
from tests.support.vouchers import Person, World, cents, sample

APTIC = "aptic-digital-voucher"
FACE = 100_00
OFTEN = {"faceValue": {"currencyCode": "EUR", "units": "100"}, "period": "PERIOD_GRANT"}
Row = pb.AllocationRow
Operation = operation_pb2.VoucherOperation


@pytest.fixture
def world(stored: World) -> World:
    """Files lie in an object store."""
    return stored


def created(world: World, programme: str, content: str | bytes) -> Any:
    """Makes an allocation and puts its file there."""
    body = content if isinstance(content, bytes) else content.encode()
    made = world.system.allocations.CreateAllocation(
        pb.CreateAllocationRequest(
            programme=programme, size_bytes=len(body), sha256=hashlib.sha256(body).hexdigest()
        )
    )
    put(made.upload_uri, made.upload_headers, body).raise_for_status()
    return made


def ran(world: World, allocation: Any, *, dry_run: bool = False) -> Operation:
    """Runs an allocation to its end."""
    started = world.system.allocations.RunAllocation(
        pb.RunAllocationRequest(name=allocation.name, dry_run=dry_run)
    )
    return finished(world, started.name)


def rows(world: World, operation: Operation, outcome: int = 0) -> list[Row]:
    """Lists the rows of a run, page by page."""
    found, token = [], ""
    while True:
        page = world.auditor.allocations.ListAllocationRows(
            pb.ListAllocationRowsRequest(
                parent=operation.name,
                page_size=2,
                page_token=token,
                outcome=Row.Outcome.ValueType(outcome),
            )
        )
        found += page.rows
        token = page.next_page_token
        if not token:
            return found


def jobseekers(world: World, count: int) -> list[Person]:
    """Returns learners whom the rules allow."""
    return [world.learner() for _ in range(count)]


def file_of(people: Sequence[Person]) -> str:
    """Returns a file that names people."""
    return "learner\n" + "".join(f"{person.learner}\n" for person in people)


def wallet(person: Person) -> list[Any]:
    """Returns a person's vouchers."""
    request = voucher_pb2.ListVouchersRequest(learner=person.learner)
    return list(person.vouchers.ListVouchers(request).vouchers)


def test_each_person_gets_one_voucher_that_any_session_takes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allocating, "SIZE", 2)
    programme, people = world.programme(APTIC), jobseekers(world, 5)
    done = ran(world, created(world, programme, file_of(people)))
    result = done.allocation
    assert (done.state, done.done_count, done.total_count) == (Operation.STATE_SUCCEEDED, 5, 5)
    assert (result.allocated_count, result.refused_count, result.invalid_count) == (5, 0, 0)
    assert cents(result.amount) == 5 * FACE
    vouchers = [wallet(person) for person in people]
    assert [len(each) for each in vouchers] == [1] * 5
    assert {each[0].name for each in vouchers} == {row.voucher for row in rows(world, done)}
    assert world.verify().intact
    world.offer(price=FACE)
    reserved = world.reserve(people[0], vouchers[0][0].name)
    assert cents(reserved.amount) == FACE


def test_a_dry_run_gives_nobody_anything_and_says_the_same(world: World) -> None:
    programme = world.programme(APTIC, fund=2 * FACE)
    people = jobseekers(world, 3)
    allocation = created(world, programme, file_of(people))
    tried = ran(world, allocation, dry_run=True)
    before = world.balances()
    assert tried.allocation.dry_run
    assert (tried.allocation.allocated_count, tried.allocation.refused_count) == (2, 1)
    assert not any(wallet(person) for person in people)
    done = ran(world, allocation)
    assert (done.allocation.allocated_count, done.allocation.refused_count) == (2, 1)
    assert [row.reason_codes for row in rows(world, done)][-1] == ["BUDGET_EXHAUSTED"]
    assert [list(row.reason_codes) for row in rows(world, tried)] == [
        list(row.reason_codes) for row in rows(world, done)
    ]
    assert world.balances() != before


def test_nobody_gives_themselves_a_voucher(world: World) -> None:
    colleague, own = jobseekers(world, 2)
    allocation = created(world, world.programme(APTIC), file_of([colleague, own]))
    manager = world.person("programme_manager", subject=own.subject)
    started = manager.allocations.RunAllocation(pb.RunAllocationRequest(name=allocation.name))
    done = finished(world, started.name)
    assert [list(row.reason_codes) for row in rows(world, done)] == [[], ["SAME_PERSON"]]
    assert ran(world, allocation).allocation.allocated_count == 1  # control: run by another


def test_every_way_a_row_can_be_wrong_says_how_to_mend_it(world: World) -> None:
    programme = world.programme(APTIC)
    good, unknown = world.learner(), world.person("learner")
    known = world.learner(employment_status="employed")
    content = (
        "learner,amount\n"
        f"{good.learner},50\n"
        f"{good.subject},\n"  # the same person again
        "Ann Peeters,50\n"
        f"{uuid.uuid4()},-5\n"
        f"{uuid.uuid4()},1,2\n"
        "\n"
        f"{known.learner},\n"
        f"{unknown.learner},\n"
        f"{world.learner().learner},100.01\n"
    )
    done = ran(world, created(world, programme, content))
    found = {row.line: row for row in rows(world, done)}
    assert found[2].outcome == Row.OUTCOME_ALLOCATED
    assert cents(found[2].amount) == 50_00
    invalid = {line: row.explanation for line, row in found.items() if row.outcome == Row.OUTCOME_INVALID}
    assert set(invalid) == {3, 4, 5, 6}
    assert "Line 2 names the same person" in invalid[3]
    assert "Ann" not in str(found[4])
    codes = {line: list(found[line].reason_codes) for line in (8, 9, 10)}
    assert codes == {8: ["NOT_A_JOBSEEKER"], 9: ["FACTS_MISSING"], 10: ["AMOUNT_TOO_HIGH"]}
    assert list(found[9].missing_facts) == ["employment_status"]
    assert len(rows(world, done, Row.OUTCOME_REFUSED)) == 3
    assert (done.allocation.invalid_count, done.allocation.refused_count) == (4, 3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"person\nx\n", "Line 1 must name the columns"),
        (b"learner,name\nx,y\n", "`name`"),
        (b"", "Line 1 must name the columns"),
        (b"learner\nabc\n\xff\xfe\n", "not UTF-8"),
        (b'learner\n"abc\n', "Close every quote"),
    ],
)
def test_a_file_that_is_none_gives_nobody_anything(world: World, content: bytes, said: str) -> None:
    programme = world.programme(APTIC)
    body = content or b"\n"
    done = ran(world, created(world, programme, body))
    assert (done.state, done.reason) == (Operation.STATE_FAILED, "ALLOCATION_FILE_INVALID")
    assert said in done.explanation
    assert not rows(world, done)


def test_more_rows_than_a_file_may_have(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocation_file, "FORM", allocation_file.FORM._replace(most=2))
    done = ran(world, created(world, world.programme(APTIC), file_of(jobseekers(world, 3))))
    assert done.reason == "ALLOCATION_FILE_INVALID"
    assert "more than 2 rows" in done.explanation


def test_running_again_gives_nobody_a_second_voucher(world: World) -> None:
    programme = world.programme(APTIC, amountRule=OFTEN)
    people = jobseekers(world, 2)
    allocation = created(world, programme, file_of(people))
    ran(world, allocation)
    again = ran(world, allocation)
    assert [list(row.reason_codes) for row in rows(world, again)] == [["ALLOCATED_BEFORE"]] * 2
    assert [len(wallet(person)) for person in people] == [1, 1]


@pytest.mark.parametrize("together", [True, False], ids=["one transaction", "control"])
def test_a_crash_in_the_midst_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    """Killed between the vouchers and the place. Where the two are kept apart, the chunk is begun twice; that
    one person gets one grant of an allocation still stands in the way, and the rows show as given before."""
    monkeypatch.setattr(allocating, "SIZE", 2)
    crashes = iter([False, True])
    note = runner._note

    def crashing(tx: Any, row: Any, chunk: Any) -> None:
        crash = next(crashes, False)
        if crash and not together:
            tx.connection.commit()
        if crash:
            raise ConnectionError("the machine is gone")
        note(tx, row, chunk)

    monkeypatch.setattr(runner, "_note", crashing)
    programme, people = world.programme(APTIC), jobseekers(world, 5)
    done = ran(world, created(world, programme, file_of(people)))
    assert [len(wallet(person)) for person in people] == [1] * 5
    assert done.allocation.allocated_count == (5 if together else 3)
    assert world.verify().intact


def test_a_decision_that_fails_while_others_are_written_undoes_the_chunk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide, failures = allotment.decide, []

    def failing(*asked: Any, **more: Any) -> Any:
        if len(failures) < 3:
            failures.append(asked)
            if len(failures) == 3:
                with transaction(world.app, read_only=True) as tx:
                    assert tx.execute(text("SELECT count(*) FROM vouchers")).scalar_one() == 0
                raise ArithmeticError
        return decide(*asked, **more)

    monkeypatch.setattr(allotment, "decide", failing)
    programme, people = world.programme(APTIC), jobseekers(world, 5)
    done = ran(world, created(world, programme, file_of(people)))
    assert len(failures) == 3
    assert (done.state, done.allocation.allocated_count) == (Operation.STATE_SUCCEEDED, 5)
    assert [len(wallet(person)) for person in people] == [1] * 5
    assert world.verify().intact


def test_each_grant_is_told_of(world: World) -> None:
    programme, people = world.programme(APTIC), jobseekers(world, 3)
    ran(world, created(world, programme, file_of(people)))
    with transaction(world.app, read_only=True) as tx:
        told = tx.execute(text("SELECT type, aggregateid FROM outbox ORDER BY seq")).all()
    names = {kind: [key for type_, key in told if type_.endswith(kind)] for kind in ("Decided", "Issued")}
    assert names["Issued"] == [wallet(person)[0].name for person in people]
    assert len(set(names["Decided"])) == 3


@pytest.mark.parametrize("locked", [True, False], ids=["lock", "control"])
def test_a_grant_at_the_same_moment_cannot_take_the_same_money(
    world: World, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """An application takes the pot's last money while a chunk is about to; only one of the two has it."""
    programme = world.programme(APTIC, fund=FACE)
    allocation = created(world, programme, file_of(jobseekers(world, 1)))
    applicant = world.learner()
    world.offer(price=FACE)
    reading = budgets.open_pots
    looked, go_on = threading.Event(), threading.Event()

    def slow(tx: Any, programme_id: str, day: Any, *, locked: bool) -> Any:
        found = reading(tx, programme_id, day, locked=locked and lock)
        looked.set()
        go_on.wait(5)
        return found

    lock = locked
    monkeypatch.setattr(budgets, "open_pots", slow)
    started = world.system.allocations.RunAllocation(pb.RunAllocationRequest(name=allocation.name))
    worker = threading.Thread(target=finished, args=(world, started.name))
    worker.start()
    assert looked.wait(60)
    answers: list[Any] = []
    other = threading.Thread(target=lambda: answers.append(world.apply(applicant, programme)))
    other.start()
    if not locked:
        other.join(60)
    go_on.set()
    other.join(60)
    worker.join(60)
    done = finished(world, started.name)
    states = (answers[0].state, done.state)
    granted, refused_ = application_pb2.Application.STATE_GRANTED, application_pb2.Application.STATE_REFUSED
    if locked:
        assert states == (refused_, Operation.STATE_SUCCEEDED)
        assert done.allocation.allocated_count == 1
    else:  # the check of the table is all that stands in the way: the chunk fails and is tried again
        assert states[0] == granted
        with transaction(world.app, read_only=True) as tx:
            failures = tx.execute(text("SELECT attempts, state FROM operations")).one()
        assert failures.state == 3
        assert done.allocation.allocated_count == 0
    assert world.verify().intact


def test_what_cannot_run(world: World) -> None:
    course_bound = world.programme(fund=0)
    allocation = created(world, course_bound, "learner\nabc\n")
    run = pb.RunAllocationRequest(name=allocation.name)
    assert refused(lambda: world.system.allocations.RunAllocation(run)) == "ALLOCATION_NOT_POSSIBLE"
    aptic = world.programme(APTIC, fund=0)
    digest = hashlib.sha256(b"learner\n").hexdigest()
    empty = world.system.allocations.CreateAllocation(
        pb.CreateAllocationRequest(programme=aptic, size_bytes=8, sha256=digest)
    )
    run = pb.RunAllocationRequest(name=empty.name)
    assert refused(lambda: world.system.allocations.RunAllocation(run)) == "UPLOAD_MISSING"
    missing = pb.GetAllocationRequest(name="allocations/01980000-0000-7000-8000-000000000000")
    assert refused(lambda: world.system.allocations.GetAllocation(missing)) == "NOT_FOUND"
    assert world.system.allocations.GetAllocation(pb.GetAllocationRequest(name=empty.name)).programme == aptic


def test_an_allocated_decision_is_computed_again(world: World) -> None:
    programme, people = world.programme(APTIC), jobseekers(world, 1)
    ran(world, created(world, programme, file_of(people)))
    listed = people[0].applications.ListApplications(
        application_pb2.ListApplicationsRequest(learner=people[0].learner)
    )
    (granted,) = listed.applications
    assert granted.allocation.startswith("allocations/")
    assert not granted.session
    again = world.auditor.applications.ReplayApplication(
        application_pb2.ReplayApplicationRequest(name=granted.name)
    )
    assert again.agrees, again.differences


def test_the_order_of_pots_is_that_of_a_single_grant(world: World) -> None:
    programme = world.programme(APTIC, fund=0)
    world.fund(programme, FACE, pot="open")
    world.fund(programme, FACE, pot="ring", groups=("jobseekers",))
    with transaction(world.app, read_only=True) as tx:
        purse = allotment.Purse(
            budgets.open_pots(tx, programme.removeprefix("programmes/"), world.today, locked=False), {}
        )
    taken = [purse.take("jobseekers", FACE) for _ in range(3)]
    assert [pot.code if pot else None for pot in taken] == ["ring", "open", None]
    assert purse.take("others", 1) is None


def test_who_was_granted_by_an_earlier_version_is_given_nothing_by_one_for_newcomers(world: World) -> None:
    rules = {"amountRule": OFTEN, "cohort": "COHORT_NEWCOMERS"}
    programme = world.programme(APTIC, **rules)
    earlier, newcomer = jobseekers(world, 2)
    for _ in range(2):  # the second is by the same version
        ran(world, created(world, programme, file_of([earlier])))
    assert len(wallet(earlier)) == 2
    content = {**sample(APTIC)["version"], **rules}
    draft = programme_pb2.CreateProgrammeVersionRequest(
        parent=programme, version=ParseDict(content, programme_pb2.ProgrammeVersion())
    )
    name = world.maker.programmes.CreateProgrammeVersion(draft).name
    world.checker.programmes.ActivateProgrammeVersion(
        programme_pb2.ActivateProgrammeVersionRequest(name=name)
    )
    for dry_run in (True, False):
        done = ran(world, created(world, programme, file_of([earlier, newcomer])), dry_run=dry_run)
        assert [list(row.reason_codes) for row in rows(world, done)] == [["EARLIER_COHORT"], []]
