"""A CV leaves in the formats of others and as a page, without a name where that is wanted, and comes back."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from services.cli.client import Caller, request_id
from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.portfolio_rows.ground import holder

LEARNER, ELSEWHERE = "Ivana", "Dario"
FORMATS = (
    "JSON_RESUME",
    "EUROPASS_XML",
    "EUROPASS_JSON",
    "EUROPASS_CANDIDATE_XML",
    "LEAP2A",
    "PDF",
    "HTML",
)
WORK = {
    "kind": "ENTRY_KIND_WORK",
    "title": "Beekeeper",
    "organisation": "Bjelovar apiary",
    "startDate": {"year": 2019, "month": 4},
    "description": {"en": f"{LEARNER} kept forty hives.", "hr": "Četrdeset košnica."},
}


def show(journey: Journey) -> str:
    """REST: the CV in seven formats, what each cannot carry, an anonymous one; brought in elsewhere, once."""
    learner, name = holder(journey, LEARNER)
    made = learner.rest("POST", f"/v1/{name}/entries", WORK)
    files = {kind: export(learner, name, kind) for kind in FORMATS}
    expect(b"pdfuaid:part>1<" in files["PDF"], "a screen reader does not read the PDF in order")
    expect(b'<html lang="' in files["HTML"], "the page does not name its language")
    told = learner.rest("GET", f"/v1/{name}:documentReport", format="DOCUMENT_FORMAT_EUROPASS_XML")
    lost = [each["field"] for each in told.get("notCarried", [])]
    expect("entries.description.hr" in lost, f"Europass lacks {lost}, and not the second language")
    hidden = export(learner, name, "HTML", anonymous=True)
    expect(LEARNER.encode() not in hidden and b"Beekeeper" in hidden, "the anonymous CV names its person")
    body = {"title": "Apiarist", "entries": [made["name"]], "coverLetter": "I know bees."}
    version = learner.rest("POST", f"/v1/{name}/cvs", body)["name"]
    letter = export(learner, name, "HTML", cv=version, cover_letter=True)
    expect(b"I know bees." in letter and b"Apiarist" in letter, "the letter says something else")
    return f"{len(files)} formats, the PDF of {len(files['PDF'])} bytes; {move(journey, files)}"


def move(journey: Journey, files: dict[str, bytes]) -> str:
    """Somebody else brings each file in: the first adds the entry, the others find it there."""
    other, name = holder(journey, ELSEWHERE)
    tried = bring(other, name, "LEAP2A", files["LEAP2A"], dry=True)
    expect(tried.get("entryTitles") == ["Beekeeper"], f"would add {tried.get('entryTitles')}")
    for kind in FORMATS:
        bring(other, name, kind, files[kind])
    entries = other.rest("GET", f"/v1/{name}/entries").get("entries", [])
    expect(len(entries) == 1, f"{len(entries)} entries after {len(FORMATS)} files of one")
    return "all brought in make one entry"


def export(learner: Caller, name: str, kind: str, **query: Any) -> bytes:
    """A portfolio as a file."""
    return learner.rest_bytes("GET", f"/v1/{name}:document", format=f"DOCUMENT_FORMAT_{kind}", **query)


def bring(learner: Caller, name: str, kind: str, content: bytes, *, dry: bool = False) -> dict[str, Any]:
    """Brings a file in; returns what that added, in JSON."""
    body = {"format": f"DOCUMENT_FORMAT_{kind}", "content": b64encode(content).decode(), "validateOnly": dry}
    return learner.rest("POST", f"/v1/{name}/documents:import", {**body, "requestId": request_id()})


STEP = Step("cv-in-formats", "A CV leaves in seven formats and comes back", ("P4", "P18", "P21"), show)
