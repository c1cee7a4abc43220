"""Feeds in the project's own CSV template: one row a session, rows of one course together.

UTF-8, comma, header in the first line, quotes after RFC 4180. Columns, of which `course_id` and `title` must
be there: `course_id`, `title`, `language` (of the texts), `description`, `kind` (course, exam, guidance,
workshop), `eqf_level`, `url`, `subjects` and `occupations` (several apart by `|`; occupations as concept
URIs), `session_id`, `start_date`, `end_date`, `apply_from`, `apply_until` (YYYY-MM-DD; no start date:
permanent entry), `price`, `currency`, `mode` (on_site, online, blended, distance), `instruction_language`,
`nuts_code`, `town`, `postal_code`, `latitude`, `longitude`, `capacity`, and several apart by `|`: `modules`
(a title, or title, two colons and a level: `EQF 4`, or one of your own), `target_groups`, `territories`; and
`status` of the session (scheduled, cancelled; scheduled when empty), and `awarding_body` of the course. What
concerns the course is read from its first row. A course without sessions has one row without `session_id`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

from waymark.catalogue.v1.course_pb2 import CourseMode

from services.catalogue.domain import courses
from services.catalogue.domain.courses import Document
from services.catalogue.domain.features import KINDS, MAX_NAME, awarding_body, features, module
from services.catalogue.domain.findings import Findings
from services.catalogue.imports import values
from services.catalogue.imports.feed import MAX_ID, Bounded, Context, FeedBroken, Raw
from services.catalogue.imports.offerings import occupations, place, status, subjects

COLUMNS = (
    "course_id",
    "title",
    "language",
    "description",
    "kind",
    "eqf_level",
    "url",
    "subjects",
    "occupations",
    "session_id",
    "start_date",
    "end_date",
    "apply_from",
    "apply_until",
    "price",
    "currency",
    "mode",
    "instruction_language",
    "nuts_code",
    "town",
    "postal_code",
    "latitude",
    "longitude",
    "capacity",
    "modules",
    "target_groups",
    "territories",
    "status",
    "awarding_body",
)
CANCELLED, SCHEDULED = "cancelled", "scheduled"  # in the column `status`
MODES = {
    "on_site": CourseMode.COURSE_MODE_ON_SITE,
    "online": CourseMode.COURSE_MODE_ONLINE,
    "blended": CourseMode.COURSE_MODE_BLENDED,
    "distance": CourseMode.COURSE_MODE_DISTANCE,
}
Row = Sequence[str]
_BETWEEN_VALUES, _BETWEEN_ROWS = "\x1f", "\x1e"  # of a record as it is compared
_FORMULA, _GUARDED = re.compile(r"'*[=+\-@\t\r]"), re.compile(r"'+[=+\-@\t\r]")


def guarded(text: str) -> str:
    """Returns a text that no spreadsheet takes for a formula: one that begins like one gets an apostrophe."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """Returns the text that `guarded` was given."""
    return text[1:] if text.startswith("'") and _GUARDED.match(text) else text


class CsvTemplate:
    """Reader of the template."""

    revision = "csv-5"

    def records(self, stream: Bounded) -> Iterator[Raw]:
        """Yields a record per course; its content is a list of dictionaries, column → value."""
        reader = csv.reader(_lines(stream), strict=True)
        try:
            header = next(reader, None)
            if header is None:
                return
            _check_header(header)
            yield from _group(reader, [name.strip().lower() for name in header], stream)
        except UnicodeDecodeError as error:
            raise FeedBroken(
                "ENCODING_INVALID",
                reader.line_num + 1,
                "The file is not UTF-8.",
                "Save it as UTF-8 and upload it again.",
                repr(error.object[error.start : error.start + 16]),
            ) from error
        except csv.Error as error:
            raise FeedBroken(
                "CSV_INVALID",
                reader.line_num,
                "The line is no CSV, or the file ends within a quoted value.",
                "Close every quote and double quotes within values.",
                str(error),
            ) from error

    def holds(self, raw: bytes, /) -> int:
        """Returns how many values a record holds."""
        return 1 + raw.count(_BETWEEN_VALUES.encode()) + raw.count(_BETWEEN_ROWS.encode())

    def read(self, raw: Raw, course: str, context: Context, findings: Findings) -> Document:
        """Reads the rows of a course."""
        rows: list[dict[str, str]] = list(raw.content)
        first = rows[0]
        if None in first or any(len(row) != len(first) or None in row for row in rows):
            findings.error(
                "COLUMNS_WRONG",
                "",
                len(first),
                "A row has more or fewer values than the header.",
                "Give each row as many values as the header has names.",
            )
            return {}
        if b"\0" in raw.raw:  # which no text of the database holds
            message, remedy = "A value holds a NUL character.", "Save the file as UTF-8 text."
            findings.error("NUL_CHARACTER", "", "", message, remedy)
            return {}
        text_language = values.language(first.get("language", ""), "language", findings)
        text_language = text_language or context.default_language
        title = values.title(first["title"], "title", findings)
        kind = first.get("kind", "").strip() or "course"
        if kind not in KINDS:
            findings.error("KIND_UNKNOWN", "kind", kind, "There is no such kind.", f"Use {', '.join(KINDS)}.")
        description = values.prose(
            first.get("description", ""), values.MAX_DESCRIPTION, "description", findings
        )
        return {
            "titles": {text_language: title},
            "descriptions": {text_language: description} if description else {},
            "kind": kind,
            "eqf_level": values.whole(first.get("eqf_level", ""), 1, 8, "eqf_level", findings) or 0,
            "url": values.web_address(first.get("url", ""), "url", findings),
            "subjects": subjects(_parts(first.get("subjects", "")), "subjects", findings),
            "occupations": occupations(
                _parts(first.get("occupations", "")), "occupations", context, findings
            ),
            "offerings": _offerings(rows, course, context, findings),
            **_features(first),
            **awarding_body(values.plain(first.get("awarding_body", ""), MAX_NAME)),
        }


def _lines(bounded: Bounded) -> Iterator[str]:
    raw = io.BufferedReader(cast(io.RawIOBase, _Raw(bounded)), 65536)
    return iter(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""))


class _Raw(io.RawIOBase):
    """A Bounded as the io module wants it."""

    def __init__(self, bounded: Bounded) -> None:
        self._bounded = bounded

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._bounded.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _check_header(header: Row) -> None:
    names = [name.strip().lower() for name in header]
    missing = [name for name in ("course_id", "title") if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing or unknown or len(set(names)) != len(names):
        what = f"missing: {missing}" if missing else f"unknown or doubled: {unknown or names}"
        raise FeedBroken(
            "HEADER_INVALID",
            1,
            "The header is not that of the template.",
            f"Use the columns {', '.join(COLUMNS)}.",
            what,
        )


def _group(reader: Any, names: list[str], bounded: Bounded) -> Iterator[Raw]:
    """Puts consecutive rows of one course together."""
    position = names.index("course_id")
    group: list[Row] = []
    current, line = "", 2
    for row in reader:
        if not row:
            continue
        key = unguarded(row[position].strip()) if len(row) > position else ""
        if group and (key != current or not key):
            yield _raw(current, line, names, group)
            bounded.record_done()
            group = []
        if not group:
            current, line = key, reader.line_num
        group.append(row)
    if group:
        yield _raw(current, line, names, group)


def _raw(key: str, line: int, names: list[str], group: list[Row]) -> Raw:
    text = _BETWEEN_ROWS.join([_BETWEEN_VALUES.join(row) for row in group])
    usable = len(key) <= MAX_ID and "\0" not in key
    return Raw(key if usable else "", line, text.encode(), _Rows(names, group))


class _Rows(Sequence[dict[str, str]]):
    """Rows as dictionaries, made when asked for: unchanged records never are."""

    def __init__(self, names: list[str], rows: list[Row]) -> None:
        self._names = names
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[dict[str, str]]:  # what the base class has takes three times as long
        return map(self.__getitem__, range(len(self._rows)))

    def __getitem__(self, index: Any) -> Any:
        row = self._rows[index]
        if len(row) != len(self._names):
            return {None: row}
        if "'" in "".join(row):  # hardly ever, and a call for each value takes longer than all the rest
            row = [*map(unguarded, row)]
        return dict(zip(self._names, row, strict=True))


def _parts(text: str) -> list[str]:
    return [values.plain(part, 200) for part in text.split("|") if part.strip()] if text else []


def _features(row: dict[str, str]) -> Document:
    said = row.get("modules", ""), row.get("target_groups", ""), row.get("territories", "")
    if not any(said):  # in most rows
        return {}
    modules, target_groups, territories = said
    return features(map(_module, _parts(modules)), _tags(target_groups), _tags(territories))


def _module(text: str) -> Document:
    title, _, level = text.partition("::")
    return module(title.strip(), values.plain(level, 40))


def _tags(text: str) -> list[str]:
    return [part[:60].strip() for part in _parts(text)]


def _offerings(
    rows: Sequence[dict[str, str]], course: str, context: Context, findings: Findings
) -> list[Document]:
    offerings: dict[tuple[int, str], list[Document]] = {}
    seen: set[str] = set()
    for number, row in enumerate(rows):
        external = row.get("session_id", "").strip()[:MAX_ID]
        if not external and len(rows) == 1 and not row.get("start_date", "").strip():
            break
        external = external or str(number + 1)
        if external in seen:
            findings.error(
                "SESSION_DOUBLED",
                "session_id",
                external,
                "Two sessions of the course have this id.",
                "Give each session an id of its own.",
            )
            continue
        seen.add(external)
        mode = row.get("mode", "").strip().lower()
        if mode and mode not in MODES:
            findings.warning("MODE_UNKNOWN", "mode", mode, "No such mode.", f"Use {', '.join(MODES)}.")
        path = "instruction_language"
        spoken = values.language(row.get(path, ""), path, findings)
        key = MODES.get(mode, 0), spoken
        offerings.setdefault(key, []).append(_session(row, course, external, context, findings))
    return [
        {"mode": mode, "language": spoken, "sessions": found} for (mode, spoken), found in offerings.items()
    ]


def _session(
    row: dict[str, str], course: str, external: str, context: Context, findings: Findings
) -> Document:
    get = row.get
    session: Document = {"id": courses.session_id(course, external), "external_id": external}
    for key, column in (("start", "start_date"), ("end", "end_date")):
        if found := values.day(get(column, ""), column, findings):
            session[key] = found
    for key in ("apply_from", "apply_until"):
        if found := values.day(get(key, ""), key, findings, reject=False):
            session[key] = found
    values.check_order(session, "end_date", findings)
    if price := get("price", "").strip():
        code = get("currency", "").strip() or "EUR"
        session |= values.money(price, code, "price", "currency", findings)
    nuts = values.nuts(get("nuts_code", "") or context.default_nuts_code, "nuts_code", findings)
    degrees = get("latitude", ""), get("longitude", "")
    postcode = values.postcode(get("postal_code", ""), "postal_code", findings)
    place(session, get("town", ""), degrees, nuts, "latitude", findings, postcode)
    if capacity := values.whole(get("capacity", ""), 0, 100_000, "capacity", findings):
        session["capacity"] = capacity
    status(session, get("status", "").strip().lower(), CANCELLED, (SCHEDULED,), "status", findings)
    return session
