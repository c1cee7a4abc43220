"""Taxonomy files:

ESCO occupations, ESCO skills, ISCO groups and which skills occupations need as ESCO publishes them (CSV), and
labels of further languages.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from waymark.catalogue.v1.taxonomy_change_pb2 import LinkStrength
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.findings import clean
from services.catalogue.store.taxonomies import ConceptRow
from services.platform.errors import Refusal, Violation

MAX_ROWS = 100_000
MAX_RELATIONS = 500_000  # rows; ESCO 1.1.1 has some 126 000
MAX_BYTES = 64 << 20
MAX_LABEL = MAX_URI = 500  # characters
MAX_VIOLATIONS = 50
_CODE = re.compile(r"[0-9]{1,4}")
_ID = re.compile(r"[0-9A-Za-z._-]{1,64}")
_BETWEEN = re.compile(r"\n| \| ")  # labels: collections of skills have bars between them
STRENGTHS = {
    name.removeprefix("LINK_STRENGTH_").lower(): number for name, number in LinkStrength.items() if number
}
_LANGUAGE = re.compile(r"[a-z]{2,3}")


class _Problems:
    """Collects what is wrong by line and column; `check` refuses the file as a whole."""

    def __init__(self) -> None:
        self._violations: list[Violation] = []

    def add(self, line: int, column: str, what: str) -> None:
        if len(self._violations) < MAX_VIOLATIONS:
            self._violations.append(Violation(f"line {line}, {column}" if line else "file", what))

    def check(self) -> None:
        if self._violations:
            raise Refusal(reason_pb2.REASON_TAXONOMY_FILE_INVALID, violations=self._violations)


def read_esco(stream: BinaryIO, language: str) -> list[ConceptRow]:
    """Reads `occupations_xx.csv`: conceptUri, iscoGroup, preferredLabel, altLabels, description, code."""
    return _read(stream, language, ("conceptUri", "iscoGroup", "preferredLabel", "altLabels", "code"), _esco)


def read_isco(stream: BinaryIO, language: str) -> list[ConceptRow]:
    """Reads `ISCOGroups_xx.csv`: conceptUri, code, preferredLabel, altLabels, description."""
    return _read(stream, language, ("conceptUri", "code", "preferredLabel", "altLabels"), _isco)


def read_skills(stream: BinaryIO, language: str) -> list[ConceptRow]:
    """Reads `skills_xx.csv` or a collection of skills: conceptUri, preferredLabel, altLabels, description."""
    return _read(stream, language, ("conceptUri", "preferredLabel", "altLabels"), None)


def read_labels(stream: BinaryIO, concepts: Mapping[str, str]) -> list[tuple[str, str, str, bool]]:
    """Reads labels (columns concept, language, label) as (concept id, language, label, preferred).

    `concepts`: URI or code → id. No label read here is the preferred one.
    """
    problems = _Problems()
    found: list[tuple[str, str, str, bool]] = []
    for line, row in _rows(stream, ("concept", "language", "label"), problems):
        concept = concepts.get(row["concept"].strip())
        label = clean(row["label"]).strip()
        if concept is None:
            problems.add(line, "concept", f"{clean(row['concept'])[:80]!r} is not in this version")
        elif not _LANGUAGE.fullmatch(row["language"]):
            problems.add(line, "language", "is no language code such as nl")
        elif not 0 < len(label) <= MAX_LABEL:
            problems.add(line, "label", f"must have 1 to {MAX_LABEL} characters")
        else:
            found.append((concept, row["language"], label, False))
    problems.check()
    return found


def read_relations(stream: BinaryIO, concepts: Mapping[str, str]) -> dict[tuple[str, str], bool]:
    """Reads relations (columns occupationUri, relationType, skillUri) as (concept id, skill URI) → essential.

    `concepts`: URI or code → id. What is essential in one row and optional in another is essential.
    """
    problems = _Problems()
    found: dict[tuple[str, str], bool] = {}
    for line, row in _rows(stream, ("occupationUri", "relationType", "skillUri"), problems, MAX_RELATIONS):
        concept, skill = concepts.get(row["occupationUri"].strip()), row["skillUri"].strip()
        if concept is None:
            problems.add(
                line, "occupationUri", f"{clean(row['occupationUri'])[:80]!r} is not in this version"
            )
        elif not 0 < len(skill) <= MAX_URI or ":" not in skill:
            problems.add(line, "skillUri", f"is no URI of at most {MAX_URI} characters")
        elif row["relationType"] not in ("essential", "optional"):
            problems.add(line, "relationType", "must be essential or optional")
        else:
            found[concept, skill] = found.get((concept, skill), False) or row["relationType"] == "essential"
    if not found:
        problems.add(0, "", "holds no relations")
    problems.check()
    return found


def read_template(stream: BinaryIO, language: str, scheme: str) -> list[ConceptRow]:
    """Reads the template for any scheme (see `ImportTaxonomyRequest.format`); `language`: of rows that name
    none."""
    problems = _Problems()
    rows: dict[str, ConceptRow] = {}
    for line, row in _rows(stream, ("code", "label"), problems):
        code, label = row["code"].strip(), clean(row["label"]).strip()
        isco, named = (row.get(name, "").strip() for name in ("isco_code", "language"))
        uri = row.get("uri", "").strip() or f"urn:waymark:{scheme}:{code}"
        known = rows.get(code)
        if not _ID.fullmatch(code):
            problems.add(line, "code", "must have 1 to 64 letters, digits, dots, hyphens or underscores")
        elif not 0 < len(label) <= MAX_LABEL:
            problems.add(line, "label", f"must have 1 to {MAX_LABEL} characters")
        elif len(uri) > MAX_URI or ":" not in uri:
            problems.add(line, "uri", f"is no URI of at most {MAX_URI} characters")
        elif isco and not _CODE.fullmatch(isco):
            problems.add(line, "isco_code", "is no ISCO-08 code")
        elif named and not _LANGUAGE.fullmatch(named):
            problems.add(line, "language", "is no language code such as nl")
        elif known and any(spoken == (named or language) for spoken, _, _ in known.labels):
            problems.add(line, "code", "stands in the file twice in this language")
        else:
            others = {clean(each).strip() for each in row.get("alternative_labels", "").split("|")}
            labels = [(named or language, label, True)]
            labels += [(named or language, each, False) for each in sorted(others - {"", label})]
            if known:
                rows[code] = known._replace(labels=[*known.labels, *labels])
            else:
                text = clean(row.get("description", ""))[:20_000]
                rows[code] = ConceptRow(code, uri, code, isco, text, labels)
    if not rows:
        problems.add(0, "", "holds no concepts")
    problems.check()
    return list(rows.values())


def read_links(
    stream: BinaryIO, sources: Mapping[str, str], targets: Mapping[str, str]
) -> list[tuple[str, str, int]]:
    """Reads links (columns source, target, strength) as (source id, target id, LinkStrength).

    `sources`, `targets`: URI or code → id.
    """
    problems = _Problems()
    found: dict[tuple[str, str], int] = {}
    for line, row in _rows(stream, ("source", "target", "strength"), problems):
        ids = [known.get(row[side].strip()) for side, known in (("source", sources), ("target", targets))]
        strength = STRENGTHS.get(row["strength"].strip().lower())
        for side, concept in zip(("source", "target"), ids, strict=True):
            if concept is None:
                problems.add(line, side, f"{clean(row[side])[:80]!r} is not in its version")
        if strength is None:
            problems.add(line, "strength", f"must be one of {', '.join(STRENGTHS)}")
        elif ids[0] is not None and ids[1] is not None:
            found[ids[0], ids[1]] = strength
    problems.check()
    return [(*ids, strength) for ids, strength in found.items()]


def _read(
    stream: BinaryIO, language: str, columns: tuple[str, ...], isco: Callable[[dict[str, str]], str] | None
) -> list[ConceptRow]:
    problems = _Problems()
    rows: dict[str, ConceptRow] = {}
    for line, row in _rows(stream, columns, problems):
        uri, code = row["conceptUri"].strip(), row["code"].strip() if isco else ""
        concept = uri.rsplit("/", 1)[-1]
        preferred, isco_code = clean(row["preferredLabel"]).strip(), isco(row) if isco else ""
        if not uri.startswith(("http://", "https://")) or not _ID.fullmatch(concept):
            problems.add(line, "conceptUri", "is no concept URI")
        elif len(uri) > MAX_URI:
            problems.add(line, "conceptUri", f"has more than {MAX_URI} characters")
        elif concept in rows:
            problems.add(line, "conceptUri", "stands in the file twice")
        elif isco and not _CODE.fullmatch(isco_code):
            problems.add(line, "iscoGroup" if "iscoGroup" in columns else "code", "is no ISCO-08 code")
        elif not 0 < len(preferred) <= MAX_LABEL:
            problems.add(line, "preferredLabel", f"must have 1 to {MAX_LABEL} characters")
        else:
            others = {clean(label).strip() for label in _BETWEEN.split(row["altLabels"])} - {"", preferred}
            labels = [(language, preferred, True)]
            labels += [(language, label, False) for label in sorted(others) if len(label) <= MAX_LABEL]
            text = clean(row.get("description") or "")[:20_000]
            rows[concept] = ConceptRow(concept, uri, code, isco_code, text, labels)
    if not rows:
        problems.add(0, "", "holds no concepts")
    problems.check()
    return list(rows.values())


def _esco(row: dict[str, str]) -> str:
    return row["iscoGroup"].strip()


def _isco(row: dict[str, str]) -> str:
    return row["code"].strip()


def _rows(
    stream: BinaryIO, columns: tuple[str, ...], problems: _Problems, most: int = MAX_ROWS
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yields (line, row) of a UTF-8 CSV file with at least these columns; notes what is wrong."""
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        problems.add(0, "", f"is larger than {MAX_BYTES >> 20} MiB")
        return
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.add(data.count(b"\n", 0, error.start) + 1, "encoding", "is not UTF-8")
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            problems.add(1, "header", f"lacks {', '.join(missing)}")
            return
        for count, row in enumerate(reader):
            if count >= most:
                problems.add(reader.line_num, "row", f"is beyond the {most} rows a file may have")
                return
            if None in row or None in row.values():
                problems.add(reader.line_num, "row", "has more or fewer values than the header")
                continue
            if any("\0" in value for value in row.values()):  # which no text of the database holds
                problems.add(reader.line_num, "row", "holds a NUL character; save the file as UTF-8 text")
                continue
            yield reader.line_num, row
    except csv.Error as error:
        problems.add(reader.line_num, "row", f"is no CSV: {error}")
