"""A portfolio as a document: what of it is written, and what of it a format does not carry."""

from __future__ import annotations

from datetime import datetime
from itertools import chain, islice
from typing import NamedTuple

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1.cv_pb2 import Cv as Version
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.goal_pb2 import Goal
from waymark.portfolio.v1.journal_entry_pb2 import JournalEntry
from waymark.portfolio.v1.page_pb2 import Page
from waymark.portfolio.v1.plan_pb2 import Plan
from waymark.portfolio.v1.remainder_pb2 import Remainder
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio

from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.portfolio.domain import names, quotas
from services.portfolio.domain.dates import refuse
from services.portfolio.domain.scan_states import is_served
from services.portfolio.formats.anonymous import anonymised
from services.portfolio.formats.format import Cv
from services.portfolio.formats.formats import FORMATS
from services.portfolio.formats.losses import losses
from services.portfolio.store import holders, remainders
from services.portfolio.store.cvs import CVS
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.evidence import EVIDENCE
from services.portfolio.store.pages import PAGES
from services.portfolio.store.planning import GOALS, JOURNAL, PLANS
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.vault import Vault

LEAP2A = pb.DOCUMENT_FORMAT_LEAP2A  # carries files
LAID_OUT = (pb.DOCUMENT_FORMAT_HTML, pb.DOCUMENT_FORMAT_PDF)
MOST_TOLD = 1000


class Planning(NamedTuple):
    """Journal, plans, goals and pages of a holder."""

    journal: tuple[JournalEntry, ...] = ()
    plans: tuple[Plan, ...] = ()
    goals: tuple[Goal, ...] = ()
    pages: tuple[Page, ...] = ()


class Material(NamedTuple):
    """What a document is made of: of a portfolio, and the version of the CV that was asked for, or an empty
    one. `withheld`: names of evidence whose files the caller may not have. `planning` is empty unless it was
    asked for."""

    portfolio: SharedPortfolio
    version: Version
    withheld: frozenset[str]
    planning: Planning
    remainders: tuple[Remainder, ...] = ()


def gathered(tx: Transaction, vault: Vault, request: pb.ExportDocumentRequest) -> Material:
    """Reads what a document is made of. Raises Refusal(NOT_FOUND) for a version, or an entry that the request
    names, that is not there, and INVALID_ARGUMENT for a letter, journal or plans that cannot be written."""
    version = _version(tx, vault, request)
    entries = ENTRIES.newest(tx, vault, quotas.LIMITS["entries"])
    by_name = {entry.name: entry for entry in entries}
    if not by_name.keys() >= set(request.entries):
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    if wanted := request.entries or version.entries:
        entries = [by_name[name] for name in dict.fromkeys(wanted) if name in by_name]
    stored = int(Evidence.STATE_STORED)
    own = tx.principal.subject == vault.holder
    planning = _planning(tx, vault, request) if request.journal_and_plans else Planning()
    portfolio = SharedPortfolio(
        holder=holders.get(tx, vault),
        entries=entries,
        skill_claims=SKILL_CLAIMS.newest(tx, vault, quotas.LIMITS["skill_claims"]),
        evidence=EVIDENCE.newest(tx, vault, quotas.LIMITS["evidence"], state=stored),
    )
    withheld = (each.name for each in portfolio.evidence if not is_served(each, to_holder=own))
    return Material(portfolio, version, frozenset(withheld), planning, _remainders(tx, vault, request))


def _remainders(tx: Transaction, vault: Vault, request: pb.ExportDocumentRequest) -> tuple[Remainder, ...]:
    """Returns what goes back into the document: only of the whole portfolio, and only to the holder."""
    some = request.without_remainders or request.anonymous or request.entries or request.cv
    if some or tx.principal.subject != vault.holder:
        return ()
    return tuple(remainders.of_format(tx, vault, request.format))


def _planning(tx: Transaction, vault: Vault, request: pb.ExportDocumentRequest) -> Planning:
    if tx.principal.subject != vault.holder:
        refuse([Violation("journal_and_plans", "are for the holder alone")])
    if request.format != LEAP2A or request.anonymous:
        refuse([Violation("journal_and_plans", "are written as Leap2A only, and never anonymous")])
    plans = PLANS.all(tx, vault)
    for task in (task for plan in plans for task in plan.tasks):
        task.ClearField("id")  # of this portfolio, as a name is
    pages = PAGES.newest(tx, vault, quotas.LIMITS["pages"])
    return Planning(tuple(JOURNAL.all(tx, vault)), tuple(plans), tuple(GOALS.all(tx, vault)), tuple(pages))


def _version(tx: Transaction, vault: Vault, request: pb.ExportDocumentRequest) -> Version:
    version = Version()
    if request.cv:
        holder, version_id = names.parse(request.cv, "holders", "cvs")
        if holder != vault.holder:
            raise Refusal(reason_pb2.REASON_NOT_FOUND)
        version = CVS.get(tx, vault, version_id)
    if request.cover_letter and request.format not in LAID_OUT:
        refuse([Violation("cover_letter", "is written as a page or PDF only")])
    if request.cover_letter and request.anonymous:
        refuse([Violation("anonymous", "no letter is, as it is its writer's own; ask for one of the two")])
    if request.cover_letter and not version.cover_letter:
        refuse([Violation("cover_letter", "the version has none; name one with a letter in `cv`")])
    return version


def cv_of(material: Material, request: pb.ExportDocumentRequest, now: datetime) -> Cv:
    """Returns what is written for a request at `now` (UTC)."""
    portfolio, version, withheld, planning, remainders_ = material
    spoken = next(iter(portfolio.holder.languages), "en")
    language = request.language_code or version.language_code or spoken
    hidden = request.anonymous
    return Cv(
        anonymised(portfolio) if hidden else portfolio,
        language,
        now,
        headline="" if hidden else version.title,
        letter=version.cover_letter if request.cover_letter else "",
        letter_left=bool(version.cover_letter) and not request.cover_letter,
        withheld=withheld,
        journal_and_plans=request.journal_and_plans,
        remainders=remainders_,
        **planning._asdict(),
    )


def report(request: pb.ExportDocumentRequest, cv: Cv) -> list[pb.NotCarried]:
    """Says what a document does not carry, at most MOST_TOLD. A letter is no CV, and lacks nothing of one."""
    format_, paged = FORMATS[request.format], request.format in LAID_OUT
    lost = {
        "cv.title": format_.lacking(cv.headline) if paged else cv.headline,
        "cv.cover_letter": format_.lacking(cv.letter) if paged else cv.letter_left,
    }
    own = [(request.cv, field) for field, part in lost.items() if part]
    files = [(name, "evidence.file") for name in sorted(cv.withheld)] if request.format == LEAP2A else []
    beyond = format_.left_out(cv) if format_.left_out else ()
    found = own if cv.letter else chain(own, files, beyond, losses(format_, cv))
    told = (pb.NotCarried(resource=resource, field=field, count=1) for resource, field in found)
    return list(islice(told, MOST_TOLD))
