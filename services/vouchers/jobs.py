"""What happens without anybody calling: time limits, release of held money, checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from waymark.vouchers.v1 import events_pb2

from services.platform.db.transaction import Transaction, transaction
from services.platform.operations.runner import run_due
from services.platform.service import Job
from services.vouchers import (
    allocating,
    importing_facts,
    levying,
    monitoring,
    rebooking,
    reminding,
    simulating,
)
from services.vouchers.api.convert import moment
from services.vouchers.app import VouchersApp
from services.vouchers.checkpointing import checkpoint
from services.vouchers.domain.results import ACCEPTED, MONTHS
from services.vouchers.domain.states import EndReason, VoucherState
from services.vouchers.drawing import draw_opening
from services.vouchers.ending import end_voucher, sweep_voucher
from services.vouchers.job_rounds import BATCH, round_of
from services.vouchers.programme_money import tell_changes
from services.vouchers.programme_terms import tell_untold
from services.vouchers.releasing import release_reservation
from services.vouchers.settlement import AT_ONCE, release_due
from services.vouchers.store import (
    allocations,
    attempts,
    erasures,
    evidence,
    fact_files,
    learner_results,
    levies,
    obligations,
    openings,
    payouts,
    rebookings,
    redemptions,
    retention,
    targets,
    turnover,
    vouchers,
    waiting_list,
    webhooks,
)
from services.vouchers.waiting import lapse, offer
from services.vouchers.webhooks import brief

UNKNOWN_FOR = timedelta(days=1)  # how old what nobody knows must be to go


def expire_reservations(app: VouchersApp) -> None:
    """Ends reservations that nobody authorised in time."""
    with round_of(app) as this:
        this.each(redemptions.timed_out, _expire_reservation)


def expire_vouchers(app: VouchersApp) -> None:
    """Ends vouchers past their validity, and returns what late releases left on ended ones."""
    with round_of(app) as this:
        this.each(vouchers.due_to_expire, lambda tx, key: end_voucher(tx, key, VoucherState.EXPIRED))
        this.each(vouchers.leftovers, sweep_voucher)


def offer_waiting(app: VouchersApp) -> None:
    """Ends offers past their limit, and offers money that is there to those who wait, in order."""
    moved = list[str]()

    def offer_one(entry: str) -> None:
        with transaction(app) as tx:
            if offer(app, tx, entry):
                moved.append(entry)

    with round_of(app) as this:
        this.each(waiting_list.due_to_lapse, lapse)
        stuck = set[str]()
        while True:
            with transaction(app, read_only=True) as tx:
                entries = [entry for entry in waiting_list.first_in_turn(tx) if entry not in stuck]
            moved.clear()
            stuck |= {entry for entry in entries if not this.one(entry, partial(offer_one, entry))}
            if not moved:
                return


def draw_openings(app: VouchersApp) -> None:
    """Draws openings whose window has closed, and goes on with those that were interrupted."""
    with transaction(app, read_only=True) as tx:
        due = openings.due(tx, BATCH)
    with round_of(app) as this:
        for programme, number in due:
            this.one(f"{programme}/openings/{number}", partial(draw_opening, app, programme, number))


def look_at_accepted(app: VouchersApp) -> None:
    """Lets the monitoring rules look at what was accepted."""
    _until_done(app, monitoring.AT_ONCE, _seen(lambda tx: monitoring.check_accepted(app, tx)))


def release_held(app: VouchersApp) -> None:
    """Clears money whose hold delay has passed and that no hold stops."""
    look_at_accepted(app)
    _until_done(app, AT_ONCE, _seen(lambda tx: release_due(app, tx)))


def _seen(step: Callable[[Transaction], int]) -> Callable[[Transaction], int]:
    """Returns the step, for the end of which whoever makes a payout batch waits."""

    def joined(tx: Transaction) -> int:
        payouts.join_releases(tx)
        return step(tx)

    return joined


def rebook(app: VouchersApp) -> None:
    """Offers learners of delisted providers another course; gives the money back where nobody chose. Tells
    those who have nothing booked."""
    with round_of(app) as this:
        this.each(rebookings.stranded, lambda tx, key: rebooking.offer(app, tx, key))
        this.each(rebookings.over, rebooking.expire)
        this.one("unbooked", partial(_tell_unbooked, app))


def _tell_unbooked(app: VouchersApp) -> None:
    _until_done(app, rebooking.AT_ONCE, lambda tx: rebooking.tell_unbooked(app, tx))


def release_cancelled(app: VouchersApp) -> None:
    """Gives the money back of what was reserved, and has not started, for sessions that are cancelled."""
    with round_of(app) as this:
        this.each(rebookings.cancelled, rebooking.end_cancelled)
        with transaction(app) as tx:
            rebookings.note_released(tx)


def ask_outcomes(app: VouchersApp) -> None:
    """Asks learners where they are, six months after acceptance."""
    _until_done(app, BATCH, _ask)


def sweep_evidence(app: VouchersApp) -> None:
    """Deletes uploaded bytes that no evidence row knows, or whose end has come."""
    _sweep(app, evidence.BUCKET, evidence.known_keys)


def sweep_allocations(app: VouchersApp) -> None:
    """Deletes uploaded files that no allocation knows."""
    _sweep(app, allocations.BUCKET, allocations.known_keys)


def sweep_facts(app: VouchersApp) -> None:
    """Deletes files of facts that are not being worked through, however that came."""
    _sweep(app, fact_files.BUCKET, fact_files.known_keys)


def work(app: VouchersApp) -> None:
    """Goes on with work in the background."""
    kinds = {
        allocating.KIND: allocating.allocate,
        importing_facts.KIND: importing_facts.take_in,
        simulating.KIND: simulating.simulate,
    }
    run_due(app, kinds)


def remind_expiring(app: VouchersApp) -> None:
    """Tells, once 30 and once 7 days before, of vouchers with money left that will expire."""
    _until_done(app, reminding.AT_ONCE, reminding.remind_due)


def tell_overdue(app: VouchersApp) -> None:
    """Tells once of trainings that have been over for two weeks and whose money is still set aside."""
    _until_done(app, reminding.AT_ONCE, reminding.tell_overdue)


def forget_attempts(app: VouchersApp) -> None:
    """Deletes counts of wrong codes that matter no more."""
    with transaction(app) as tx:
        attempts.forget(tx)


def expire_levies(app: VouchersApp) -> None:
    """Lets lapse what employers did not claim in time."""
    with round_of(app) as this:
        this.each(levies.due_to_expire, levying.expire)


def watch_targets(app: VouchersApp) -> None:
    """Notes what targets measure this month where the data cannot tell it later, and asks once for each
    review a month before it is due."""
    with transaction(app) as tx:
        targets.note_service_points(tx)
        for row in targets.remind(tx):
            tx.publish(
                events_pb2.TargetReviewDue(
                    target=f"targets/{row.id}", last_review_time=moment(row.reviewed_at)
                )
            )


def watch_obligations(app: VouchersApp) -> None:
    """Tells once of each employer's promise whose last day is over and that nobody has assessed."""
    with transaction(app) as tx:
        for row in obligations.tell_due(tx):
            event = events_pb2.EmployerObligationDue(
                employer_obligation=f"employerObligations/{row.id}",
                employer=row.employer,
                undecided_count=row.undecided,
            )
            tx.publish(event)


def deliver_webhooks(app: VouchersApp) -> None:
    """Starts what is due to back offices; threads of their own wait for the answers and go on."""
    app.webhooks.round()


def erase_webhooks(app: VouchersApp) -> None:
    """Erases what webhooks were told of events that nobody needs any more, such as codes."""
    for event_type, keep in brief().items():
        erase = partial(webhooks.erase, event_type=event_type, keep=keep, limit=BATCH)
        _until_done(app, BATCH, erase)


def forget_webhooks(app: VouchersApp) -> None:
    """Deletes old deliveries that came to an end."""
    _until_done(app, BATCH, lambda tx: webhooks.forget(tx, timedelta(days=30), BATCH))


def forget_erased(app: VouchersApp) -> None:
    """Lets go of those who erased their portfolio and whose last case has come to its end since."""
    _until_done(app, BATCH, lambda tx: erasures.forget(tx, BATCH))


def let_go_of_facts(app: VouchersApp) -> None:
    """Lets go of facts, words and files of closed cases that public money no longer asks for."""
    _until_done(app, BATCH, lambda tx: retention.let_go(tx, BATCH))


def count_turnover(app: VouchersApp) -> None:
    """Counts what moved for providers since the last time, for their statements."""
    while True:
        with transaction(app) as tx:
            if not turnover.count(tx, BATCH):
                return


def _sweep(
    app: VouchersApp, bucket: str, known_keys: Callable[[Transaction, Sequence[str]], set[str]]
) -> None:
    def known(keys: Sequence[str]) -> set[str]:
        with transaction(app, read_only=True) as tx:
            return known_keys(tx, keys)

    app.objects.sweep(bucket, known, UNKNOWN_FOR)


def _expire_reservation(tx: Transaction, redemption: str) -> None:
    row = redemptions.lock_with_money(tx, redemption)
    after = redemptions.redemption_of(row).expire(tx.now)
    release_reservation(tx, row, after, EndReason.TIME_LIMIT)


def _ask(tx: Transaction) -> int:
    rows = learner_results.ask(tx, MONTHS, BATCH)
    for row in rows:
        if row.state in ACCEPTED:
            name = f"redemptions/{row.id}"
            tx.publish(events_pb2.OutcomeAsked(redemption=name, learner=row.learner, course=row.course))
    return len(rows)


def _until_done(app: VouchersApp, at_once: int, step: Callable[[Transaction], int]) -> None:
    """Does a step, which does at most `at_once` and returns how many it did, until one finds less to do; each
    in a transaction of its own."""
    done = at_once
    while done == at_once:
        with transaction(app) as tx:
            done = step(tx)


JOBS = (
    Job("operations", timedelta(seconds=1), work),
    Job("expire-reservations", timedelta(seconds=30), expire_reservations),
    Job("expire-vouchers", timedelta(minutes=10), expire_vouchers),
    Job("offer-waiting", timedelta(seconds=5), offer_waiting),
    Job("draw-openings", timedelta(seconds=5), draw_openings),
    Job("look-at-accepted", timedelta(seconds=5), look_at_accepted),
    Job("release-held", timedelta(minutes=1), release_held),
    Job("rebook", timedelta(minutes=1), rebook),
    Job("release-cancelled", timedelta(seconds=5), release_cancelled),
    Job("ask-outcomes", timedelta(hours=1), ask_outcomes),
    Job("count-turnover", timedelta(minutes=1), count_turnover),
    Job("ledger-checkpoint", timedelta(minutes=5), checkpoint),
    Job("remind-expiring", timedelta(hours=1), remind_expiring),
    Job("tell-overdue", timedelta(hours=1), tell_overdue),
    Job("forget-attempts", timedelta(hours=6), forget_attempts),
    Job("expire-levies", timedelta(hours=1), expire_levies),
    Job("watch-targets", timedelta(hours=1), watch_targets),
    Job("watch-obligations", timedelta(hours=1), watch_obligations),
    Job("tell-terms", timedelta(minutes=10), tell_untold),
    Job("tell-money", timedelta(seconds=5), tell_changes),
    Job("deliver-webhooks", timedelta(seconds=2), deliver_webhooks),
    Job("erase-webhooks", timedelta(minutes=1), erase_webhooks),
    Job("forget-webhooks", timedelta(hours=6), forget_webhooks),
    Job("forget-erased", timedelta(hours=1), forget_erased),
    Job("let-go-of-facts", timedelta(days=1), let_go_of_facts),
    Job("sweep-evidence", timedelta(hours=6), sweep_evidence),
    Job("sweep-allocations", timedelta(hours=6), sweep_allocations),
    Job("sweep-facts", timedelta(hours=1), sweep_facts),
)
