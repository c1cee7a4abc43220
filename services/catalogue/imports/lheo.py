"""Feeds in LHÉO 2.2 and 2.3 (Langage harmonisé d'échange d'informations sur l'offre de formation).

Streamed: one `formation` is in memory at a time. Its id is its attribute `numero`. Each `session` of each
`action` becomes a session; codes of FORMACODE, NSF, ROME and certifications become subjects. Dates are
YYYYMMDD, of which month and day may be 00; 00000000 and 99999999 mean unknown. A lone hyphen means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from waymark.catalogue.v1.course_pb2 import CourseMode

from services.catalogue.domain.courses import Document
from services.catalogue.domain.findings import INFO, Findings
from services.catalogue.imports import countries, french_regions, leftovers, offerings, values
from services.catalogue.imports.feed import MAX_ID, Bounded, Context, FeedBroken, Raw
from services.catalogue.imports.offerings import Offerings
from services.catalogue.imports.xml_records import XmlReader, elements, forget

NAMESPACES = "{http://www.lheo.org/2.2}", "{http://lheo.gouv.fr/2.3}"
MODES: dict[str, int] = {
    "0": CourseMode.COURSE_MODE_ON_SITE,
    "1": CourseMode.COURSE_MODE_BLENDED,
    "2": CourseMode.COURSE_MODE_DISTANCE,
}
# Key of dict-niveaux → EQF: the nomenclature of 1969 (4 to 8) and that of 2019 (11 to 18).
LEVELS = {"4": 3, "5": 4, "6": 5, "7": 6, "8": 7} | {str(10 + level): level for level in range(1, 9)}
UNKNOWN_LEVELS = ("", "0", "1")  # not told, none in particular
CLOSED = {"2": "closed", "3": "suspended"}
PERMANENT = "1"  # of modalites-entrees-sorties
CODES = (
    ("FORMACODE", "domaine-formation/code-FORMACODE"),
    ("NSF", "domaine-formation/code-NSF"),
    ("ROME", "domaine-formation/code-ROME"),
    ("RNCP", "certification/code-RNCP"),
    ("RS", "certification/code-RS"),
    ("CERTIFINFO", "certification/code-CERTIFINFO"),
    ("CPF", "certification/code-CPF"),
)
TEXTS = "objectif-formation", "resultats-attendus", "contenu-formation"
CARRIED = leftovers.place(
    """@numero domaine-formation/code-FORMACODE domaine-formation/code-NSF domaine-formation/code-ROME
    certification/code-RNCP certification/code-RS certification/code-CERTIFINFO certification/code-CPF
    intitule-formation objectif-formation resultats-attendus contenu-formation code-niveau-sortie
    url-formation/urlweb action@numero action/modalites-enseignement action/modalites-entrees-sorties
    action/langue-formation action/prix-total-TTC action/url-action/urlweb
    action/lieu-de-formation/coordonnees/adresse/codepostal
    action/lieu-de-formation/coordonnees/adresse/ville
    action/lieu-de-formation/coordonnees/adresse/departement
    action/lieu-de-formation/coordonnees/adresse/pays
    action/lieu-de-formation/coordonnees/adresse/geolocalisation/latitude
    action/lieu-de-formation/coordonnees/adresse/geolocalisation/longitude
    action/session@numero action/session/periode/debut action/session/periode/fin
    action/session/periode-inscription/periode/debut action/session/periode-inscription/periode/fin
    action/session/etat-recrutement action/session/url-session/urlweb action/session/cycle/capacite-simultanee
    action/session/cycle/capacite-cumulee"""
)
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


class Lheo(XmlReader):
    """Reader of LHÉO 2.2 and 2.3."""

    revision = "lheo-2"

    def records(self, stream: Bounded) -> Iterator[Raw]:
        """Yields a record per `formation`; its content is the element."""
        roots = tuple(f"{each}{name}" for each in NAMESPACES for name in ("lheo", "lheo-plus"))
        wanted = tuple(f"{each}formation" for each in NAMESPACES)
        for element in elements(stream, roots, wanted, _no_lheo):
            key = element.get("numero", "").strip()
            raw = etree.tostring(element, with_tail=False)
            yield Raw(key if len(key) <= MAX_ID else "", element.sourceline or 0, raw, element)
            stream.record_done()
            forget(element)

    def read(self, raw: Raw, course: str, context: Context, findings: Findings) -> Document:
        """Reads a formation."""
        element = raw.content
        leftovers.tell(leftovers.of_element(element, CARRIED, context.told), context, findings)
        language = context.default_language
        title = values.title(_text(element, "intitule-formation"), "intitule-formation", findings)
        text = " ".join(filter(None, (_text(element, name) for name in TEXTS)))
        description = values.prose(text, values.MAX_DESCRIPTION, "contenu-formation", findings)
        codes = [
            f"{name} {(each.text or '').strip().upper().removeprefix(name)}"
            for name, path in CODES
            for each in _all(element, path)
            if (each.text or "").strip()
        ]
        return {
            "titles": {language: title},
            "descriptions": {language: description} if description else {},
            "kind": "course",
            "eqf_level": _level(element, findings),
            "url": _url(element, context, findings),
            "subjects": offerings.subjects(codes, "domaine-formation", findings),
            "occupations": [],
            "offerings": _offerings(element, course, context, findings),
        }


def _no_lheo(root: str) -> FeedBroken:
    return FeedBroken(
        "NO_LHEO",
        1,
        "This is no LHÉO 2.2 or 2.3 file.",
        f"Its root must be `lheo` in {' or '.join(each[1:-1] for each in NAMESPACES)}.",
        root,
    )


def _all(element: Any, path: str) -> list[Any]:
    """Elements at a path of names, all in the namespace of `element`."""
    namespace = element.tag[: element.tag.index("}") + 1]
    found: list[Any] = element.findall("/".join(namespace + name for name in path.split("/")))
    return found


def _text(element: Any, path: str) -> str:
    """The text of the first element at a path, "" when there is none or it says nothing."""
    found = _all(element, path)
    text = "".join(found[0].itertext()).strip() if found else ""
    return "" if text == "-" else text


def _level(element: Any, findings: Findings) -> int:
    said = _text(element, "code-niveau-sortie")
    if said in LEVELS:
        return LEVELS[said]
    if said not in UNKNOWN_LEVELS:
        message, remedy = "No EQF level is known for this one.", "Use a key from 4 to 8 or 11 to 18."
        findings.warning("LEVEL_UNKNOWN", "code-niveau-sortie", said, message, remedy)
    return 0


def _url(element: Any, context: Context, findings: Findings) -> str:
    """The first address of the formation, else of an action, else of a session; without scheme it is http."""
    paths = ("url-formation/urlweb", "action/url-action/urlweb", "action/session/url-session/urlweb")
    said = [(path, (each.text or "").strip()) for path in paths for each in _all(element, path)]
    said = [(path, text) for path, text in said if text.strip("-")]
    if not said:
        return ""
    path, text = said[0]
    leftovers.tell_several("urlweb", len({text for _, text in said}), context, findings)
    return values.web_address(text if _SCHEME.match(text) else f"http://{text}", path, findings)


def _offerings(element: Any, course: str, context: Context, findings: Findings) -> list[Document]:
    found = Offerings(course, "action/session@numero", findings)
    for action in _all(element, "action"):
        mode = _mode(action, findings)
        spoken = _language(action, context, findings)
        price = _price(action, findings)
        for item in _all(action, "session"):
            session = found.session(item.get("numero", ""))
            _dates(session, item, _text(action, "modalites-entrees-sorties"), context, findings)
            session.update(price)
            if mode != CourseMode.COURSE_MODE_DISTANCE:
                _place(session, action, context, findings)
            _capacity(session, item, context, findings)
            _state(item, findings)
            found.add(mode, spoken, session)
    return found.documents()


def _mode(action: Any, findings: Findings) -> int:
    said = _text(action, "modalites-enseignement")
    if said and said not in MODES:
        remedy = "Write 0 (on site), 1 (mixed) or 2 (at a distance)."
        values.mode_unknown("action/modalites-enseignement", said, remedy, findings)
    return MODES.get(said, 0)


def _language(action: Any, context: Context, findings: Findings) -> str:
    path = "action/langue-formation"
    said = [(each.text or "").strip() for each in _all(action, "langue-formation")]
    leftovers.tell_several(path, len(said), context, findings)
    return values.language(said[0], path, findings) if said else ""


def _price(action: Any, findings: Findings) -> Document:
    """The total price with all taxes, in euro as the format has it."""
    said = _text(action, "prix-total-TTC").rstrip("€ ")
    if not said:
        return {}
    cents = values.cents(said, "action/prix-total-TTC", findings)
    return {} if cents is None else {"currency": "EUR", "cents": cents}


def _dates(session: Document, item: Any, entry: str, context: Context, findings: Findings) -> None:
    path = "action/session/periode"
    start = _day(_text(item, "periode/debut"), f"{path}/debut", findings, last=False)
    end = _day(_text(item, "periode/fin"), f"{path}/fin", findings, last=True)
    if entry not in ("", "0", PERMANENT):
        message, remedy = "There is no such way of entry.", "Write 0 (fixed dates) or 1 (permanent)."
        findings.warning("ENTRY_UNKNOWN", "action/modalites-entrees-sorties", entry, message, remedy)
    if entry == PERMANENT and start and context.once("ENTRY_PERMANENT"):
        findings.add(
            INFO,
            "ENTRY_PERMANENT",
            f"{path}/debut",
            start,
            "One can enter at any time, so sessions of this kind keep no first day.",
            "Nothing needs to be mended.",
        )
    days = (("start", "" if entry == PERMANENT else start), ("end", end))
    session.update({key: day for key, day in days if day})
    values.check_order(session, f"{path}/fin", findings)
    path = "action/session/periode-inscription/periode"
    for key, name in (("apply_from", "debut"), ("apply_until", "fin")):
        said = _text(item, f"periode-inscription/periode/{name}")
        if found := _day(said, f"{path}/{name}", findings, last=name == "fin"):
            session[key] = found


def _day(said: str, path: str, findings: Findings, *, last: bool) -> str | None:
    """An ISO 8601 date; None when it is unknown or (an error) wrong."""
    if said in ("", "00000000", "99999999"):
        return None
    match = _DATE.fullmatch(said)
    if match is None:
        return values.day(said, path, findings)
    year, month, day = match.groups()
    if day == "00":
        return values.month_day(int(year), int(month) or None, path, findings, last=last)
    return values.day(f"{year}-{month}-{day}", path, findings)


def _place(session: Document, action: Any, context: Context, findings: Findings) -> None:
    path = "lieu-de-formation/coordonnees/adresse"
    found = _all(action, path)
    if not found:
        return
    leftovers.tell_several("action/lieu-de-formation", len(found), context, findings)
    address = found[0]
    country = _text(address, "pays")
    nuts = countries.region(country, context)
    if country in ("", "FR"):
        nuts = french_regions.nuts_code(_text(address, "departement"), _text(address, "codepostal")) or nuts
    degrees = _text(address, "geolocalisation/latitude"), _text(address, "geolocalisation/longitude")
    code = values.postcode(_text(address, "codepostal"), f"action/{path}/codepostal", findings)
    where = f"action/{path}/geolocalisation"
    offerings.place(session, _text(address, "ville"), degrees, nuts, where, findings, code)


def _capacity(session: Document, item: Any, context: Context, findings: Findings) -> None:
    """Places in all, else at a time, of the first cycle that says it."""
    for name in ("cycle/capacite-cumulee", "cycle/capacite-simultanee"):
        said = [text for each in _all(item, name) if (text := (each.text or "").strip())]
        if said:
            path = f"action/session/{name}"
            leftovers.tell_several(path, len(said), context, findings)
            if capacity := values.whole(said[0], 0, 100_000, path, findings):
                session["capacity"] = capacity
            return


def _state(item: Any, findings: Findings) -> None:
    said = _text(item, "etat-recrutement")
    if said in CLOSED:
        values.enrolment_closed("action/session/etat-recrutement", CLOSED[said], findings)
