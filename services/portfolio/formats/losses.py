"""What a document of a portfolio lacks, found by reading it back: no list that could be forgotten."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor
from waymark.portfolio.v1.page_pb2 import Page
from waymark.portfolio.v1.plan_pb2 import Plan
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio
from waymark.portfolio.v1.skill_claim_pb2 import SKILL_SOURCE_SELF

from services.portfolio.domain import sharing
from services.portfolio.formats.format import Cv, Format, Read, no_files
from services.portfolio.formats.texts import tag_among

# What the service gives and nobody says: it begins anew where a document is read.
_GIVEN = frozenset(
    {
        "name",
        "etag",
        "create_time",
        "update_time",
        "delete_time",
        "purge_time",
        "freshness",
        "store_time",
        "state",
        "scan_state",
        "has_poster",
        "duration",
    }
)
# Who brings a document says what it says.
_BY_THE_PERSON = ("source", SKILL_SOURCE_SELF)
Lost = Iterator[tuple[str, str]]


def losses(format_: Format, cv: Cv) -> Lost:
    """Yields (resource name, field as a path of SharedPortfolio, or of
    `journal_entries`, `plans`, `goals` or `pages`) of what the document does not carry."""
    unseen = format_.lacking(text_format.MessageToString(cv.portfolio, as_utf8=True))
    for field, before, one in _each(cv):
        back = _carried(format_, one, unseen)
        places: dict[str, Any] = {
            "journal_entries": back.journal,
            "plans": back.plans,
            "goals": back.goals,
            "pages": back.pages,
        }
        after = places[field] if field in places else getattr(back.portfolio, field)
        if field != "holder":
            after = after[0] if after else type(before)()
        _name_as_before(after, back, one)
        for path in sorted(set(_missing(before, after, field))):
            yield before.name, path


def _each(cv: Cv) -> Iterator[tuple[str, Any, Cv]]:
    """Yields (field, part, a CV of nothing else) of each part, so that parts cannot be mistaken."""
    alone = Cv(SharedPortfolio(), cv.language, cv.written_at)
    for field, value in cv.portfolio.ListFields():
        for item in [value] if field.name == "holder" else value:
            one = SharedPortfolio()
            _put(one, field.name, item)
            yield field.name, item, replace(alone, portfolio=one)
    for entry in cv.journal:
        yield "journal_entries", entry, replace(alone, journal=(entry,))
    for plan in cv.plans:
        served = tuple(goal for goal in cv.goals if goal.name == plan.goal)
        yield "plans", plan, replace(alone, plans=(plan,), goals=served)
    for goal in cv.goals:
        yield "goals", goal, replace(alone, goals=(goal,))

    for page in cv.pages:
        yield "pages", page, replace(alone, pages=(page,), portfolio=_on(page, cv.portfolio))


def _on(page: Page, portfolio: SharedPortfolio) -> SharedPortfolio:
    """Returns what of a portfolio is on a page."""
    named = {getattr(block, block.WhichOneof("content") or "text") for block in page.blocks}
    return SharedPortfolio(
        entries=[each for each in portfolio.entries if each.name in named],
        skill_claims=[each for each in portfolio.skill_claims if each.name in named],
        evidence=[each for each in portfolio.evidence if each.name in named],
    )


def _name_as_before(part: Any, back: Read, cv: Cv) -> None:
    """Names what a plan serves and a page shows as it was named before it was written."""
    pairs = [(back.goals, cv.goals)]
    for field in ("entries", "skill_claims", "evidence"):
        pairs.append((getattr(back.portfolio, field), getattr(cv.portfolio, field)))
    names = {read.name: each.name for found, those in pairs for read, each in zip(found, those, strict=False)}
    if isinstance(part, Plan):
        part.goal = names.get(part.goal, part.goal)
    for block in part.blocks if isinstance(part, Page) else ():
        field = block.WhichOneof("content") or "text"
        setattr(block, field, names.get(getattr(block, field), getattr(block, field)))


def _put(portfolio: SharedPortfolio, field: str, item: Any) -> None:
    if field == "holder":
        portfolio.holder.CopyFrom(item)
    else:
        getattr(portfolio, field).add().CopyFrom(item)


def _carried(format_: Format, cv: Cv, unseen: frozenset[str]) -> Read:
    if format_.fields:
        shown = _said_in(sharing.project(cv.portfolio, format_.fields), cv.language)
        return Read(_seen(shown, unseen) if unseen else shown)
    content = b"".join(format_.write(cv, no_files))
    return format_.read(io.BytesIO(content), cv.language)


def _said_in(portfolio: SharedPortfolio, language: str) -> SharedPortfolio:
    """Leaves of each text the one that a page says."""
    for texts in (
        portfolio.holder.summary,
        *(entry.description for entry in portfolio.entries),
        *(claim.label for claim in portfolio.skill_claims),
    ):
        said = tag_among(texts, language)
        for other in [each for each in texts if each != said]:
            del texts[other]
    return portfolio


def _seen(portfolio: SharedPortfolio, unseen: frozenset[str]) -> SharedPortfolio:
    """Returns a portfolio whose texts are without the characters `unseen`, none of which is of ASCII."""
    said = text_format.MessageToString(portfolio, as_utf8=True)
    return text_format.Parse(said.translate(dict.fromkeys(map(ord, unseen))), SharedPortfolio())


def _missing(before: Any, after: Any, path: str) -> Iterator[str]:
    for field, value in before.ListFields():
        if field.name in _GIVEN or (field.name, value) == _BY_THE_PERSON:
            continue
        at, kept = f"{path}.{field.name}", getattr(after, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            yield from (f"{at}.{key}" for key in value if not _same(value[key], kept.get(key, "")))
        elif field.message_type is not None and not field.is_repeated:
            yield from _missing(value, kept, at)
        elif not _equal(field, value, kept):
            yield at


def _equal(field: FieldDescriptor, value: Any, kept: Any) -> bool:
    if not field.is_repeated:
        return _same(value, kept)
    return not Counter(map(str, value)) - Counter(map(str, kept))


def _same(value: Any, kept: Any) -> bool:
    """Blanks are of no matter in texts."""
    return value == kept or (isinstance(value, str) and value.split() == str(kept).split())
