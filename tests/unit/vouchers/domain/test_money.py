from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import pytest
from google.type import money_pb2
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from lxml import etree

from services.platform.errors import Refusal
from services.vouchers.domain import bookings, ledger
from services.vouchers.domain.money import amount_violation, cents_of, money
from services.vouchers.domain.pain001 import Transfer, bank_file
from services.vouchers.domain.payouts import Account, Due, checked_iban, masked_iban, payments
from services.vouchers.domain.redemption import Redemption
from services.vouchers.domain.states import RedemptionState, VoucherState
from services.vouchers.domain.voucher import Voucher

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=10)
ID = "00000000-0000-7000-8000-000000000001"


@given(st.integers(-(10**13), 10**13))
def test_money_and_cents_agree(cents: int) -> None:
    assert cents_of(money(cents, "EUR")) == cents


@pytest.mark.parametrize(
    "values",
    [
        {"units": -1},
        {"units": 0},
        {"units": 1, "nanos": 1},
        {"units": 1, "nanos": -10_000_000},
        {"units": 10**15},
        {"units": 1, "currency_code": "eur"},
        {"units": 1, "currency_code": ""},
    ],
)
def test_amounts_that_are_none_are_noticed(values: dict[str, object]) -> None:
    amount = money_pb2.Money(**{"currency_code": "EUR", **values})  # type: ignore[arg-type]
    assert amount_violation("amount", amount) is not None


class Wallet(RuleBasedStateMachine):
    """A voucher and its reservations in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.voucher = Voucher(ID, VoucherState.ISSUED, 1000, 1000, 0, 0, 0, LATER, LATER)
        self.open: list[int] = []

    @rule(amount=st.integers(-5, 1200))
    def reserve(self, amount: int) -> None:
        try:
            self.voucher = self.voucher.reserve(amount, NOW)
        except Refusal:
            return
        self.open.append(amount)

    @rule(share=st.floats(0.1, 1))
    def spend(self, share: float) -> None:
        if self.open:
            reserved = self.open.pop()
            self.voucher = self.voucher.spend(reserved, max(1, int(reserved * share)))

    @rule()
    def unreserve(self) -> None:
        if self.open:
            self.voucher = self.voucher.unreserve(self.open.pop())

    @rule(state=st.sampled_from([VoucherState.EXPIRED, VoucherState.CANCELLED, VoucherState.REVOKED]))
    def end(self, state: VoucherState) -> None:
        try:
            self.voucher = self.voucher.end(state)
        except Refusal:
            assert self.voucher.state.ended

    @rule()
    def sweep(self) -> None:
        if self.voucher.ended_early:
            self.voucher = self.voucher.sweep()

    @invariant()
    def every_cent_is_somewhere(self) -> None:
        voucher = self.voucher
        parts = (voucher.available, voucher.reserved, voucher.spent, voucher.returned)
        assert sum(parts) == voucher.value
        assert min(parts) >= 0
        assert voucher.reserved == sum(self.open)


TestWallet = Wallet.TestCase


def test_limits_of_a_voucher_are_judged_by_the_given_clock() -> None:
    voucher = Voucher(ID, VoucherState.ISSUED, 10, 10, 0, 0, 0, NOW, LATER)
    with pytest.raises(Refusal, match="VOUCHER_EXPIRED"):
        voucher.reserve(1, NOW)
    assert voucher.reserve(1, NOW - timedelta(seconds=1)).state is VoucherState.ACTIVE


def redemption(state: RedemptionState) -> Redemption:
    return Redemption(ID, state, 100, 0, LATER)


@pytest.mark.parametrize("state", RedemptionState)
def test_a_redemption_moves_only_along_its_way(state: RedemptionState) -> None:
    allowed = {
        "authorise": {RedemptionState.RESERVED},
        "start": {RedemptionState.AUTHORISED},
        "deliver": {RedemptionState.STARTED},
        "miss": {RedemptionState.AUTHORISED, RedemptionState.STARTED},
        "accept": {RedemptionState.DELIVERED},
        "reject": {RedemptionState.DELIVERED},
        "send_back": {RedemptionState.DELIVERED},
        "void": {RedemptionState.RESERVED, RedemptionState.AUTHORISED, RedemptionState.STARTED},
        "expire": {RedemptionState.RESERVED},
    }
    arguments = {
        "authorise": (NOW,),
        "start": (NOW, None),
        "deliver": (1, 1),
        "miss": (NOW, None, 0),
        "accept": (100, 100),
        "expire": (LATER,),
    }
    for step, states in allowed.items():
        try:
            getattr(redemption(state), step)(*arguments.get(step, ()))
        except Refusal:
            assert state not in states, step
        else:
            assert state in states, step


def test_a_no_show_is_no_delivery_to_send_back() -> None:
    missed = redemption(RedemptionState.STARTED).miss(NOW, None, 10)
    with pytest.raises(Refusal, match="WRONG_STATE"):
        missed.send_back()


@pytest.mark.parametrize(
    ("state", "passed", "left", "most", "days"),
    [
        (VoucherState.EXPIRED, True, 40, None, 40),
        (VoucherState.PARTLY_USED, True, 40, None, 40),  # the job has not come by
        (VoucherState.EXPIRED, True, 3, None, 14),
        (VoucherState.EXPIRED, True, 40, 20, 20),
        (VoucherState.EXPIRED, True, 40, -1, None),  # the budget's period is over
        (VoucherState.PARTLY_USED, False, 40, None, None),
        (VoucherState.CANCELLED, True, 40, None, None),
        (VoucherState.REVOKED, True, 40, None, None),
    ],
)
def test_what_is_taken_back_without_fault_opens_an_expired_voucher(
    state: VoucherState, passed: bool, left: int, most: int | None, days: int | None
) -> None:
    limit = NOW - timedelta(days=1) if passed else LATER
    voucher = Voucher(ID, state, 500, 100, 0, 300, 100, limit, limit)
    most_at = None if most is None else NOW + timedelta(days=most)
    after = voucher.reopen(NOW, limit - timedelta(days=left), most_at)
    if days is None:
        assert after is voucher
    else:
        assert (after.state, after.expires) == (VoucherState.PARTLY_USED, NOW + timedelta(days=days))
        assert after.spend_until(NOW) == after.order_until == after.expires


def test_a_reservation_waits_until_its_limit() -> None:
    waiting = redemption(RedemptionState.RESERVED)
    with pytest.raises(Refusal, match="RESERVATION_EXPIRED"):
        waiting.authorise(LATER)
    with pytest.raises(Refusal, match="WRONG_STATE"):
        waiting.expire(NOW)


@pytest.mark.parametrize(
    ("first_day", "fee", "state"),
    [
        (NOW.date(), 0, RedemptionState.VOIDED),
        (NOW.date(), 1, RedemptionState.DELIVERED),
        (None, 1, RedemptionState.DELIVERED),
        (NOW.date() + timedelta(days=1), 1, None),
    ],
)
def test_a_session_can_be_missed_from_its_first_day_on(
    first_day: date | None, fee: int, state: RedemptionState | None
) -> None:
    booked = redemption(RedemptionState.AUTHORISED)
    if state is None:
        with pytest.raises(Refusal, match="NO_SHOW_TOO_EARLY"):
            booked.miss(NOW, first_day, fee)
    else:
        missed = booked.miss(NOW, first_day, fee)
        assert (missed.state, missed.no_show) == (state, NOW)


def test_a_training_starts_once_its_first_day_has_begun_anywhere() -> None:
    booked, day = redemption(RedemptionState.AUTHORISED), date(2026, 3, 29)
    begins = datetime(2026, 3, 28, 10, tzinfo=UTC)  # on the Line Islands, UTC+14
    assert booked.start(begins, day).state is RedemptionState.STARTED
    assert booked.start(begins, None).state is RedemptionState.STARTED
    early = begins - timedelta(microseconds=1)
    with pytest.raises(Refusal, match="SESSION_NOT_STARTED"):
        booked.start(early, day)
    assert booked.start(early, day - timedelta(days=1)).state is RedemptionState.STARTED


def test_accepting_nothing_said_means_the_limit() -> None:
    delivered = redemption(RedemptionState.DELIVERED)
    assert delivered.accept(0, 30).accepted == 30
    assert delivered.accept(29, 30).accepted == 29
    with pytest.raises(Refusal, match="AMOUNT_TOO_HIGH"):
        delivered.accept(31, 30)


def chain() -> list[ledger.Entry]:
    head = ledger.Head(3, "EUR", 0, ledger.START)
    booked = [
        bookings.issue(ID, "pot", "vouchers/1", 500),
        bookings.reserve(ID, "vouchers/1", "redemptions/1", 300),
        bookings.accept(ID, "vouchers/1", "redemptions/1", 300, 200),
    ]
    entries, after = ledger.append(head, booked, NOW)
    assert after.sequence == len(entries) == 7
    assert after.deltas[ledger.Kind.VOUCHER_AVAILABLE] == 300
    return entries


def intact(entries: list[ledger.Entry]) -> bool:
    before = ledger.START
    for place, entry in enumerate(entries, 1):
        if entry.sequence != place or entry.digest(before) != entry.hash:
            return False
        before = entry.hash
    return True


def test_every_change_to_a_chain_shows() -> None:
    entries = chain()
    assert intact(entries)
    for place in range(len(entries) - 1):
        flipped = list(entries)
        flipped[place] = entries[place]._replace(cents=entries[place].cents + 1)
        assert not intact(flipped)
        assert not intact(entries[:place] + entries[place + 1 :])
        swapped = list(entries)
        swapped[place], swapped[place + 1] = swapped[place + 1], swapped[place]
        assert not intact(swapped)
        assert not intact([*entries[:place], entries[place], *entries[place:]])


def test_a_booking_must_balance() -> None:
    with pytest.raises(ValueError, match="sum to zero"):
        ledger.Booking(ID, "fund", "r", (ledger.Posting(ledger.Kind.FUNDER, "f", 1),))


def test_the_bank_file_validates_and_sums_up() -> None:
    schema = etree.XMLSchema(etree.parse(str(files("sepaxml") / "schemas" / "pain.001.001.09.xsd")))
    debtor = Account("Bureau & Söhne", "NL91ABNA0417164300", "")
    transfers = [
        Transfer(Account("School <A>", "BE68539007547034", "KREDBEBB"), 12_345, "A" * 32, "text"),
        Transfer(Account("School B", "DE89370400440532013000", ""), 5, "B" * 32, "text"),
    ]
    content = bank_file("M" * 32, NOW, date(2026, 6, 3), debtor, "EUR", transfers)
    document = etree.fromstring(content)
    schema.assertValid(document)
    assert {e.text for e in document.iter("{*}CtrlSum")} == {"123.50"}
    assert content == bank_file("M" * 32, NOW, date(2026, 6, 3), debtor, "EUR", transfers)


def test_payments_are_one_a_provider_with_a_steady_reference() -> None:
    dues = [Due("1", "organisations/b", 5), Due("2", "organisations/a", 7), Due("3", "organisations/b", 6)]
    found = payments("batch", dues)
    assert [(p.organisation, p.cents, p.count) for p in found] == [
        ("organisations/a", 7, 1),
        ("organisations/b", 11, 2),
    ]
    assert [p.reference for p in payments("batch", reversed(dues))] == [p.reference for p in found]


def test_ibans() -> None:
    assert checked_iban("iban", "be68 5390 0754 7034") == "BE68539007547034"
    assert masked_iban("BE68539007547034") == "BE••••••••••7034"
    for wrong in ("BE68539007547035", "XX00", "", "BE6853900754703"):
        with pytest.raises(Refusal, match="IBAN_INVALID"):
            checked_iban("iban", wrong)
