"""RedemptionService: reserve → authorise → start → deliver → accept, and the ways out.

Each step is one statement that locks and reads, sent with BEGIN, a decision of the domain, and one statement
that writes, sent with COMMIT.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import events_pb2, redemption_pb2_grpc
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.db.wire import Call, Named
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import moment
from services.vouchers.api.evidence import EvidenceMethods
from services.vouchers.api.redemption_messages import changed, redemption_messages, ref
from services.vouchers.api.reservation import reserve, reserving
from services.vouchers.app import VouchersApp
from services.vouchers.authorising import agree, send_code
from services.vouchers.clawing_back import claw_back
from services.vouchers.desk import never_ones_own
from services.vouchers.domain import bookings, payment
from services.vouchers.domain.money import checked_cents, money
from services.vouchers.domain.redemption import Redemption
from services.vouchers.domain.sandbox import is_sandbox, keep_apart
from services.vouchers.domain.states import EndReason, VoucherState
from services.vouchers.ending import tell_ended
from services.vouchers.relationships import learner_of
from services.vouchers.releasing import release_reservation
from services.vouchers.store import evidence, ledger, names, offers, receivables, redemptions, vouchers
from services.vouchers.store.tables import redemptions as table


def stepping(request: Any) -> list[Call]:
    """Returns the lock of a step that moves no money, to be sent with BEGIN."""
    return _locking(redemptions.LOCK, request)


def _agreeing(request: pb.AuthoriseRedemptionRequest) -> list[Call]:
    # A wrong code is counted in a transaction of its own, so this one is no member of a group, which may run
    # again.
    return [] if request.code else stepping(request)


def settling(request: Any) -> list[Call]:
    """Returns the lock of a step that moves money, to be sent with BEGIN."""
    return _locking(redemptions.LOCK_WITH_MONEY, request)


def asked(request: Any, currency: str) -> int:
    """Returns the cents that a request names; 0 for all there is."""
    return checked_cents("amount", request.amount, currency) if request.HasField("amount") else 0


def _locking(lock: Named, request: Any) -> list[Call]:
    # A name that cannot exist is refused after the relationship was asked, like one that does not.
    redemption = names.uuid_if_any(request.name, "redemptions")
    return [lock(id=redemption)] if redemption else []


def authorise(app: VouchersApp, tx: Transaction, row: Any) -> pb.Redemption:
    """Writes that the learner of a locked redemption agrees; returns it. Raises Refusal: WRONG_STATE,
    RESERVATION_EXPIRED."""
    moved = redemptions.redemption_of(row).authorise(tx.now)
    tx.publish(events_pb2.RedemptionAuthorised(ref=ref(row)))
    return changed(app, tx, row, redemptions.move(tx, row, moved))


def accept(app: VouchersApp, tx: Transaction, row: Any, cents: int) -> dict[str, Any]:
    """Accepts `cents` (0: all that is allowed) of a delivery that `redemptions.lock_with_money` returned;
    returns what changed in the row. Raises Refusal: WRONG_STATE, AMOUNT_TOO_HIGH."""
    rules = app.rules(tx, row.programme_id, row.version_number)
    due = rules.due(redemptions.redemption_of(row))
    release_at = rules.release_time(due, tx.now, row.last_day)
    act = _accept_last if due.last else _accept_part
    return act(tx, row, cents, due.cents, release_at)


def _accept_last(tx: Transaction, row: Any, cents: int, limit: int, release_at: Any) -> dict[str, Any]:
    before = redemptions.redemption_of(row)
    after = before.accept(cents, limit)
    voucher = vouchers.voucher_of(row).spend(before.amount, after.accepted)
    name = f"redemptions/{row.id}"
    booking = bookings.accept(new_id(), f"vouchers/{voucher.id}", name, before.amount, after.accepted)
    head = ledger.head_of(row)
    written = redemptions.resolve(tx, head, voucher, after, booking, release_at=release_at)
    amount, no_show = money(after.accepted, row.currency), after.no_show is not None
    tx.publish(events_pb2.RedemptionAccepted(ref=ref(row), amount=amount, no_show=no_show))
    if voucher.state is VoucherState.EXHAUSTED:
        tell_ended(tx, row, f"vouchers/{voucher.id}", voucher.state, 0)
    return written


def _accept_part(tx: Transaction, row: Any, cents: int, limit: int, release_at: Any) -> dict[str, Any]:
    left, part = redemptions.redemption_of(row).accept_part(new_id(), cents, limit)
    voucher = vouchers.voucher_of(row).spend(part.amount, part.accepted)
    name = f"redemptions/{part.id}"
    booking = bookings.accept(new_id(), f"vouchers/{voucher.id}", name, part.amount, part.accepted)
    head = ledger.head_of(row)
    written = redemptions.take_out(tx, head, voucher, left, part, booking, release_at=release_at)
    amount = money(part.accepted, row.currency)
    tx.publish(events_pb2.InstalmentAccepted(ref=ref(row), part=name, number=part.instalment, amount=amount))
    return written


def end(
    app: VouchersApp, tx: Transaction, row: Any, after: Redemption, reason_code: int, note: str = ""
) -> pb.Redemption:
    """Ends a redemption locked with its money without payment, as `after` says; returns it."""
    sealed = app.notes.seal(f"redemptions/{row.id}", note)
    written = release_reservation(tx, row, after, reason_code, sealed)
    return changed(app, tx, row, written)


def take_back(
    app: VouchersApp, tx: Transaction, row: Any, request: Any, note: str = "", **how: bool
) -> pb.Redemption:
    """Takes what a request names (`amount`, `reason_code`) of a redemption that
    `receivables.lock_redemption` returned, as `claw_back` does; returns it."""
    sealed = app.notes.seal(f"redemptions/{row.id}", note)
    cents = asked(request, row.currency)
    most = app.rules(tx, row.programme_id, row.version_number).period_limit(row.budget_end)
    written = claw_back(tx, row, cents, reason=request.reason_code, note=sealed, most=most, **how)
    return redemption_messages(app, tx, [written])[0]


class RedemptionApi(EvidenceMethods, redemption_pb2_grpc.RedemptionServiceServicer):
    """Spends vouchers on sessions."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation(ahead=reserving)
    def ReserveRedemption(self, tx: Transaction, request: pb.ReserveRedemptionRequest) -> pb.Redemption:
        return reserve(self.app, tx, request)

    @mutation(ahead=stepping)
    def SendAuthorisationCode(
        self, tx: Transaction, request: pb.SendAuthorisationCodeRequest
    ) -> pb.SendAuthorisationCodeResponse:
        row = redemptions.lock(tx, names.uuid_in(request.name, "redemptions"))
        keep_apart(row.currency)
        kept = send_code(self.app, tx, row)
        return pb.SendAuthorisationCodeResponse(expire_time=moment(kept.expires_at), tries=kept.tries_left)

    @mutation(ahead=_agreeing)
    def AuthoriseRedemption(self, tx: Transaction, request: pb.AuthoriseRedemptionRequest) -> pb.Redemption:
        row = redemptions.lock(tx, names.uuid_in(request.name, "redemptions"))
        keep_apart(row.currency)
        redemptions.redemption_of(row).need_waiting(tx.now)
        agree(self.app, tx, row, request.code)
        return authorise(self.app, tx, row)

    @mutation(ahead=stepping)
    def StartRedemption(self, tx: Transaction, request: pb.StartRedemptionRequest) -> pb.Redemption:
        row = redemptions.lock(tx, names.uuid_in(request.name, "redemptions"))
        # Who tests an integration does not wait for a day to come.
        first_day = None if is_sandbox(row.currency) else row.first_day
        moved = redemptions.redemption_of(row).start(tx.now, first_day)
        rules = self.app.rules(tx, row.programme_id, row.version_number)
        required = rules.version.course_rule.accreditation_required
        if required and not offers.accredited(tx, row.organisation, row.session, tx.today):
            raise Refusal(reason_pb2.REASON_PROVIDER_NOT_ACCREDITED)
        tx.publish(events_pb2.RedemptionStarted(ref=ref(row)))
        return changed(self.app, tx, row, redemptions.move(tx, row, moved))

    @mutation(ahead=settling)
    def AcceptRedemption(self, tx: Transaction, request: pb.AcceptRedemptionRequest) -> pb.Redemption:
        row = redemptions.lock_with_money(tx, names.uuid_in(request.name, "redemptions"))
        keep_apart(row.currency)
        never_ones_own(tx, row.learner)
        return changed(self.app, tx, row, accept(self.app, tx, row, asked(request, row.currency)))

    @mutation(ahead=stepping)
    def ReturnDelivery(self, tx: Transaction, request: pb.ReturnDeliveryRequest) -> pb.Redemption:
        row = redemptions.lock(tx, names.uuid_in(request.name, "redemptions"))
        keep_apart(row.currency)
        never_ones_own(tx, row.learner)
        moved = redemptions.redemption_of(row).send_back()
        evidence.send_back(tx, row)
        reason = pb.Redemption.EndReason.Name(request.reason_code).removeprefix("END_REASON_")
        tx.publish(events_pb2.DeliveryReturned(ref=ref(row), reason=reason))
        note = self.app.notes.seal(request.name, request.reason)
        said = {"evidence": [], "end_reason": int(request.reason_code), "sealed_note": note}
        return changed(self.app, tx, row, redemptions.move(tx, row, moved, **said))

    @mutation(ahead=settling)
    def RejectRedemption(self, tx: Transaction, request: pb.RejectRedemptionRequest) -> pb.Redemption:
        row = redemptions.lock_with_money(tx, names.uuid_in(request.name, "redemptions"))
        keep_apart(row.currency)
        never_ones_own(tx, row.learner)
        after = redemptions.redemption_of(row).reject()
        return end(self.app, tx, row, after, request.reason_code, request.reason)

    @mutation(ahead=settling)
    def VoidRedemption(self, tx: Transaction, request: pb.VoidRedemptionRequest) -> pb.Redemption:
        row = redemptions.lock_with_money(tx, names.uuid_in(request.name, "redemptions"))
        by_learner = row.learner == learner_of(tx.principal)
        after = redemptions.redemption_of(row).void(by_learner=by_learner)
        return end(self.app, tx, row, after, request.reason_code, request.reason)

    @mutation(ahead=settling)
    def ReportNoShow(self, tx: Transaction, request: pb.ReportNoShowRequest) -> pb.Redemption:
        row = redemptions.lock_with_money(tx, names.uuid_in(request.name, "redemptions"))
        never_ones_own(tx, row.learner)
        before = redemptions.redemption_of(row)
        rules = self.app.rules(tx, row.programme_id, row.version_number)
        fee = payment.no_show_fee(rules.version.payment_rule, before.amount)
        after = before.miss(tx.now, row.first_day, fee)
        tx.publish(events_pb2.NoShowReported(ref=ref(row), amount=money(fee, row.currency)))
        if fee:
            written = redemptions.move(tx, row, after)
        else:
            written = release_reservation(tx, row, after, EndReason.NOT_ATTENDED)
        return changed(self.app, tx, row, written)

    @mutation
    def ClawBackRedemption(self, tx: Transaction, request: pb.ClawBackRedemptionRequest) -> pb.Redemption:
        row = receivables.lock_redemption(tx, names.uuid_in(request.name, "redemptions"))
        keep_apart(row.currency)
        never_ones_own(tx, row.learner)
        return take_back(self.app, tx, row, request, request.reason, at_fault=request.learner_at_fault)

    @mutation
    def RefundRedemption(self, tx: Transaction, request: pb.RefundRedemptionRequest) -> pb.Redemption:
        row = receivables.lock_redemption(tx, names.uuid_in(request.name, "redemptions"))
        return take_back(self.app, tx, row, request, request.reason, refund=True)

    @query
    def GetRedemption(self, tx: Transaction, request: pb.GetRedemptionRequest) -> pb.Redemption:
        row = redemptions.get(tx, names.uuid_in(request.name, "redemptions"))
        return redemption_messages(self.app, tx, [row])[0]

    @query
    def ListRedemptions(
        self, tx: Transaction, request: pb.ListRedemptionsRequest
    ) -> pb.ListRedemptionsResponse:
        filters: dict[str, str | int] = {
            "learner": request.learner,
            "organisation": request.organisation,
            "state": int(request.state),
            "session_over_days": request.session_over_days,
            "sandbox": request.sandbox,
        }
        over = request.session_over_days
        ended_by = tx.today - timedelta(days=over) if over else None
        found = page(
            tx,
            self.app.signer,
            redemptions.listed(
                request.learner, request.organisation, request.state, ended_by, sandbox=request.sandbox
            ),
            order_by=[table.c.id.asc() if ended_by else table.c.id.desc()],
            request=request,
            filters=filters,
        )
        return pb.ListRedemptionsResponse(
            redemptions=redemption_messages(self.app, tx, found.rows),
            next_page_token=found.next_page_token,
        )
