"""Every movement of money as postings; nothing else in the service makes any."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from services.vouchers.domain.clawback import Taken
from services.vouchers.domain.ledger import Booking, Kind, Posting


def fund(booking: str, source: str, pot: str, cents: int) -> Booking:
    """Money of a funding source becomes available in a pot."""
    return _move(booking, "fund", pot, (Kind.FUNDER, source), (Kind.PROGRAMME_AVAILABLE, pot), cents)


def return_funds(booking: str, source: str, pot: str, cents: int) -> Booking:
    """Money of a pot that nobody was granted goes back to its funding source."""
    return _move(booking, "fundback", pot, (Kind.PROGRAMME_AVAILABLE, pot), (Kind.FUNDER, source), cents)


def issue(booking: str, pot: str, voucher: str, cents: int) -> Booking:
    """A grant: the pot gives a voucher its value. Redeeming then touches no shared account."""
    here = (Kind.PROGRAMME_AVAILABLE, pot)
    return _move(booking, "issue", voucher, here, (Kind.VOUCHER_AVAILABLE, voucher), cents)


def offer(booking: str, pot: str, entry: str, cents: int) -> Booking:
    """Money of a pot is set aside for somebody on the waiting list. It is still the programme's."""
    here = (Kind.PROGRAMME_AVAILABLE, pot)
    return _move(booking, "offer", entry, here, (Kind.PROGRAMME_AVAILABLE, entry), cents)


def end_offer(booking: str, pot: str, entry: str, cents: int) -> Booking:
    """An offer ends, however it does: what was set aside is the pot's again."""
    here = (Kind.PROGRAMME_AVAILABLE, entry)
    return _move(booking, "offer-end", entry, here, (Kind.PROGRAMME_AVAILABLE, pot), cents)


def reserve(booking: str, voucher: str, redemption: str, cents: int) -> Booking:
    """Value of a voucher is set aside for a session."""
    here = (Kind.VOUCHER_AVAILABLE, voucher)
    return _move(booking, "reserve", redemption, here, (Kind.VOUCHER_RESERVED, voucher), cents)


def unreserve(booking: str, operation: str, voucher: str, redemption: str, cents: int) -> Booking:
    """A reservation ends without payment. `operation`: `void`, `timeout` or `reject`."""
    here = (Kind.VOUCHER_RESERVED, voucher)
    return _move(booking, operation, redemption, here, (Kind.VOUCHER_AVAILABLE, voucher), cents)


def accept(booking: str, voucher: str, redemption: str, reserved: int, accepted: int) -> Booking:
    """The accepted part becomes the provider's, held; the rest returns to the voucher."""
    return Booking(
        booking,
        "accept",
        redemption,
        (
            Posting(Kind.VOUCHER_RESERVED, voucher, -reserved),
            Posting(Kind.PROVIDER_HELD, redemption, accepted),
            Posting(Kind.VOUCHER_AVAILABLE, voucher, reserved - accepted),
        ),
    )


def release(booking: str, redemption: str, cents: int) -> Booking:
    """The hold delay has passed: the provider's money may be paid out."""
    here = (Kind.PROVIDER_HELD, redemption)
    return _move(booking, "release", redemption, here, (Kind.PROVIDER_CLEARED, redemption), cents)


def payout(
    booking: str, redemption: str, batch: str, cents: int, against: Iterable[tuple[str, int]] = ()
) -> Booking:
    """An approved batch pays a redemption, or what else was approved: `cents` by the bank, more `against`
    receivables (name, cents)."""
    set_off = tuple(Posting(Kind.PROVIDER_RECEIVABLE, name, part) for name, part in against)
    due = cents + sum(posting.cents for posting in set_off)
    paid = Posting(Kind.BANK_CLEARING, batch, cents)
    return Booking(
        booking, "payout", redemption, (Posting(Kind.PROVIDER_CLEARED, redemption, -due), paid, *set_off)
    )


def payout_return(booking: str, redemption: str, batch: str, cents: int, source: str = "") -> Booking:
    """The bank returned a payment, or its batch was given up before: the provider is owed again what it was
    to pay of a redemption. `source`: the investor as which the payee counted as repaid."""
    here = (Kind.FUNDER, source) if source else (Kind.BANK_CLEARING, batch)
    return _move(booking, "return", redemption, here, (Kind.PROVIDER_CLEARED, redemption), cents)


def claw_back(
    booking: str, redemption: str, taken: Taken, receivable: str, taker: str, *, restore: bool
) -> Booking:
    """Accepted money is taken back from the provider. `taker`: the voucher (`restore`) or its pot."""
    kind = Kind.VOUCHER_AVAILABLE if restore else Kind.PROGRAMME_AVAILABLE
    return Booking(
        booking,
        "clawback",
        redemption,
        (
            Posting(Kind.PROVIDER_HELD, redemption, -taken.held),
            Posting(Kind.PROVIDER_CLEARED, redemption, -taken.cleared),
            Posting(Kind.PROVIDER_RECEIVABLE, receivable, -taken.receivable),
            Posting(kind, taker, taken.cents),
        ),
    )


def write_off(booking: str, redemption: str, receivable: str, organisation: str, cents: int) -> Booking:
    """What a provider owes back of a redemption is given up: a loss."""
    here = (Kind.WRITE_OFF, organisation)
    return _move(booking, "writeoff", redemption, here, (Kind.PROVIDER_RECEIVABLE, receivable), cents)


def pay_back(booking: str, redemption: str, receivable: str, cents: int) -> Booking:
    """A provider paid of what it owes back by itself."""
    here = (Kind.BANK_CLEARING, receivable)
    return _move(booking, "payback", redemption, here, (Kind.PROVIDER_RECEIVABLE, receivable), cents)


def undo_pay_back(booking: str, redemption: str, receivable: str, cents: int) -> Booking:
    """It was noted wrongly that a provider had paid."""
    here = (Kind.PROVIDER_RECEIVABLE, receivable)
    return _move(booking, "paybackundone", redemption, here, (Kind.BANK_CLEARING, receivable), cents)


def give_back(booking: str, operation: str, voucher: str, pot: str, cents: int) -> Booking:
    """What a voucher still holds returns to its pot. `operation`: `expiry`, `cancel` or `revoke`."""
    here = (Kind.VOUCHER_AVAILABLE, voucher)
    return _move(booking, operation, voucher, here, (Kind.PROGRAMME_AVAILABLE, pot), cents)


def contribute(booking: str, source: str, account: str, cents: int) -> Booking:
    """An employer's contribution for a month comes into its levy account."""
    return _move(booking, "contribute", account, (Kind.FUNDER, source), (Kind.LEVY, account), cents)


def correct_contribution(booking: str, source: str, account: str, cents: int) -> Booking:
    """An employer's contribution for a month had been so much too low; below zero: too high."""
    giver, taker = (Kind.FUNDER, source), (Kind.LEVY, account)
    if cents < 0:
        giver, taker = taker, giver
    return _move(booking, "contributefix", account, giver, taker, abs(cents))


def claim_levy(booking: str, account: str, claim: str, cents: int) -> Booking:
    """An approved claim may be paid to an employer out of its levy account."""
    return _move(booking, "levyclaim", claim, (Kind.LEVY, account), (Kind.PROVIDER_CLEARED, claim), cents)


def expire_levy(booking: str, source: str, account: str, cents: int) -> Booking:
    """What an employer left of a year's contributions goes back to the levy's funding source."""
    return _move(booking, "levyexpiry", account, (Kind.LEVY, account), (Kind.FUNDER, source), cents)


def invest(booking: str, contract: str, investors: Iterable[tuple[str, int]]) -> Booking:
    """Investors (funding source, cents) put money into an outcome contract."""
    given = tuple(Posting(Kind.FUNDER, source, -cents) for source, cents in investors)
    total = -sum(posting.cents for posting in given)
    return Booking(booking, "invest", contract, (*given, Posting(Kind.CONTRACT_AVAILABLE, contract, total)))


def release_tranche(booking: str, contract: str, milestone: str, cents: int, *, payable: bool) -> Booking:
    """A milestone that was reached releases money of an outcome contract to its operator. `payable`: by a
    batch."""
    here = (Kind.CONTRACT_AVAILABLE, contract)
    return _move(booking, "tranche", contract, here, (_towards(payable=payable), milestone), cents)


class Back(NamedTuple):
    """What an investor (funding source) has back, by a batch that pays `subject`; outside where that is
    empty."""

    source: str
    subject: str
    cents: int

    @property
    def posting(self) -> Posting:
        """Where it goes: what a batch pays does not count as repaid before the bank has confirmed it."""
        owner = (Kind.PROVIDER_CLEARED, self.subject) if self.subject else (Kind.FUNDER, self.source)
        return Posting(*owner, self.cents)


def return_unspent(booking: str, contract: str, investors: Iterable[Back]) -> Booking:
    """What no tranche released goes back to the investors."""
    return _give_back(booking, "unspent", contract, (Kind.CONTRACT_AVAILABLE, contract), investors)


def repay(booking: str, contract: str, payer: str, investors: Iterable[Back]) -> Booking:
    """The payer of an outcome contract repays its investors for results."""
    return _give_back(booking, "repay", contract, (Kind.FUNDER, payer), investors)


def confirm_repaid(booking: str, subject: str, batch: str, source: str, cents: int) -> Booking:
    """The bank confirmed a payment to an investor: now it counts as repaid."""
    return _move(booking, "repaid", subject, (Kind.BANK_CLEARING, batch), (Kind.FUNDER, source), cents)


def train(booking: str, trainee: str, parts: Iterable[tuple[str, int]], *, payable: bool) -> Booking:
    """Several payers (funding source, cents) pay the training of a trainee. `payable`: by a batch."""
    paid = tuple(Posting(Kind.FUNDER, source, -cents) for source, cents in parts)
    total = -sum(posting.cents for posting in paid)
    return Booking(booking, "train", trainee, (*paid, Posting(_towards(payable=payable), trainee, total)))


def owe_for_trainees(booking: str, obligation: str, creditor: str, cents: int) -> Booking:
    """An employer owes a funding source for trainees it did not hire."""
    here = (Kind.EMPLOYER_RECEIVABLE, obligation)
    return _move(booking, "shortfall", obligation, here, (Kind.FUNDER, creditor), cents)


def owe_less_for_trainees(booking: str, obligation: str, creditor: str, cents: int) -> Booking:
    """Of what an employer owed a funding source, a corrected hiring takes something away."""
    here = (Kind.EMPLOYER_RECEIVABLE, obligation)
    return _move(booking, "shortfallless", obligation, (Kind.FUNDER, creditor), here, cents)


def pay_for_trainees(booking: str, obligation: str, cents: int) -> Booking:
    """An employer paid of what it owes."""
    here = (Kind.BANK_CLEARING, obligation)
    return _move(booking, "shortfallpaid", obligation, here, (Kind.EMPLOYER_RECEIVABLE, obligation), cents)


def undo_pay_for_trainees(booking: str, obligation: str, cents: int) -> Booking:
    """It was noted wrongly that an employer had paid."""
    here = (Kind.EMPLOYER_RECEIVABLE, obligation)
    return _move(booking, "shortfallundone", obligation, here, (Kind.BANK_CLEARING, obligation), cents)


def write_off_for_trainees(booking: str, obligation: str, employer: str, cents: int) -> Booking:
    """What an employer still owes is given up: a loss."""
    here = (Kind.WRITE_OFF, employer)
    return _move(booking, "shortfalloff", obligation, here, (Kind.EMPLOYER_RECEIVABLE, obligation), cents)


def _towards(*, payable: bool) -> Kind:
    """Where approved money goes: a batch pays it, or somebody outside of Waymark does."""
    return Kind.PROVIDER_CLEARED if payable else Kind.BANK_CLEARING


def _give_back(
    booking: str, operation: str, contract: str, giver: tuple[Kind, str], investors: Iterable[Back]
) -> Booking:
    back = tuple(investor.posting for investor in investors)
    total = sum(posting.cents for posting in back)
    return Booking(booking, operation, contract, (Posting(*giver, -total), *back))


def _move(
    booking: str,
    operation: str,
    reference: str,
    giver: tuple[Kind, str],
    taker: tuple[Kind, str],
    cents: int,
) -> Booking:
    return Booking(booking, operation, reference, (Posting(*giver, -cents), Posting(*taker, cents)))
