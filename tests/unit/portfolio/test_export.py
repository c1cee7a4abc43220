"""Everything is everything, and what people wrote stays words when it is shown."""

from __future__ import annotations

import html.parser
import io
import tracemalloc
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from google.api import resource_pb2
from waymark.portfolio.v1 import entry_pb2
from waymark.portfolio.v1.consent_receipt_pb2 import ConsentReceipt
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.issued_credential_pb2 import IssuedCredential
from waymark.portfolio.v1.page_submission_pb2 import SubmittedPages
from waymark.portfolio.v1.pathway_pb2 import PathwayWord
from waymark.portfolio.v1.validation_pb2 import ValidationSnapshot

from services.platform.zipping import ZipStream
from services.portfolio.export import archive, pages
from services.portfolio.export.pages import LANGUAGES
from services.portfolio.export.parts import PARTS, UNTOLD
from services.portfolio.store import tables
from tests.support.owned import CALLS

TOLD_AS_TEXT = {"google.protobuf.Duration", "google.protobuf.Timestamp", "google.type.Date"}
# What an archive shows that has no name below the holder's.
WITHOUT_NAME = (IssuedCredential, PathwayWord, SubmittedPages, ValidationSnapshot)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_every_table_of_people_is_in_the_archive_or_says_why_not() -> None:
    of_people = {
        table for table in tables.metadata.sorted_tables if {"holder_id", "sealed"} & set(table.c.keys())
    }
    told = {table for part in PARTS for table in part.tables}
    assert of_people - told - set(UNTOLD) == set()
    assert not told & set(UNTOLD)
    assert len({part.name for part in PARTS}) == len(PARTS)


def shown_fields() -> set[str]:
    """Every field that a page can show: of what is a holder's, and of what is within it."""
    shown, seen = set[str](), set[str]()
    waiting = [
        message
        for file in {method.containing_service.file for method in CALLS.values()}
        for message in file.message_types_by_name.values()
        # A receipt is a view of mandates, links and other grants, which are in the archive themselves.
        if _is_of_a_holder(message) and message != ConsentReceipt.DESCRIPTOR
    ]
    waiting += [each.DESCRIPTOR for each in WITHOUT_NAME]
    while waiting:
        message = waiting.pop()
        if message.full_name in seen or message.full_name in TOLD_AS_TEXT:
            continue
        seen.add(message.full_name)
        shown |= set(message.fields_by_name)
        waiting += [
            field.message_type
            for field in message.fields
            if field.message_type and not field.message_type.GetOptions().map_entry
        ]
    return shown


def _is_of_a_holder(message: Any) -> bool:
    pattern = message.GetOptions().Extensions[resource_pb2.resource].pattern
    return any("{holder}" in each for each in pattern)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_has_a_label_in_every_language(language: str) -> None:
    labels = pages.labels_in(language)
    assert shown_fields() - set(labels) == set()
    assert set(labels) - shown_fields() == set()  # none of what is no more
    assert all(label.strip() == label != "" for label in labels.values())


def test_labels_are_in_their_language() -> None:
    english = pages.labels_in("en")
    for language in ("de", "fr", "nl"):
        labels = pages.labels_in(language)
        same = {field for field in labels if labels[field] == english[field]}
        assert len(same) < len(labels) / 8, sorted(same)


class Tags(html.parser.HTMLParser):
    """Counts what a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]


def test_a_page_shows_words_as_words() -> None:
    nasty = '<script>alert(1)</script>"><img src=//evil.example onerror=x>'
    entry = Entry(
        kind=entry_pb2.ENTRY_KIND_CARE_WORK, title=nasty, description={nasty: nasty}, evidence=["a", "b"]
    )
    entry.start_date.year, entry.start_date.month = 2020, 5
    entry.create_time.FromDatetime(NOW)
    page = b"".join(pages.Pages("en").page("entries", [entry])).decode()
    tags = Tags(page)
    assert not {"script", "img"} & set(tags.found)
    assert tags.addresses == ["../index.html"]
    assert '<dt title="kind">Kind</dt><dd lang="en">Care work</dd>' in page
    assert '<dt title="startDate">Start</dt><dd>2020-05</dd>' in page
    assert "<dd>2026-03-01 12:00 UTC</dd>" in page
    assert page.count('<dt title="evidence">Files</dt>') == 2
    german = b"".join(pages.Pages("de").page("entries", [entry])).decode()
    assert '<dt title="startDate">Beginn</dt>' in german
    files = [archive.File(f"evidence/1-{archive._harmless(nasty)}", nasty, nasty, 1, "")]
    facts = {"counts": [(PARTS[0].name, 1)], "files": files, "without_files": False}
    index = Tags(b"".join(pages.Pages("fr").index(NOW.date(), nasty, **facts)).decode())
    assert not {"script", "img"} & set(index.found)
    assert all(":" not in each and not each.startswith("/") for each in index.addresses)


def test_a_duration_reads_as_one() -> None:
    film = Evidence(title="Welding")
    film.duration.FromSeconds(3723)
    assert "<dd>1:02:03</dd>" in b"".join(pages.Pages("en").page("evidence", [film])).decode()


def test_names_of_files_lead_nowhere_else() -> None:
    for name in ("../../etc/passwd", "..\\..\\x", "/etc/passwd", ".hidden", "a\0b", "con:aux", "x" * 300):
        harmless = archive._harmless(name)
        assert not set("/\\\0:") & set(harmless)
        assert not harmless.startswith(".")
        assert len(harmless) <= 80
    assert archive._harmless("Zeugnis für Ö.pdf") == "Zeugnis_für_Ö.pdf"


def test_an_archive_of_any_size_needs_no_memory_and_opens_only_once_it_is_whole() -> None:
    block, out = b"x" * 65_536, io.BytesIO()
    stream = ZipStream(NOW)
    tracemalloc.start()
    taken = 0
    for part in stream.add("a.bin", (block for _ in range(1600)), packed=False):  # 100 MB
        taken += len(part)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken > 100_000_000
    assert peak < 2_000_000
    stream = ZipStream(NOW)
    for part in stream.add("ä.txt", (b"one", b"two")):
        out.write(part)
    assert not zipfile.is_zipfile(io.BytesIO(out.getvalue()))
    out.write(stream.end())
    with zipfile.ZipFile(out) as whole:
        assert whole.testzip() is None
        assert whole.read("ä.txt") == b"onetwo"
