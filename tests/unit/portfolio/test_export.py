"""Everything is everything, and what people wrote stays words when it is shown."""

from __future__ import annotations

import html.parser
import io
import tracemalloc
import zipfile
from datetime import UTC, datetime

from waymark.portfolio.v1 import entry_pb2
from waymark.portfolio.v1.entry_pb2 import Entry

from services.platform.zipping import ZipStream
from services.portfolio.export import archive, pages
from services.portfolio.export.parts import PARTS, UNTOLD
from services.portfolio.store import tables

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_every_table_of_people_is_in_the_archive_or_says_why_not() -> None:
    of_people = {
        table for table in tables.metadata.sorted_tables if {"holder_id", "sealed"} & set(table.c.keys())
    }
    told = {table for part in PARTS for table in part.tables}
    assert of_people - told - set(UNTOLD) == set()
    assert not told & set(UNTOLD)
    assert len({part.name for part in PARTS}) == len(PARTS)


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
    assert '<dt lang="en">Kind</dt><dd>Care work</dd>' in page
    assert '<dt lang="en">Start date</dt><dd>2020-05</dd>' in page
    assert "<dd>2026-03-01 12:00 UTC</dd>" in page
    assert page.count('<dt lang="en">Evidence</dt>') == 2
    files = [archive.File(f"evidence/1-{archive._harmless(nasty)}", nasty, nasty, 1, "")]
    facts = {"counts": [(PARTS[0].name, 1)], "files": files, "without_files": False}
    index = Tags(b"".join(pages.Pages("fr").index(NOW.date(), nasty, **facts)).decode())
    assert not {"script", "img"} & set(index.found)
    assert all(":" not in each and not each.startswith("/") for each in index.addresses)


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
