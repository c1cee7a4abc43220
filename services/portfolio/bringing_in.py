"""What a document that was read adds to a portfolio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1.document_import_pb2 import DocumentImport, ImportedThing
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.holder_pb2 import Holder
from waymark.portfolio.v1.journal_entry_pb2 import JournalEntry
from waymark.portfolio.v1.page_pb2 import PAGE_TEMPLATE_STORY, Page
from waymark.portfolio.v1.plan_pb2 import Plan
from waymark.portfolio.v1.skill_claim_pb2 import SKILL_SOURCE_SELF, SkillClaim

from services.platform.db.ids import new_id
from services.platform.db.transaction import Transaction
from services.platform.errors import reason_name
from services.platform.rpc.masks import without_outputs
from services.portfolio import unpacking
from services.portfolio.documenting import MOST_TOLD
from services.portfolio.domain import deadlines, names, quotas
from services.portfolio.domain.dates import from_date, to_date
from services.portfolio.domain.journal import dated
from services.portfolio.domain.sameness import Known, goal_keys, journal_keys, page_keys, plan_keys
from services.portfolio.formats import skills
from services.portfolio.formats.format import Read
from services.portfolio.formats.formats import FORMATS
from services.portfolio.formats.remainders import placed
from services.portfolio.formats.remainders import told as told_in
from services.portfolio.formats.texts import chosen
from services.portfolio.shelves import remind
from services.portfolio.store import document_imports, holders, remainders
from services.portfolio.store.collection import Collection
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.evidence import EVIDENCE
from services.portfolio.store.pages import PAGES
from services.portfolio.store.planning import GOALS, JOURNAL, PLANS
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.vault import Vault
from services.portfolio.unpacking import Unpacked

M = TypeVar("M", Entry, SkillClaim)
P = TypeVar("P", Entry, SkillClaim, JournalEntry)
Q = TypeVar("Q", JournalEntry, Plan, Page)
Called = tuple[str, str]  # the name of a thing here, and its title
_FILLED = ("given_name", "family_name", "birth_date", "contact", "languages", "summary")


def bring_in(
    tx: Transaction, vault: Vault, read: Read, files: Unpacked, request: pb.ImportDocumentRequest
) -> pb.ImportDocumentResponse:
    """Adds what was read, and its files, to a portfolio; what is there stays as it is. Raises
    Refusal(QUOTA_EXCEEDED), not for files, which are told."""
    language = request.language_code or "en"
    document_imports.make_room(tx, vault.holder)
    current = holders.get(tx, vault, lock=True)  # also, so that two imports do not both add the same
    kept_as = read.carried or request.format
    keeps = _may_set_aside(read, kept_as) and remainders.clear(tx, vault.holder, kept_as)
    answer = pb.ImportDocumentResponse()
    added, here = _bring_files(tx, vault, read, files, answer)
    brought = [(each.name, each.title or each.file_name) for each in added]
    filled = _fill_holder(tx, vault, current, read.portfolio.holder, answer)
    entries = list(_new_entries(tx, vault, read, answer, here))
    names_here = _add(tx, vault, ENTRIES, [(entry, {"kind": entry.kind}) for entry in entries], here)
    claims = list(_new_claims(tx, vault, read, answer, here))
    names_here += _add(tx, vault, SKILL_CLAIMS, claims, here)
    answer.evidence_titles.extend(title for _, title in brought)
    answer.entry_titles.extend(entry.title for entry in entries)
    answer.skill_labels.extend(chosen(claim.label, language) or claim.concept_uri for claim, _ in claims)
    brought += zip(names_here, (*answer.entry_titles, *answer.skill_labels), strict=True)
    brought += _add_journal(tx, vault, read, answer)
    brought += _add_goals(tx, vault, read, answer)
    brought += _add_plans(tx, vault, read, answer)
    brought += _add_pages(tx, vault, read, answer, here)
    import_id = new_id()
    kept = _set_aside(tx, vault, read, import_id, kept_as, here) if keeps else Counter()
    if (brought or filled.ListFields() or kept) and not request.validate_only:
        made = _made(request.format, brought, current.name, filled)
        answer.document_import = document_imports.IMPORTS.append(tx, vault, made, row_id=import_id).name
    told = read.left.most_common(MOST_TOLD - len(answer.not_carried))
    answer.not_carried.extend(
        pb.NotCarried(field=field, count=count, set_aside=_is_kept(field, read.left, kept))
        for field, count in told
    )
    return answer


def _made(
    format_: pb.DocumentFormat.ValueType, brought: Iterable[Called], holder: str, filled: Holder
) -> DocumentImport:
    """Returns an import as it is noted, to be undone by."""
    made = DocumentImport(format=format_, holder=filled)
    made.things.extend(ImportedThing(resource=name, title=title) for name, title in brought)
    made.things.extend(ImportedThing(resource=holder, field=each.name) for each, _ in filled.ListFields())
    made.thing_count = len(made.things)
    return made


def _is_kept(field: str, left: Counter[str], kept: Counter[str]) -> bool:
    """Returns whether all that was left at a path is kept: itself, or with what it is part of, of which then
    more is kept than was left."""
    path = field.split(".")
    wholes = (".".join(path[:depth]) for depth in range(1, len(path)))
    return kept[field] >= left[field] or any(kept[whole] > left[whole] for whole in wholes)


def _may_set_aside(read: Read, kept_as: pb.DocumentFormat.ValueType) -> bool:
    """Returns whether what a document says beyond a portfolio takes the place of what one before it said. Not
    of a page or PDF that says nothing: ours do not, as they are for others to see."""
    return FORMATS[kept_as].left_out is not None and (not read.carried or bool(read.remainders))


def _set_aside(
    tx: Transaction,
    vault: Vault,
    read: Read,
    import_id: str,
    format_: pb.DocumentFormat.ValueType,
    here: dict[str, str],
) -> Counter[str]:
    """Keeps what a portfolio has no place for, by the entries that are here; returns how often each path."""
    made = placed(read.remainders, here, {each.name for each in read.portfolio.evidence})
    for each in made:
        each.format = format_
    remainders.set_aside(tx, vault, import_id, made)
    return told_in(made)


def _fill_holder(
    tx: Transaction, vault: Vault, current: Holder, brought: Holder, answer: pb.ImportDocumentResponse
) -> Holder:
    """Fills in what is empty of the holder, and returns that alone; tells of what is not empty."""
    filled = Holder()
    for field, value in brought.ListFields():
        if field.name not in _FILLED:
            continue
        kept = dict(current.ListFields()).get(field)
        if kept is None:
            filled.MergeFrom(Holder(**{field.name: value}))
            answer.holder_fields.append(field.name)
        elif kept != value:
            told = pb.NotCarried(resource=current.name, field=f"holder.{field.name}", count=1)
            answer.not_carried.append(told)
    if answer.holder_fields:
        current.MergeFrom(filled)
        holders.replace(tx, vault, current)
    return filled


def _new_entries(
    tx: Transaction, vault: Vault, read: Read, answer: pb.ImportDocumentResponse, here: dict[str, str]
) -> Iterator[Entry]:
    """Yields entries that are not there; notes the names of those that are in `here`, by those in the
    document."""
    known = Known(ENTRIES.newest(tx, vault, quotas.LIMITS["entries"]))
    for entry in _with_own_evidence(tx, vault, read, read.portfolio.entries):
        if found := known.find(entry):
            answer.duplicates += 1
            here[entry.name] = found.name
        else:
            known.add(entry)
            yield entry


def _new_claims(
    tx: Transaction, vault: Vault, read: Read, answer: pb.ImportDocumentResponse, here: dict[str, str]
) -> Iterator[tuple[SkillClaim, dict[str, Any]]]:
    """The same of skills, with their columns."""
    known = skills.Known(SKILL_CLAIMS.newest(tx, vault, quotas.LIMITS["skill_claims"]))
    today = tx.today
    for claim in _with_own_evidence(tx, vault, read, read.portfolio.skill_claims):
        for field in ("assert_date", "last_used_date"):
            if claim.HasField(field) and to_date(getattr(claim, field)) > today:
                read.left[f"skill_claims.{field}"] += 1
                claim.ClearField(field)
        if found := known.find(claim):
            answer.duplicates += 1
            here[claim.name] = found.name
            continue
        known.add(claim)
        if not claim.HasField("assert_date"):
            claim.assert_date.CopyFrom(from_date(today))
        concept = vault.key.blind("skill concept", claim.concept_uri)
        yield claim, {"source": SKILL_SOURCE_SELF, "concept": concept}


def _add(
    tx: Transaction,
    vault: Vault,
    things: Collection[M],
    made: list[tuple[M, dict[str, Any]]],
    here: dict[str, str],
) -> list[str]:
    """Adds what a document names, the first as the newest, which is how they are shown; returns the names
    here, in the order of the document."""
    backwards = made[::-1]
    names_here = things.add_all(tx, vault, [(without_outputs(each), columns) for each, columns in backwards])
    here.update(zip((each.name for each, _ in backwards), names_here, strict=True))
    return names_here[::-1]


def _add_journal(
    tx: Transaction, vault: Vault, read: Read, answer: pb.ImportDocumentResponse
) -> Iterable[Called]:
    if not read.journal:
        return ()
    brought = _with_own_evidence(tx, vault, read, read.journal)
    made = [without_outputs(each) for each in _unknown(brought, JOURNAL.all(tx, vault), journal_keys, answer)]
    for entry in made:
        dated(entry, tx.now)
    names_here = JOURNAL.add_all(tx, vault, [(entry, {}) for entry in reversed(made)])
    answer.journal_entries = len(made)
    return zip(reversed(names_here), (entry.title for entry in made), strict=True)


def _add_goals(tx: Transaction, vault: Vault, read: Read, answer: pb.ImportDocumentResponse) -> list[Called]:
    """Adds goals, and names those that plans serve as they are named here."""
    if not read.goals:
        return []
    here = {goal_keys(each): each.name for each in GOALS.all(tx, vault)}
    new = {goal_keys(each): each for each in reversed(read.goals) if goal_keys(each) not in here}
    made = [new.pop(key) for each in read.goals if (key := goal_keys(each)) in new]
    answer.duplicates += len(read.goals) - len(made)
    added = GOALS.append_all(tx, vault, [without_outputs(each) for each in made])
    for goal in added:
        remind(tx, GOALS.segment, goal, deadlines.of_goal)
        here[goal_keys(goal)] = goal.name
        answer.goal_titles.append(goal.title)
    known = {each.name: here[goal_keys(each)] for each in read.goals}
    for plan in read.plans:
        plan.goal = known.get(plan.goal, "")
    return [(goal.name, goal.title) for goal in added]


def _add_plans(tx: Transaction, vault: Vault, read: Read, answer: pb.ImportDocumentResponse) -> list[Called]:
    if not read.plans:
        return []
    made = [without_outputs(each) for each in _unknown(read.plans, PLANS.all(tx, vault), plan_keys, answer)]
    for task in (task for plan in made for task in plan.tasks):
        task.id = new_id()
    added = PLANS.append_all(tx, vault, made)
    for plan in added:
        remind(tx, PLANS.segment, plan, deadlines.of_plan)
        answer.plan_titles.append(plan.title)
    return [(plan.name, plan.title) for plan in added]


def _add_pages(
    tx: Transaction, vault: Vault, read: Read, answer: pb.ImportDocumentResponse, here: dict[str, str]
) -> Iterable[Called]:
    """Adds pages."""
    if not read.pages:
        return ()
    for page in read.pages:
        _place(page, read, here)
    there = PAGES.newest(tx, vault, quotas.LIMITS["pages"])
    made = [without_outputs(each) for each in _unknown(read.pages, there, page_keys, answer)]
    names_here = PAGES.add_all(tx, vault, [(page, {}) for page in reversed(made)])
    answer.page_titles.extend(page.title for page in made)
    return zip(reversed(names_here), answer.page_titles, strict=True)


def _place(page: Page, read: Read, here: dict[str, str]) -> None:
    """Names what blocks show as it is named here; tells of what is not here."""
    blocks = []
    for block in page.blocks:
        field = block.WhichOneof("content") or "text"
        if field != "text":
            name = here.get(getattr(block, field), "")
            setattr(block, field, name and here.get(name, name))  # the second of two alike leads to the first
        if getattr(block, field):
            blocks.append(block)
    if missing := len(page.blocks) - len(blocks):
        read.left["selection.blocks"] += missing
    kept = Page(blocks=blocks)
    page.ClearField("blocks")
    page.MergeFrom(kept)
    page.template = page.template or PAGE_TEMPLATE_STORY


def _unknown(
    brought: Iterable[Q],
    there: Iterable[Q],
    keys: Callable[[Q], Sequence[Hashable]],
    answer: pb.ImportDocumentResponse,
) -> Iterator[Q]:
    """Yields what is not there, each once; counts what is, by its narrowest key."""
    known = {key for each in there for key in keys(each)}
    for each in brought:
        *_, narrowest = own = keys(each)
        if narrowest in known:
            answer.duplicates += 1
        else:
            known.update(own)
            yield each


def _with_own_evidence(tx: Transaction, vault: Vault, read: Read, parts: Iterable[P]) -> list[P]:
    """Returns parts that name evidence of this portfolio only; what they name of others is told."""
    found = list(parts)
    start = names.holder(vault.holder) + "/evidence/"
    mine = {names.last(name) for part in found for name in part.evidence if name.startswith(start)}
    missing = EVIDENCE.missing(tx, vault.holder, mine)
    for part in found:
        kept = [name for name in part.evidence if name.startswith(start) and names.last(name) not in missing]
        if len(kept) < len(part.evidence):
            read.left["evidence"] += len(part.evidence) - len(kept)
            del part.evidence[:]
            part.evidence.extend(kept)
    return found


def _bring_files(
    tx: Transaction, vault: Vault, read: Read, files: Unpacked, answer: pb.ImportDocumentResponse
) -> tuple[list[Evidence], dict[str, str]]:
    """Adds files of a document, and names what it has of them as they are named here, by their hash; tells of
    those that are not here, and why. Returns what was added, and names here by those in the document."""
    if not read.portfolio.evidence:
        return [], {}
    added, refused = unpacking.add(tx, vault, files)
    here = unpacking.hashes(tx, vault)
    names_here = {each.name: here[each.sha256] for each in read.portfolio.evidence if each.sha256 in here}
    missing = [each.sha256 for each in read.portfolio.evidence if each.sha256 not in here]
    if elsewhere := sum(sha256 not in refused for sha256 in missing):
        read.left["evidence.file"] += elsewhere
    why = Counter(refused[sha256] for sha256 in missing if sha256 in refused)
    answer.not_carried.extend(
        pb.NotCarried(field="evidence.file", count=count, reason=reason_name(reason))
        for reason, count in sorted(why.items())
    )
    parts: list[Entry | SkillClaim | JournalEntry] = [*read.portfolio.entries, *read.portfolio.skill_claims]
    for part in (*parts, *read.journal):
        known = [names_here.get(name, name) for name in part.evidence]
        del part.evidence[:]
        part.evidence.extend(dict.fromkeys(known))
    return added, names_here
