"""Courses as rows of the CSV template: what `imports.csv_template` reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from waymark.catalogue.v1.course_pb2 import TAG_ORIGIN_MODEL

from services.catalogue.domain.courses import Document, amount, as_told, is_cancelled
from services.catalogue.domain.features import level_text
from services.catalogue.imports.csv_template import CANCELLED, COLUMNS, MODES, guarded

_MODE_NAMES = {mode: name for name, mode in MODES.items()}
_SAME = ("apply_from", "apply_until", "currency", "capacity")  # named alike in session and template
_OTHER = {
    "start_date": "start",
    "end_date": "end",
    "nuts_code": "nuts",
    "latitude": "lat",
    "longitude": "lon",
} | {name: name for name in _SAME}


def header() -> bytes:
    """Returns the first line."""
    return _lines([dict(zip(COLUMNS, COLUMNS, strict=True))])


def rows(external_id: str, document: Document) -> bytes:
    """Returns a course, by the partner's own id and its document: a row a session, or one without any.

    Texts are in English where it has a title in it, else in its first language.
    """
    titles = document["titles"]
    language = "en" if "en" in titles else next(iter(titles))
    course = {
        "course_id": guarded(external_id),
        "title": guarded(titles[language]),
        "language": language,
        "description": guarded(document["descriptions"].get(language, "")),
        "kind": document["kind"],
        "eqf_level": document["eqf_level"] or "",
        "url": document["url"],
        "subjects": _several(document["subjects"]),
        "occupations": "|".join(
            tag["uri"] for tag in document["occupations"] if tag["origin"] != TAG_ORIGIN_MODEL
        ),
        "modules": _several(map(_module, document.get("modules", []))),
        "target_groups": _several(document.get("target_groups", [])),
        "territories": _several(document.get("territories", [])),
        "awarding_body": guarded(document.get("awarding_body", "")),
    }
    return _lines([{**course, **session} for session in _sessions(document)] or [course])


def _several(texts: Iterable[str]) -> str:
    return guarded("|".join(text.replace("|", "/") for text in texts))


def _module(module: Document) -> str:
    level = level_text(module)
    return f"{module['title']}::{level}" if level else str(module["title"])


def _sessions(document: Document) -> Iterator[dict[str, Any]]:
    for offering in document["offerings"]:
        for session in map(as_told, offering["sessions"]):
            yield {column: session.get(key, "") for column, key in _OTHER.items()} | {
                "session_id": guarded(session["external_id"]),
                "town": guarded(session.get("town", "")),
                "postal_code": guarded(session.get("postcode", "")),
                "mode": _MODE_NAMES.get(offering["mode"], ""),
                "instruction_language": offering["language"],
                "price": amount(session["cents"]) if "cents" in session else "",
                "status": CANCELLED if is_cancelled(session) else "",
            }


def _lines(found: list[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.DictWriter(text, COLUMNS, restval="").writerows(found)
    return text.getvalue().encode()
