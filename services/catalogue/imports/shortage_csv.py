"""Shortage files: the project's own template, lists of names, and indexes by ISCO-08 code.

Every row becomes one entry or is rejected with findings that name line, column, value and remedy.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from waymark.catalogue.v1.shortage_list_pb2 import ShortageCause, ShortageFormat
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.findings import ERROR, Finding, Findings, clean
from services.catalogue.domain.labels import normal, stems
from services.catalogue.domain.shortage import EVIDENCE_LENGTH, MOST_EVIDENCE, Entry, Match, Occupation
from services.catalogue.store.taxonomies import LabelRow
from services.platform.errors import Refusal, Violation

MAX_BYTES = 16 << 20
MAX_ROWS = 250_000
MAX_CANDIDATES = 5
NEWLINE = b"\n"
_ISCO = re.compile(r"[0-9]{1,4}")
_NUTS = re.compile(r"[A-Z]{2}[A-Z0-9]{0,3}")
_INDEX = re.compile(r"\(?(-?\d+(?:[.,]\d+)?)\)?")
CAUSES = {
    "": ShortageCause.SHORTAGE_CAUSE_UNSPECIFIED,
    "too_few_people": ShortageCause.SHORTAGE_CAUSE_TOO_FEW_PEOPLE,
    "wrong_skills": ShortageCause.SHORTAGE_CAUSE_WRONG_SKILLS,
    "working_conditions": ShortageCause.SHORTAGE_CAUSE_WORKING_CONDITIONS,
}
# Index above which a severity holds; the index is a deviation from the mean in standard deviations.
INDEX_SEVERITY = ((2.0, 5), (1.5, 4), (1.0, 3), (0.5, 2), (0.0, 1))
Row = dict[str, str]


@dataclass
class Draft:
    """What a file came to."""

    entries: list[Entry] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    rows: int = 0
    rejected: int = 0


class Named(NamedTuple):
    """What a name can mean; `sure`: it is nothing but the name of that, or somebody decided so."""

    found: list[Occupation]
    sure: bool


class Occupations:
    """Finds occupations by code, URI or name in any language.

    `labels`: rows of `taxonomies.labels_for_matching`; `decided`: name (`labels.normal`) → what it means by
    a person's decision.
    """

    def __init__(
        self,
        labels: Iterable[LabelRow],
        isco_codes: set[str],
        decided: Mapping[str, Occupation] = MappingProxyType({}),
    ) -> None:
        self.isco_codes = isco_codes
        self._decided = decided
        self._uris: dict[str, Occupation] = {}
        self._exact: defaultdict[str, dict[str, Occupation]] = defaultdict(dict)
        self._preferred: defaultdict[str, dict[str, Occupation]] = defaultdict(dict)
        self._stemmed: defaultdict[str, dict[str, Occupation]] = defaultdict(dict)
        for row in labels:
            group = row.scheme == "isco-08"
            occupation = Occupation("" if group else row.uri, row.isco_code)
            self._uris[row.uri] = occupation
            self._exact[row.normal][row.uri] = occupation
            if row.preferred:
                self._preferred[row.normal][row.uri] = occupation
            self._stemmed[stems(row.normal, row.language)][row.uri] = occupation

    def by_uri(self, uri: str) -> Occupation | None:
        """Returns the occupation of a concept URI."""
        return self._uris.get(uri)

    def by_name(self, name: str) -> Named:
        """Returns what a name can mean: preferred labels first, then any label, then labels with equal stems.

        `Pharmacist: hospital pharmacist` is tried whole, then what stands after the colon, then before it.
        Several names of one ISCO-08 unit group mean that group.
        """
        if (known := self._decided.get(normal(name))) is not None:
            return Named([known], sure=True)
        base = re.sub(r"\([^)]*\)", " ", name)
        for text in (base, *reversed(base.split(":"))) if ":" in base else (base,):
            key = normal(text)
            stemmed = {stems(key, language) for language in ("en", "nl", "fr", "de")}
            same = self._preferred.get(key) or self._exact.get(key)
            alike = (self._stemmed.get(stem) for stem in stemmed)
            for found in (same, *alike):
                if found:
                    sure = found is same and text is base and len(found) == 1
                    return Named(_merged(list(found.values())), sure)
        return Named([], sure=False)


def _merged(found: list[Occupation]) -> list[Occupation]:
    codes = {occupation.isco_code for occupation in found}
    if len(found) > 1 and len(codes) == 1:
        return [Occupation("", codes.pop())]
    return found


def read(data: bytes, shape: int, occupations: Occupations, nuts_code: str, severity: int) -> Draft:
    """Reads a file of the given ShortageFormat; `nuts_code` and `severity` stand in where a row names none.

    Raises Refusal(SHORTAGE_FILE_INVALID) when it cannot be read as this format at all.
    """
    columns, separator, read_row = _SHAPES[shape]
    draft = Draft()
    seen: dict[tuple[str, str, str], int] = {}
    for line, row in _rows(data, columns, separator):
        draft.rows += 1
        findings = Findings(str(draft.rows), line)
        entry = read_row(row, line, occupations, (nuts_code, severity), findings)
        if entry is not None and not findings.rejected:
            key = entry.uri, entry.isco_code, entry.nuts_code
            if key in seen:
                findings.warning(
                    "ENTRY_DOUBLED",
                    "occupation",
                    entry.label,
                    f"Line {seen[key]} says the same of this occupation and region.",
                    "Leave one of the two out.",
                )
            seen.setdefault(key, line)
            draft.entries.append(entry._replace(seq=len(draft.entries) + 1))
        elif findings.rejected:
            draft.rejected += 1
        draft.findings.extend(findings.found)
        if shape in _NAMED:
            given = row if shape == ShortageFormat.SHORTAGE_FORMAT_TEMPLATE_CSV else {}
            matched = row | {
                name: given.get(name, "") for name in ("region", "severity", "cause", "evidence")
            }
            match = _match(matched, line, occupations, (nuts_code, severity), findings)
            draft.matches.extend([match] if match else [])
    return draft


def _template(
    row: Row, line: int, occupations: Occupations, defaults: tuple[str, int], findings: Findings
) -> Entry | None:
    occupation = _occupation(row["occupation"], occupations, findings)
    region = row.get("region", "").strip() or defaults[0]
    if not _NUTS.fullmatch(region):
        findings.error(
            "NUTS_INVALID", "region", region, "This is no NUTS code.", "Write it like BE2 or BE211."
        )
    severity = row.get("severity", "").strip() or str(defaults[1])
    if severity not in ("1", "2", "3", "4", "5"):
        findings.error(
            "SEVERITY_INVALID",
            "severity",
            severity,
            "The severity is no whole number from 1 to 5.",
            "Write 1 (slight) to 5 (critical).",
        )
    cause = row.get("cause", "").strip().lower()
    if cause not in CAUSES:
        known = ", ".join(filter(None, CAUSES))
        findings.error("CAUSE_UNKNOWN", "cause", cause, "No such cause.", f"Write {known} or nothing.")
    evidence = _evidence(row)
    if len(evidence) > MOST_EVIDENCE or any(len(each) > EVIDENCE_LENGTH for each in evidence):
        findings.error(
            "EVIDENCE_TOO_LONG",
            "evidence",
            row["evidence"],
            f"More than {MOST_EVIDENCE} references, or one of more than {EVIDENCE_LENGTH} characters.",
            "Name what holds the rest by one reference, such as the address of the study.",
        )
    if occupation is None or findings.rejected:
        return None
    label = clean(row["occupation"]).strip()[:200]
    found = Entry(0, occupation.uri, occupation.isco_code, label, region, int(severity), CAUSES[cause], line)
    return found._replace(evidence=evidence)


def _evidence(row: Row) -> list[str]:
    """References and words, separated by `|`; each once."""
    parts = (" ".join(clean(part).split()) for part in row.get("evidence", "").split("|"))
    return list(dict.fromkeys(filter(None, parts)))


def _names(
    row: Row, line: int, occupations: Occupations, defaults: tuple[str, int], findings: Findings
) -> Entry | None:
    name = clean(row["occupation"]).strip()[:200]
    occupation = _by_name(name, occupations, findings)
    if occupation is None:
        return None
    return Entry(0, occupation.uri, occupation.isco_code, name, defaults[0], defaults[1], 0, line)


def _index(
    row: Row, line: int, occupations: Occupations, defaults: tuple[str, int], findings: Findings
) -> Entry | None:
    code = row["isco"].strip()
    occupation = _occupation(code, occupations, findings)
    text = row["index1"].strip()
    match = _INDEX.fullmatch(text)
    if text.upper() in ("NA", ""):
        findings.add(1, "INDEX_MISSING", "index1", text, "The row has no index.", "Nothing need be done.")
        return None
    if match is None:
        findings.error("INDEX_INVALID", "index1", text, "This is no number.", "Write it like 2,38.")
    if match is None or occupation is None or findings.rejected:
        return None
    if text.startswith("("):
        findings.warning(
            "INDEX_IN_BRACKETS",
            "index1",
            text,
            "The index stands in brackets, as uncertain ones do.",
            "Check whether it should count.",
        )
    value = float(match[1].replace(",", "."))
    severity = next((level for above, level in INDEX_SEVERITY if value > above), 0)
    if not severity:
        findings.add(1, "NOT_SHORT", "index1", text, "The index says no shortage.", "Nothing need be done.")
        return None
    label = clean(row.get("title", "") or code).strip()[:200]
    return Entry(0, "", occupation.isco_code, label, defaults[0], severity, 0, line)


def _occupation(text: str, occupations: Occupations, findings: Findings) -> Occupation | None:
    text = text.strip()
    if _ISCO.fullmatch(text):
        if text in occupations.isco_codes:
            return Occupation("", text)
    elif "://" in text:
        if found := occupations.by_uri(text):
            return found
    else:
        return _by_name(text, occupations, findings)
    findings.error(
        "OCCUPATION_UNKNOWN",
        "occupation",
        text,
        "The imported taxonomies have no such code or concept.",
        "Use an ISCO-08 code, the URI of an ESCO occupation, or import the taxonomy first.",
    )
    return None


def _match(
    row: Row, line: int, occupations: Occupations, defaults: tuple[str, int], findings: Findings
) -> Match | None:
    """Returns what a person should decide of a row; None: it is sure, or more is wrong with it."""
    name = clean(row["occupation"]).strip()[:200]
    wrong = {finding.code for finding in findings.found if finding.severity == ERROR}
    if (
        not name
        or name.isdecimal()
        or "://" in name
        or wrong - {"OCCUPATION_AMBIGUOUS", "OCCUPATION_UNMATCHED"}
    ):
        return None
    named = occupations.by_name(name)
    if named.sure:
        return None
    one = named.found[0] if len(named.found) == 1 else Occupation("", "")
    candidates = sorted({o.uri or o.isco_code for o in named.found})[:MAX_CANDIDATES]
    region, severity = row["region"].strip() or defaults[0], int(row["severity"].strip() or defaults[1])
    cause, meant = CAUSES[row["cause"].strip().lower()], (one.uri, one.isco_code)
    return Match(line, name, normal(name), *meant, region, severity, cause, candidates, _evidence(row))


def _by_name(name: str, occupations: Occupations, findings: Findings) -> Occupation | None:
    found = occupations.by_name(name).found if name else []
    if len(found) == 1:
        return found[0]
    if found:
        codes = ", ".join(sorted({o.uri or o.isco_code for o in found})[:5])
        findings.error(
            "OCCUPATION_AMBIGUOUS",
            "occupation",
            name,
            f"Several occupations have this name: {codes}.",
            "Name the one meant by URI or ISCO-08 code.",
        )
    else:
        findings.error(
            "OCCUPATION_UNMATCHED",
            "occupation",
            name,
            "No label of the imported taxonomies matches this name.",
            "Use an ISCO-08 code or URI, or import labels of this language.",
        )
    return None


_NAMED = {ShortageFormat.SHORTAGE_FORMAT_TEMPLATE_CSV, ShortageFormat.SHORTAGE_FORMAT_NAMES_CSV}
Reader = Callable[[Row, int, Occupations, tuple[str, int], Findings], Entry | None]
_SHAPES: dict[int, tuple[tuple[str, ...], str, Reader]] = {
    ShortageFormat.SHORTAGE_FORMAT_TEMPLATE_CSV: (("occupation",), ",", _template),
    ShortageFormat.SHORTAGE_FORMAT_NAMES_CSV: (("occupation",), ",", _names),
    ShortageFormat.SHORTAGE_FORMAT_ISCO_INDEX_CSV: (("isco", "index1"), ";", _index),
}


def _rows(data: bytes, columns: tuple[str, ...], separator: str) -> Iterator[tuple[int, Row]]:
    if len(data) > MAX_BYTES:
        raise _refused("file", f"is larger than {MAX_BYTES >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(f"line {data.count(NEWLINE, 0, error.start) + 1}", "is not UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        missing = [column for column in columns if column not in names]
        if missing:
            raise _refused("line 1", f"the header lacks {', '.join(missing)} (separator {separator!r})")
        for count, row in enumerate(filter(None, reader), 1):
            if count > MAX_ROWS:
                raise _refused(f"line {reader.line_num}", f"is beyond the {MAX_ROWS} rows a list may have")
            if len(row) != len(names):
                raise _refused(f"line {reader.line_num}", f"has {len(row)} values, the header {len(names)}")
            yield reader.line_num, dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise _refused(f"line {reader.line_num}", f"is no CSV: {error}") from None


def _refused(where: str, what: str) -> Refusal:
    return Refusal(reason_pb2.REASON_SHORTAGE_FILE_INVALID, violations=[Violation(where, what)])
