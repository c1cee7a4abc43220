"""How each kind of thing is read, page by page, for the archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from google.protobuf.message import Message
from waymark.portfolio.v1.entry_pb2 import ListEntriesRequest
from waymark.portfolio.v1.entry_revision_pb2 import ListEntryRevisionsRequest
from waymark.portfolio.v1.goal_pb2 import ListGoalsRequest
from waymark.portfolio.v1.journal_entry_pb2 import ListJournalEntriesRequest
from waymark.portfolio.v1.page_submission_pb2 import ListPageSubmissionsRequest, SubmittedPages
from waymark.portfolio.v1.pathway_pb2 import ListPathwaysRequest, ListPathwayWordsRequest
from waymark.portfolio.v1.plan_pb2 import ListPlansRequest
from waymark.portfolio.v1.questionnaire_pb2 import ListQuestionnairesRequest
from waymark.portfolio.v1.validation_pb2 import ListValidationCasesRequest, ValidationSnapshot

from services.platform.db.paging import PageTokenSigner
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.portfolio.domain import names
from services.portfolio.domain.guidance import Reader as HolderOrCounsellor
from services.portfolio.export.reader import Listed, Reader
from services.portfolio.store import (
    entry_revisions,
    guidance_cases,
    holders,
    page_submissions,
    pathway_words,
    pathways,
    questionnaire_parts,
    validations,
)
from services.portfolio.store.collection import Paged
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.guidance_words import GUIDANCE_NOTES, notes_seen_by
from services.portfolio.store.page_submissions import SUBMISSIONS
from services.portfolio.store.planning import GOALS, JOURNAL, PLANS, Kept
from services.portfolio.store.questionnaires import QUESTIONNAIRES
from services.portfolio.store.validations import CASES
from services.portfolio.store.vault import Vault

Rows = Callable[[Reader], Iterator[Message]]


def every(request: Callable[..., Message], listed: Listed[Any]) -> Rows:
    """Reads all of a list."""
    return lambda reader: reader.pages(request, listed)


def of_holder(listed: Callable[..., Paged[Any]]) -> Listed[Any]:
    """Gives a list that asks for the holder the shape of those that ask for an open vault."""

    def asked(tx: Transaction, signer: PageTokenSigner, vault: Vault, request: Any) -> Paged[Any]:
        return listed(tx, signer, vault.holder, request)

    return asked


def of_holder_and_vault(listed: Callable[..., Paged[Any]]) -> Listed[Any]:
    """The same for lists that outlive the vault."""

    def asked(tx: Transaction, signer: PageTokenSigner, vault: Vault, request: Any) -> Paged[Any]:
        return listed(tx, signer, vault.holder, vault, request)

    return asked


def the_holder(reader: Reader) -> Iterator[Message]:
    """Yields the holder."""
    yield reader.look(holders.get)


def revisions(reader: Reader) -> Iterator[Message]:
    """Yields what each entry said before."""
    for entry in reader.pages(ListEntriesRequest, ENTRIES.page):
        if entry.update_time != entry.create_time:  # one that never changed has none
            yield from _under(reader, ListEntryRevisionsRequest, entry_revisions.listed, entry.name)


def words(reader: Reader) -> Iterator[Message]:
    """Yields who proposed and agreed to what in each pathway."""
    for pathway in reader.pages(ListPathwaysRequest, pathways.listed):
        yield from _under(reader, ListPathwayWordsRequest, pathway_words.listed, pathway.name)


def _under(
    reader: Reader, request: Callable[..., Message], listed: Callable[..., Paged[Any]], parent: str
) -> Iterator[Message]:
    """Reads a list below a resource of the holder."""

    def below(tx: Transaction, signer: PageTokenSigner, vault: Vault, wanted: Any) -> Paged[Any]:
        return listed(tx, signer, vault, names.last(parent), wanted)

    return reader.pages(request, below)


def snapshots(reader: Reader) -> Iterator[Message]:
    """Yields what each validation case was handed in with."""
    for case in reader.pages(ListValidationCasesRequest, CASES.page):
        if case.snapshot_sha256:
            yield reader.look(partial(_snapshot, names.last(case.name)))


def _snapshot(case_id: str, tx: Transaction, vault: Vault) -> ValidationSnapshot:
    return validations.frozen(tx, vault, case_id)


def formers(reader: Reader) -> Iterator[Message]:
    """Yields what journal, goals and plans said before their last change."""
    kept: tuple[tuple[Callable[..., Message], Kept[Any]], ...] = (
        (ListJournalEntriesRequest, JOURNAL),
        (ListGoalsRequest, GOALS),
        (ListPlansRequest, PLANS),
    )
    for request, things in kept:
        for thing in reader.pages(request, things.page):
            if thing.update_time != thing.create_time:
                yield from reader.look(partial(_former, things, thing.name))


def _former(things: Kept[Any], name: str, tx: Transaction, vault: Vault) -> list[Message]:
    try:
        former = things.former(tx, vault, names.last(name))
    except Refusal:  # only put into the trash or another place
        return []
    former.name = name
    return [former]


def handed_in(reader: Reader) -> Iterator[Message]:
    """Yields the pages of each submission as they were."""
    for submission in reader.pages(ListPageSubmissionsRequest, SUBMISSIONS.page):
        yield reader.look(partial(_frozen, names.last(submission.name)))


def _frozen(submission_id: str, tx: Transaction, vault: Vault) -> SubmittedPages:
    return page_submissions.frozen(tx, vault, submission_id)


def answers(reader: Reader) -> Iterator[Message]:
    """Yields the parts of each questionnaire, with what was answered."""
    for questionnaire in reader.pages(ListQuestionnairesRequest, QUESTIONNAIRES.page):
        yield from reader.look(partial(_parts, names.last(questionnaire.name)))


def _parts(questionnaire_id: str, tx: Transaction, vault: Vault) -> list[Message]:
    parts = questionnaire_parts.states(tx, vault.holder, [questionnaire_id])[questionnaire_id]
    return [questionnaire_parts.get(tx, vault, questionnaire_id, names.last(part.name)) for part in parts]


def case(reader: Reader) -> Iterator[Message]:
    """Yields the case of guidance."""
    yield reader.look(guidance_cases.read)


def shared_notes(tx: Transaction, signer: PageTokenSigner, vault: Vault, request: Any) -> Paged[Any]:
    """Lists the notes of counsellors that are shared with the holder."""
    seen = notes_seen_by(HolderOrCounsellor(is_holder=True, leads=False, organisation=""))
    return GUIDANCE_NOTES.page(tx, signer, vault, request, *seen)
