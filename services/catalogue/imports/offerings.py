"""Offerings of a course, put together session by session."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from waymark.catalogue.v1.course_pb2 import TAG_ORIGIN_PARTNER, CourseMode

from services.catalogue.domain import courses
from services.catalogue.domain.courses import Document
from services.catalogue.domain.features import MAX_NAME, awarding_body
from services.catalogue.domain.findings import INFO, Findings
from services.catalogue.imports import leftovers, values
from services.catalogue.imports.feed import MAX_ID, Context

MAX_OCCUPATIONS = 50
AFAR = (CourseMode.COURSE_MODE_ONLINE, CourseMode.COURSE_MODE_DISTANCE)  # modes in which nobody goes anywhere


class Offerings:
    """Sessions of a course, those taught in the same mode and language together.

    `path`: where a session's id stands in the file.
    """

    def __init__(self, course: str, path: str, findings: Findings) -> None:
        self._course = course
        self._path = path
        self._findings = findings
        self._count = 0
        self._seen: set[str] = set()
        self._found: dict[tuple[int, str], list[Document]] = {}

    def session(self, external_id: str) -> Document:
        """Returns a new session; without an id its number is taken, and a doubled one is told."""
        self._count += 1
        external = external_id.strip()[:MAX_ID] or str(self._count)
        if external in self._seen:
            external = f"{external}#{self._count}"
            self._findings.warning(
                "SESSION_DOUBLED",
                self._path,
                external,
                "Two sessions of the course have the same id.",
                "Give each session an id of its own.",
            )
        self._seen.add(external)
        return {"id": courses.session_id(self._course, external), "external_id": external}

    def add(self, mode: int, language: str, session: Document) -> None:
        """Puts a session in."""
        self._found.setdefault((mode, language), []).append(session)

    def documents(self) -> list[Document]:
        """Returns the offerings of the document."""
        return [
            {"mode": mode, "language": language, "sessions": sessions}
            for (mode, language), sessions in self._found.items()
        ]


def mode(
    said: Sequence[str],
    modes: Mapping[str, int],
    path: str,
    remedy: str,
    context: Context,
    findings: Findings,
) -> int:
    """Returns the first mode that is known by a word in `modes`, 0 without one; several are told, and once a
    run each word that is none, with a `remedy`."""
    known = [modes[word] for word in said if word in modes]
    leftovers.tell_several(path, len(set(known)), context, findings)
    for word in said:
        if word not in modes and context.once(f"MODE_UNKNOWN {word[:200]}"):
            values.mode_unknown(path, word, remedy, findings)
    return known[0] if known else 0


def status(
    session: Document, said: str, cancelled: str, others: Collection[str], path: str, findings: Findings
) -> None:
    """Puts into a session that it is `cancelled`, where that is said; a word that is none of `others` either,
    such as that it is postponed with no new day, is told."""
    if said == cancelled:
        session["cancelled"] = True
    elif said and said not in others:
        findings.warning(
            "SESSION_STATUS_UNKNOWN",
            path,
            said,
            "A session takes place or is cancelled; this one is shown as one that takes place.",
            f"Write {cancelled} when it does not take place; give it the day to which it is moved.",
        )


def place(
    session: Document,
    town: str,
    degrees: tuple[str, str],
    nuts: str,
    path: str,
    findings: Findings,
    postcode: str = "",
) -> None:
    """Puts a place into a session: town, latitude and longitude in degrees, NUTS code as given; the postcode
    as `values.postcode` returns it."""
    if nuts:
        session["nuts"] = nuts
    if town := values.plain(town, 100):
        session["town"] = town
    if postcode:
        session["postcode"] = postcode
    if found := values.coordinates(*degrees, path, findings):
        session["lat"], session["lon"] = found


def occupations(uris: list[str], path: str, context: Context, findings: Findings) -> list[Document]:
    """Returns the tags of the concept URIs that the imported taxonomy knows; others are told."""
    tags = []
    for uri in list(dict.fromkeys(uris))[:MAX_OCCUPATIONS]:
        known = context.occupations.get(uri)
        if known is None:
            findings.warning(
                "OCCUPATION_UNKNOWN",
                path,
                uri,
                "The imported taxonomy has no such concept.",
                "Use concept URIs of ESCO occupations or ISCO-08 groups.",
            )
            continue
        version = context.taxonomy_version
        tags.append(courses.tag(known.uri, known.isco_code, known.label, TAG_ORIGIN_PARTNER, 1.0, version))
    return tags


def subjects(found: list[str], path: str, findings: Findings) -> list[str]:
    """Returns subjects on one line each, every one once; what is beyond MAX_SUBJECTS is cut off and told."""
    kept = list(dict.fromkeys(filter(None, (values.plain(each, 200) for each in found))))
    if len(kept) > values.MAX_SUBJECTS:
        message = f"A course has at most {values.MAX_SUBJECTS} subjects; the first were taken."
        findings.add(INFO, "SUBJECTS_CUT", path, len(kept), message, "Put the most telling ones first.")
    return kept[: values.MAX_SUBJECTS]


def awarding(names: Iterable[str], path: str, context: Context, findings: Findings) -> Document:
    """Returns the part of a document that says who awards: the first that has a name; several are told."""
    found = list(dict.fromkeys(filter(None, (values.plain(name, MAX_NAME) for name in names))))
    leftovers.tell_several(path, len(found), context, findings)
    return awarding_body(next(iter(found), ""))
