"""OrganisationService, the accreditations of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row
from waymark.catalogue.v1 import organisation_pb2
from waymark.catalogue.v1.organisation_pb2 import (
    GrantAccreditationRequest,
    ReviewAccreditationRequest,
    WithdrawAccreditationRequest,
)
from waymark.errors.v1 import reason_pb2

from services.catalogue import events
from services.catalogue.api.messages import day, day_or, last, optional_day, part, put_date
from services.catalogue.domain.accreditation import (
    ALL,
    Accreditation,
    Criterion,
    Scope,
    check_criteria,
    check_grant,
    check_holds,
    check_review,
    score,
)
from services.catalogue.domain.closing import check_open
from services.catalogue.store import organisations, quality_holds
from services.platform.app import App
from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction, transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation


class AccreditationApi:
    """Who may take vouchers."""

    def __init__(self, app: App) -> None:
        self.app = app

    @mutation
    def GrantAccreditation(
        self, tx: Transaction, request: GrantAccreditationRequest
    ) -> organisation_pb2.Accreditation:
        organisation = last(request.parent)
        check_open(organisations.read(tx.connection, organisation, lock=True).close_time)
        valid_from = day_or(request, "valid_from", tx.today)
        valid_to = day(request.valid_to, "valid_to")
        held = organisations.accreditations_of(tx.connection, [organisation])[organisation]
        review, criteria = optional_day(request, "review_date"), _criteria(request)
        told = criteria, review, _scope(request.scope), tuple(request.evidence)
        added = Accreditation(new_id(), valid_from, valid_to, request.scheme, None, *told)
        check_grant(held, added, request.parent)
        check_review(review, valid_from, valid_to)
        check_criteria(criteria)
        organisations.add_accreditation(tx, organisation, added)
        if added.scope.isced_f:  # of which others may not have heard
            organisations.have_told(tx, organisation)
        announce(tx, organisation)
        return accreditation_message(organisation, added)

    @mutation
    def ReviewAccreditation(
        self, tx: Transaction, request: ReviewAccreditationRequest
    ) -> organisation_pb2.Accreditation:
        organisation, accreditation = part(request.name, 1), last(request.name)
        organisations.read(tx.connection, organisation, lock=True)
        held = _find(tx, organisation, accreditation)
        check_holds(held, tx.today)
        review, criteria = optional_day(request, "review_date"), _criteria(request)
        check_review(review, max(held.valid_from, tx.today), held.valid_to)
        check_criteria(criteria)
        organisations.review(tx, accreditation, criteria, review)
        return accreditation_message(organisation, _find(tx, organisation, accreditation))

    @mutation
    def WithdrawAccreditation(
        self, tx: Transaction, request: WithdrawAccreditationRequest
    ) -> organisation_pb2.Accreditation:
        organisation, accreditation = part(request.name, 1), last(request.name)
        organisations.read(tx.connection, organisation, lock=True)
        check_holds(_find(tx, organisation, accreditation), tx.today)
        organisations.withdraw(tx, accreditation, request.reason)
        announce(tx, organisation)
        return accreditation_message(organisation, _find(tx, organisation, accreditation))


def restore(tx: Transaction, organisation: str, accreditation: str) -> None:
    """Makes a withdrawn accreditation stand again for the days it was granted for.

    Raises Refusal: WRONG_STATE where the organisation was closed, ACCREDITATION_OVERLAPS where another took
    its place.
    """
    check_open(organisations.read(tx.connection, organisation, lock=True).close_time)
    held = organisations.accreditations_of(tx.connection, [organisation])[organisation]
    check_grant(held, _find(tx, organisation, accreditation), f"organisations/{organisation}")
    organisations.take_back_withdrawal(tx, accreditation)
    announce(tx, organisation)


def _find(tx: Transaction, organisation: str, accreditation: str) -> Accreditation:
    held = organisations.accreditations_of(tx.connection, [organisation])[organisation]
    for found in held:
        if found.id == accreditation:
            return found
    raise Refusal(reason_pb2.REASON_NOT_FOUND, "There is no such accreditation.")


def announce(tx: Transaction, organisation: str, **values: Any) -> Row[Any]:
    """Changes columns (none: only the version) and publishes the organisation's state; returns its row."""
    row = organisations.change(tx, organisation, **values)
    event = events.organisation_changed(
        organisation,
        row.version,
        organisations.accreditations_of(tx.connection, [organisation])[organisation],
        tx.today,
        held=quality_holds.is_open(tx, f"organisations/{organisation}"),
        addresses=organisations.addresses(tx, organisation),
    )
    tx.publish(event)
    return row


def announce_begun(app: App) -> None:
    """Publishes the state of organisations whose accreditation has come into force; a job."""
    with transaction(app) as tx:
        for organisation in organisations.begun(tx):
            announce(tx, organisation)


def announce_run_out(app: App) -> None:
    """Publishes the state of organisations whose accreditation has run out; a job."""
    with transaction(app) as tx:
        for organisation in organisations.run_out(tx):
            announce(tx, organisation)


def ask_for_reviews(app: App) -> None:
    """Asks once for each review of an accreditation, a month before it is due; a job."""
    with transaction(app) as tx:
        for row in organisations.to_review(tx):
            tx.publish(events.accreditation_review_due(row))


def _criteria(request: GrantAccreditationRequest | ReviewAccreditationRequest) -> tuple[Criterion, ...]:
    return tuple(
        Criterion(each.code, each.score, each.minimum, each.weight or 1) for each in request.criteria
    )


def _scope(given: organisation_pb2.AccreditationScope) -> Scope:
    codes = tuple(sorted(given.isced_f_codes)), tuple(sorted(given.eqf_levels))
    return Scope(*codes, tuple(sorted(given.nuts_codes)))


def accreditation_message(organisation: str, held: Accreditation) -> organisation_pb2.Accreditation:
    """Returns the message of an accreditation."""
    answer = organisation_pb2.Accreditation(
        name=f"organisations/{organisation}/accreditations/{held.id}",
        scheme=held.scheme,
        score=score(held.criteria),
    )
    answer.evidence.extend(held.evidence)
    if held.scope != ALL:
        answer.scope.isced_f_codes.extend(held.scope.isced_f)
        answer.scope.eqf_levels.extend(held.scope.eqf)
        answer.scope.nuts_codes.extend(held.scope.nuts)
    for each in held.criteria:
        answer.criteria.add(**asdict(each))
    put_date(answer.review_date, held.review_date)
    put_date(answer.valid_from, held.valid_from)
    put_date(answer.valid_to, held.valid_to)
    if held.withdraw_time is not None:
        answer.withdraw_time.FromDatetime(held.withdraw_time)
    return answer
