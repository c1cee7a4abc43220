"""What a format is: how it writes a portfolio, and how it reads one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.document_pb2 import DOCUMENT_FORMAT_UNSPECIFIED, DocumentFormat
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.goal_pb2 import Goal
from waymark.portfolio.v1.journal_entry_pb2 import JournalEntry
from waymark.portfolio.v1.page_pb2 import Page
from waymark.portfolio.v1.plan_pb2 import Plan
from waymark.portfolio.v1.remainder_pb2 import Remainder
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio


class DocumentBrokenError(ValueError):
    """The file is not of this format, or is broken, or too large; says which, and nothing out of the file.
    `reason`: the one by which it is refused."""

    reason = reason_pb2.REASON_DOCUMENT_UNREADABLE


class NothingAttachedError(DocumentBrokenError):
    """The PDF has nothing attached that could be read."""

    reason = reason_pb2.REASON_DOCUMENT_WITHOUT_DATA


class NothingLinkedError(DocumentBrokenError):
    """The page carries nothing that could be read."""

    reason = reason_pb2.REASON_PAGE_WITHOUT_DATA


@dataclass(frozen=True)
class Cv:
    """What is written. `language`: of texts that are there in several; `written_at`: UTC; `headline`: what
    the person applies as; `letter`: text of a cover letter that is written instead of the CV; `letter_left`:
    there is one, and the CV is written; `withheld`: names of evidence whose files stay behind, because they
    may not be served; `journal`, newest first, and `plans`, `goals` and `pages` in their order: for formats
    that have a place for them, where the holder asked for them (`journal_and_plans`); `remainders`: what
    documents of this format said beyond all that."""

    portfolio: SharedPortfolio
    language: str
    written_at: datetime
    headline: str = ""
    letter: str = ""
    letter_left: bool = False
    withheld: frozenset[str] = frozenset()
    journal: tuple[JournalEntry, ...] = ()
    plans: tuple[Plan, ...] = ()
    goals: tuple[Goal, ...] = ()
    pages: tuple[Page, ...] = ()
    journal_and_plans: bool = False
    remainders: tuple[Remainder, ...] = ()


@dataclass
class Read:
    """What was read: a portfolio without etags, a journal, newest first, plans, goals and pages, and how
    often what else was found, by path; `remainders`: what of that can be put back, into documents of the
    format `carried` where that is set: a page or PDF carries a document of another format. What something in
    the document may name is named by its id there. `places`: by that id, where the document says that a
    file stands; `packed`: by the SHA-256 of its bytes, where one of them stands in the archive."""

    portfolio: SharedPortfolio = field(default_factory=SharedPortfolio)
    journal: list[JournalEntry] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    packed: dict[str, str] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)
    remainders: list[Remainder] = field(default_factory=list)
    carried: DocumentFormat.ValueType = DOCUMENT_FORMAT_UNSPECIFIED


Opened = Callable[[Evidence], Iterator[bytes]]  # the bytes of a file, as they come


def lacks_none(_: str) -> frozenset[str]:
    """Says of a text that all of its characters can be written."""
    return frozenset()


def no_files(_: Evidence) -> Iterator[bytes]:
    """Opens nothing: what a format carries can be seen without the files."""
    return iter(())


# Bytes of a document that is read: with pictures or files in it, and in JSON, whose every part is in memory
# at once. A portfolio of 2000 entries has 2 MB.
LARGE = 20 << 20
IN_JSON = 4 << 20


@dataclass(frozen=True)
class Format:
    """One format. `write(cv, files)` yields the document as it is made; `read(file, language)` raises
    DocumentBrokenError. `fields`: what a page shows people, as paths of SharedPortfolio; empty for what is
    written for machines alone. `most_bytes`: of a document that is read. `lacking`: the characters of a text
    that what is written cannot show. `left_out`: (resource name, path) of each remainder that is not written;
    None for a format that writes none, of which nothing is set aside. `unpack(file, places)` yields size in
    bytes and stream of the files of `Read.packed` at these places; None for a format without files."""

    content_type: str
    write: Callable[[Cv, Opened], Iterator[bytes]]
    read: Callable[[BinaryIO, str], Read]
    fields: tuple[str, ...] = ()
    most_bytes: int = 8 << 20
    lacking: Callable[[str], frozenset[str]] = lacks_none
    left_out: Callable[[Cv], list[tuple[str, str]]] | None = None
    unpack: Callable[[BinaryIO, Sequence[str]], Iterator[tuple[int, BinaryIO]]] | None = None
