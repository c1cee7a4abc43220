"""Programme → voucher → redemption → ledger in any order: invariants I1 to I6, I8 and I11 after each step.

The machine keeps a journal of what was acknowledged, and compares it with the real service and its database.
"""

from __future__ import annotations

import re
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test
from sqlalchemy import text
from waymark.vouchers.v1 import redemption_pb2 as pb
from waymark.vouchers.v1 import voucher_pb2

from services.platform.db.transaction import transaction
from services.vouchers.domain.states import BatchState, RedemptionState, VoucherState
from services.vouchers.domain.waiting import WaitingState
from services.vouchers.verification import verify
from tests.stateful.vouchers.journal import Refused
from tests.stateful.vouchers.settling import Settlement
from tests.support.canary import CANARY, everything
from tests.support.vouchers import World, cents

# Events of a redemption, a letter each, in the order in which they lie in the outbox.
LETTERS = {
    "RedemptionReserved": "r",
    "RedemptionAuthorised": "a",
    "RedemptionStarted": "s",
    "RedemptionDelivered": "d",
    "NoShowReported": "n",
    "InstalmentAccepted": "i",
    "DeliveryReturned": "e",
    "RedemptionAccepted": "c",
    "RedemptionClawedBack": "b",
    "RedemptionReleased": "x",
}
MISSED = "ra(s(d[ie])*)?n"
DELIVERED = f"(ras(d[ie])*d|{MISSED})"
PATHS = {
    "RESERVED": "r",
    "AUTHORISED": "ra",
    "STARTED": "ras(d[ie])*",
    "DELIVERED": DELIVERED,
    "ACCEPTED": f"{DELIVERED}cb*",
    "SETTLING": f"{DELIVERED}cb*",
    "PAID": f"{DELIVERED}cb*",
    "CLAWED_BACK": f"{DELIVERED}cb+",
    "VOIDED": f"(ra?|ras(d[ie])*|{MISSED})x",
    "EXPIRED": "rx",
    "REJECTED": f"{DELIVERED}x",
}
OF_A_PART = "b+"
TOLD = text("""SELECT r.state, r.part_of, array_agg(o.type ORDER BY o.seq) AS types
FROM redemptions r JOIN outbox o ON o.aggregateid = 'redemptions/' || r.id
WHERE r.programme_id = ANY (:programmes) GROUP BY r.id""")
CANARIES = text("SELECT count(*) FROM outbox WHERE position(convert_to(:canary, 'UTF8') IN payload) > 0")


class Money(Settlement):
    """All of it, and what must hold after each step."""

    def __init__(self) -> None:
        super().__init__()
        # None but in a failing run: there, a replay in the same database must not stop at what the first
        # failure has left, or nobody would be told which steps lead to it.
        self.left = set(self.findings())

    def findings(self) -> list[Any]:
        return list(verify(self.world.app.side_engine, self.world.app.checkpoint_keys).findings)

    @invariant()
    def the_ledger_is_intact(self) -> None:
        """I1 and I6, and that tables and ledger agree."""
        assert not (found := set(self.findings()) - self.left), found
        assert sum(self.world.balances().values()) == 0

    @invariant()
    def the_journal_agrees(self) -> None:
        """I2 and I3: what was acknowledged is there, and nothing is spent beyond a voucher's value."""
        journal = self.journal
        for name, value in journal.values.items():
            wallet = self.world.wallet(journal.owners[name], name)
            assert cents(wallet.reserved) == journal.held(name)
            assert journal.used(name) <= value
            if name not in journal.ended:
                assert cents(wallet.available) == value - journal.used(name)

    @invariant()
    def a_history_ends_with_what_the_voucher_is(self) -> None:
        """What is told out of the ledger is what the table has, whatever happened in whatever order."""
        for name, owner in self.journal.owners.items():
            request = voucher_pb2.ListVoucherHistoryRequest(parent=name, page_size=500)
            last, now = owner.vouchers.ListVoucherHistory(request).items[-1], self.world.wallet(owner, name)
            told = (last.state, last.available, last.reserved)
            assert told == (now.state, now.available, now.reserved), name

    @invariant()
    def events_tell_the_way_of_each_redemption_without_gaps(self) -> None:
        """I5."""
        with transaction(self.world.app, read_only=True) as tx:
            both = [each.removeprefix("programmes/") for each in (self.programme, self.in_instalments)]
            rows = tx.execute(TOLD, {"programmes": both}).all()
        for row in rows:
            told = "".join(LETTERS[kind.rpartition(".")[2]] for kind in row.types)
            path = OF_A_PART if row.part_of else PATHS[RedemptionState(row.state).name]
            assert re.fullmatch(path, told), (row.state, told)

    @invariant()
    def no_event_tells_what_somebody_wrote(self) -> None:
        """I11; all tables are searched at the end."""
        with transaction(self.world.app, read_only=True) as tx:
            assert not tx.execute(CANARIES, {"canary": CANARY}).scalar_one()

    @invariant()
    def nobody_sees_what_is_not_theirs(self) -> None:
        """I8."""
        if len(self.journal.owners) < 2:
            return
        (one, owner), *_, (_, other) = list(self.journal.owners.items())
        with pytest.raises(Refused) as raised:
            self.world.wallet(other, one)
        assert raised.value.code() is grpc.StatusCode.NOT_FOUND
        for each in owner.redemptions.ListRedemptions(
            pb.ListRedemptionsRequest(learner=owner.learner)
        ).redemptions:
            with pytest.raises(Refused) as raised:
                other.redemptions.GetRedemption(pb.GetRedemptionRequest(name=each.name))
            assert raised.value.code() is grpc.StatusCode.NOT_FOUND

    def teardown(self) -> None:
        assert CANARY not in everything(self.world.app.engine)


@pytest.fixture
def paying(world: World) -> World:
    """A world whose provider has a bank account."""
    world.bank_account()
    return world


def machine(world: World) -> type[Money]:
    """The machine in this world."""
    return type("MoneyHere", (Money,), {"world": world})


def test_money_keeps_its_invariants(paying: World) -> None:
    run_state_machine_as_test(
        machine(paying),
        settings=settings(
            max_examples=16,
            stateful_step_count=20,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


class Driven:
    """A machine whose steps are called by hand, with its invariants after each."""

    def __init__(self, money: Money) -> None:
        self._money = money

    def __call__(self, step: str, *values: Any, **named: Any) -> Any:
        """Does a step; returns what it adds to its bundle."""
        done = getattr(self._money, step)(*values, **named)
        for each in self._money.invariants:
            each.function(self._money)
        return done

    def accepted(self, voucher: str, amount: int = 100) -> str:
        """Returns an accepted redemption."""
        redemption = self("attend", voucher, amount)
        self("accept", redemption, 100)
        return str(redemption)


def redemptions(do: Driven, part: str, whole: str) -> None:
    """Takes redemptions to every state, and batches too; `whole` is spent whole."""
    do("reserve", part, 100)
    for ways in (["authorise"], ["authorise", "start"], ["void"], ["time_out"]):
        redemption = do("reserve", part, 100)
        for way in ways:
            do(way, redemption)
    do("no_show", do("reserve", part, 100))  # refused: nobody agreed
    for amount in (2, 100):  # of which two cents there is no share
        missed = do("reserve", part, amount)
        do("authorise", missed)
        do("no_show", missed)
    do("accept", missed, 100)
    do("refund", do.accepted(part), 50)
    do("attend", part, 100)
    do("reject", do("attend", part, 100))
    do("claw_back", do.accepted(part), 100)
    do.accepted(whole, 100_000)
    do("release", do("hold", do.accepted(part)))
    do("hold", do.accepted(part))
    do("sweep")
    for said in ("ACSC", "RJCT"):
        batch = do("pay")
        do("bank_says", batch, said)
        do("bank_books", batch, back=False)
        do.accepted(part)
        do("sweep")
    ways = (
        ["give_up"],
        ["freeze", "give_up"],
        ["freeze", "approve", "give_up"],
        ["freeze", "approve", "fetch"],
    )
    for steps in (*ways, ["freeze", "approve", "fetch", "send"], ["freeze"], []):
        batch = do("gather")
        for step in steps:
            do(step, batch)
        do.accepted(part)
        do("sweep")


def pay_in_instalments(do: Driven) -> None:
    """Takes a training through its instalments, and another to a break after the first."""
    voucher = do("apply", in_instalments=True)
    whole = do("attend", voucher, 10_001)
    first = do("accept", whole, 100)
    second = do("go_on", whole, 50)
    do("claw_back", first, 100)
    do("refund", second, 40)
    do("go_on", whole, 100)
    broken = do("attend", voucher, 1_000)
    do("accept", broken, 100)
    do("no_show", broken)


def wait_in_line(do: Driven, ending: dict[str, str]) -> None:
    """Lets people wait for the money of vouchers that end: `ending`, by how they do."""
    for _ in range(6):
        do("apply")
    waiting = [do("join") for _ in range(6)]
    for step, voucher in ending.items():
        do("extend", voucher, 30)
        do(step, voucher)
        do("offer")
    do("lapse", waiting[0])
    do("leave", waiting[1])
    do("offer")
    do("accept_offer", waiting[2])


def states(world: World, table: str) -> set[int]:
    """The states that rows of a table are in."""
    with transaction(world.app, read_only=True) as tx:
        return set(tx.execute(text(f"SELECT DISTINCT state FROM {table}")).scalars())


def test_the_machine_comes_to_every_state(paying: World) -> None:
    money = machine(paying)()
    paying.fund(money.programme, 500_000, "more")
    do = Driven(money)
    _, active, part, whole, *ending = [do("apply") for _ in range(7)]
    do("reserve", active, 100)
    do("reissue", active)
    redemptions(do, part, whole)
    pay_in_instalments(do)
    wait_in_line(do, dict(zip(("expire", "cancel", "revoke"), ending, strict=True)))
    assert states(paying, "redemptions") == set(RedemptionState)
    assert states(paying, "vouchers") == set(VoucherState)
    assert states(paying, "payout_batches") == set(BatchState)
    assert states(paying, "waiting_list") == set(WaitingState) - {WaitingState.CLOSED}
    money.teardown()


DAMAGE = {
    "the_ledger_is_intact": "UPDATE pots SET available_cents = available_cents + 1",
    "a_history_ends_with_what_the_voucher_is": "UPDATE vouchers SET state = 7",
    "the_journal_agrees": "UPDATE vouchers SET reserved_cents = reserved_cents + 1, "
    "available_cents = available_cents - 1",
    "events_tell_the_way_of_each_redemption_without_gaps": "DELETE FROM outbox WHERE type LIKE '%Authorised'",
    "no_event_tells_what_somebody_wrote": f"UPDATE outbox SET payload = convert_to('{CANARY}', 'UTF8')",
    # Last: after it nobody has what the journal says is theirs.
    "nobody_sees_what_is_not_theirs": "UPDATE vouchers SET learner = "
    "(SELECT learner FROM vouchers ORDER BY id DESC LIMIT 1)",
}


def test_control_each_invariant_sees_its_damage(paying: World) -> None:
    money = machine(paying)()
    money.authorise(money.reserve(money.apply(), 100))
    money.apply()  # somebody else
    for invariant_, damage in DAMAGE.items():
        holds = getattr(money, invariant_)
        holds()
        with transaction(paying.app) as tx:
            tx.execute(text(damage))
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            holds()
