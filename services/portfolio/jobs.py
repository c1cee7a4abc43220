"""What the portfolio does again and again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from waymark.portfolio.v1.events_pb2 import (
    MentoringMatchMoved,
    PathwayStalled,
    ReminderDue,
    RightsRequestDue,
)

from services.platform.db.transaction import transaction
from services.portfolio.app import PortfolioApp
from services.portfolio.domain.pathways import STALLS_AFTER
from services.portfolio.domain.rights import REMINDED
from services.portfolio.reactions.courses import look_on
from services.portfolio.store import (
    emptying,
    issuers,
    kept_contents,
    mentoring_matches,
    read_quota,
    reminders,
    rights_requests,
    stalled,
    vault,
)
from services.portfolio.store.evidence import BUCKET, known_keys

ORPHAN = timedelta(days=1)  # age at which an object that no row names is no upload under way


def rewrap_holder_keys(app: PortfolioApp) -> None:
    """Wraps every data key, and every key that awarding bodies sign by, under the current master key, some
    hundred a transaction; what a rotation leaves to do."""
    while True:
        with transaction(app) as tx:
            if not vault.rewrap(tx, app.keys) + issuers.rewrap(tx, app.keys):
                return


def notice_stalled_pathways(app: PortfolioApp) -> None:
    """Tells of active pathways on which nothing has moved for long, once each, some hundred a transaction."""
    while True:
        with transaction(app) as tx:
            found = stalled.notice(tx, STALLS_AFTER)
            for name in found:
                tx.publish(PathwayStalled(pathway=name))
        if not found:
            return


def look_at_told_courses(app: PortfolioApp) -> None:
    """Looks at the pathways with courses of which the catalogue told, some hundred a transaction."""
    while True:
        with transaction(app) as tx:
            if not look_on(tx):
                return


def tell_reminders(app: PortfolioApp) -> None:
    """Tells of goals and tasks that are due in as long as their owners wished, once each, some hundred a
    transaction."""
    while True:
        with transaction(app) as tx:
            found = reminders.take_due(tx)
            for each in found:
                event = ReminderDue(holder=each.holder, resource=each.resource, task=each.task)
                event.remind_time.FromDatetime(each.at)
                tx.publish(event)
        if not found:
            return


def empty_trash(app: PortfolioApp) -> None:
    """Removes for good what has been in the trash for long, and what nothing but a legal hold kept once it is
    lifted, some hundred a transaction."""
    while True:
        with transaction(app) as tx:
            if not emptying.purge(tx) + kept_contents.purge(tx):
                return


def remind_of_rights_requests(app: PortfolioApp) -> None:
    """Tells of rights requests that must be answered soon, once each, some hundred a transaction."""
    while True:
        with transaction(app) as tx:
            found = rights_requests.remind(tx, REMINDED)
            for each in found:
                tx.publish(RightsRequestDue(rights_request=each.name, due_time=each.due_time))
        if not found:
            return


def end_mentoring(app: PortfolioApp) -> None:
    """Notes and tells the end of mentoring matches whose time is over, some hundred a transaction."""
    while True:
        with transaction(app) as tx:
            found = mentoring_matches.expire(tx)
            for name in found:
                tx.publish(MentoringMatchMoved(mentoring_match=name, to_state="EXPIRED"))
        if not found:
            return


def forget_daily_looks(app: PortfolioApp) -> None:
    """Forgets who looked at whom on days that are over, which the access log says, and alarms of long ago."""
    with transaction(app) as tx:
        read_quota.forget(tx)


def sweep_evidence(app: PortfolioApp) -> None:
    """Deletes files that no row names, and uploads that were never finalized."""

    def known(keys: Sequence[str]) -> Collection[str]:
        with transaction(app, read_only=True) as tx:
            return known_keys(tx, keys)

    app.objects.sweep(BUCKET, known, ORPHAN)
