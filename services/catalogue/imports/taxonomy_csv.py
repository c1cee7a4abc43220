"""Taxonomy files:

ESCO occupations, ESCO skills, ISCO groups and which skills occupations need as ESCO publishes them (CSV), and
labels of further languages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import BinaryIO

from waymark.catalogue.v1.taxonomy_change_pb2 import LinkStrength
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.findings import clean
from services.catalogue.imports.csv_rows import Limits, Problems, rows
from services.catalogue.store.taxonomies import ConceptRow

LIMITS = Limits(rows=100_000, bytes=64 << 20)  # what it holds is in memory until it is found right
RELATIONS = LIMITS._replace(rows=500_000)  # ESCO 1.1.1 has some 126 000
MAX_LABEL = MAX_URI = 500  # characters
_CODE = re.compile(r"[0-9]{1,4}")
_ID = re.compile(r"[0-9A-Za-z._-]{1,64}")
_BETWEEN = re.compile(r"\n| \| ")  # labels: collections of skills have bars between them
STRENGTHS = {
    name.removeprefix("LINK_STRENGTH_").lower(): number for name, number in LinkStrength.items() if number
}
_LANGUAGE = re.compile(r"[a-z]{2,3}")


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
    problems = Problems(reason_pb2.REASON_TAXONOMY_FILE_INVALID)
    found: list[tuple[str, str, str, bool]] = []
    for line, row in rows(stream, ("concept", "language", "label"), LIMITS, problems):
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
    problems = Problems(reason_pb2.REASON_TAXONOMY_FILE_INVALID)
    found: dict[tuple[str, str], bool] = {}
    for line, row in rows(stream, ("occupationUri", "relationType", "skillUri"), RELATIONS, problems):
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
    problems = Problems(reason_pb2.REASON_TAXONOMY_FILE_INVALID)
    concepts: dict[str, ConceptRow] = {}
    for line, row in rows(stream, ("code", "label"), LIMITS, problems):
        code, label = row["code"].strip(), clean(row["label"]).strip()
        isco, named = (row.get(name, "").strip() for name in ("isco_code", "language"))
        uri = row.get("uri", "").strip() or f"urn:waymark:{scheme}:{code}"
        known = concepts.get(code)
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
                concepts[code] = known._replace(labels=[*known.labels, *labels])
            else:
                text = clean(row.get("description", ""))[:20_000]
                concepts[code] = ConceptRow(code, uri, code, isco, text, labels)
    if not concepts:
        problems.add(0, "", "holds no concepts")
    problems.check()
    return list(concepts.values())


def read_links(
    stream: BinaryIO, sources: Mapping[str, str], targets: Mapping[str, str]
) -> list[tuple[str, str, int]]:
    """Reads links (columns source, target, strength) as (source id, target id, LinkStrength).

    `sources`, `targets`: URI or code → id.
    """
    problems = Problems(reason_pb2.REASON_TAXONOMY_FILE_INVALID)
    found: dict[tuple[str, str], int] = {}
    for line, row in rows(stream, ("source", "target", "strength"), LIMITS, problems):
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
    problems = Problems(reason_pb2.REASON_TAXONOMY_FILE_INVALID)
    concepts: dict[str, ConceptRow] = {}
    for line, row in rows(stream, columns, LIMITS, problems):
        uri, code = row["conceptUri"].strip(), row["code"].strip() if isco else ""
        concept = uri.rsplit("/", 1)[-1]
        preferred, isco_code = clean(row["preferredLabel"]).strip(), isco(row) if isco else ""
        if not uri.startswith(("http://", "https://")) or not _ID.fullmatch(concept):
            problems.add(line, "conceptUri", "is no concept URI")
        elif len(uri) > MAX_URI:
            problems.add(line, "conceptUri", f"has more than {MAX_URI} characters")
        elif concept in concepts:
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
            concepts[concept] = ConceptRow(concept, uri, code, isco_code, text, labels)
    if not concepts:
        problems.add(0, "", "holds no concepts")
    problems.check()
    return list(concepts.values())


def _esco(row: dict[str, str]) -> str:
    return row["iscoGroup"].strip()


def _isco(row: dict[str, str]) -> str:
    return row["code"].strip()
