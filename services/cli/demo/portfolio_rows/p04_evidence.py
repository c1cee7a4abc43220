"""Files that show something: a film with its length and a small picture, an image that gets one by itself,
what is no such file, what a scanner finds, and one that its person deletes for good."""

from __future__ import annotations

import hashlib
import struct
from base64 import b64decode, b64encode
from typing import Any

from services.cli.amounts import in_days
from services.cli.client import Caller, request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows.ground import holder
from services.cli.demo.portfolio_rows.guidance import COUNSELLOR, OFFICE, add, mandate, post

LEARNER = "Amara"
SECONDS = 95
POSTER = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PDF = b"%PDF-1.7\n" + b"certificate " * 50
# The test file of the anti-virus industry, in two halves, so that no scanner takes this file for one.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + rb"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def show(journey: Journey) -> str:
    """REST: a film uploaded through the edge, looked at by the counsellor, refused where it is too long or
    no film, kept while it is handed in, and gone afterwards from the store and from what named it."""
    learner, name = holder(journey, LEARNER)
    film = filmed(learner, name)
    looked_at(journey, learner, name, film)
    previewed(journey, learner, name)
    found = scanned(learner, name)
    deleted(journey, learner, name, film)
    pictures = f"a film of {SECONDS} s with its picture, and an image whose picture came by itself"
    return f"{pictures}; {found}; gone for good once nobody needed it"


def filmed(learner: Caller, name: str) -> str:
    """A film goes in with the length that its header says, and with a picture; one of more than an hour does
    not, nor does a program that calls itself a film. Returns its name."""
    stored = upload(learner, name, film_of(SECONDS), "video/mp4")
    expect(stored["state"] == "STATE_STORED", f"the film is {stored['state']}")
    expect(stored["duration"] == f"{SECONDS}s", f"the film takes {stored['duration']}")
    with refused("EVIDENCE_TOO_LONG"):
        upload(learner, name, film_of(3601), "video/mp4")
    with refused("UPLOAD_MISMATCH"):
        upload(learner, name, b"MZ" + bytes(9000), "video/mp4")
    pictured = post(learner, f"{stored['name']}:setPoster", {"image": b64encode(POSTER).decode()})
    expect(pictured["hasPoster"], "the film has no picture")
    return str(stored["name"])


def looked_at(journey: Journey, learner: Caller, name: str, film: str) -> None:
    """The counsellor sees the picture and has the film from the middle on, and stands in the log."""
    counsellor = journey.person("counsellor", COUNSELLOR, OFFICE)
    mandate(journey, learner, name, "GUIDANCE")
    expect(counsellor.rest_bytes("GET", f"/v1/{film}:poster") == POSTER, "the picture is another")
    address = counsellor.rest("GET", f"/v1/{film}:download")["url"]
    whole = film_of(SECONDS)
    expect(counsellor.download(address, 4000) == whole[4000:], "the film goes on with other bytes")
    log = learner.rest("GET", f"/v1/{name}/accessRecords")["accessRecords"]
    actions = [each["action"] for each in log]
    expect("GetEvidencePoster" in actions and "GetEvidenceDownload" in actions, f"the log has {actions}")


def previewed(journey: Journey, learner: Caller, name: str) -> None:
    """An image without a picture gets one soon after it is stored, and none once its person takes it away."""
    image = upload(learner, name, POSTER, "image/png")["name"]
    journey.wait_for("a picture of the image", lambda: learner.rest("GET", f"/v1/{image}").get("hasPoster"))
    expect(learner.rest_bytes("GET", f"/v1/{image}:poster").startswith(POSTER[:4]), "the picture is no PNG")
    post(learner, f"{image}:setPoster", {})
    with refused("NOT_FOUND"):
        learner.rest("GET", f"/v1/{image}:poster")


def scanned(learner: Caller, name: str) -> str:
    """Each file says whether it was scanned; where the office runs a scanner, malware does not get in."""
    paper = upload(learner, name, PDF, "application/pdf")
    if paper["scanState"] == "SCAN_STATE_NOT_SCANNED":
        return "files say that no scanner has looked at them, as this stack runs none"
    expect(paper["scanState"] == "SCAN_STATE_CLEAN", f"the certificate is {paper['scanState']}")
    with refused("EVIDENCE_INFECTED"):
        upload(learner, name, PDF + EICAR, "application/pdf")
    return "a scanned certificate, and malware refused"


def deleted(journey: Journey, learner: Caller, name: str, film: str) -> None:
    """What pages were handed in with stays until they are withdrawn; then the film goes, bytes and all."""
    job = {"kind": "ENTRY_KIND_WORK", "title": "Welder", "evidence": [film]}
    entry = add(learner, f"{name}/entries", job)["name"]
    page = add(learner, f"{name}/pages", {"title": "My work", "blocks": [{"evidence": film}]})["name"]
    recipient = {"recipient": journey.subject(COUNSELLOR), "organisation": OFFICE}
    submission = {"source": page, "expireTime": in_days(30), **recipient}
    handed_in = add(learner, f"{name}/pageSubmissions", submission)["name"]
    address = learner.rest("GET", f"/v1/{film}:download")["url"]
    with refused("EVIDENCE_HANDED_IN"):
        learner.rest("DELETE", f"/v1/{film}")
    post(learner, f"{handed_in}:withdraw", {})
    learner.rest("DELETE", f"/v1/{film}", request_id=request_id())
    for gone in (film, f"{film}:download", f"{film}:poster"):
        with refused("NOT_FOUND"):
            learner.rest("GET", f"/v1/{gone}")
    with refused("REFUSED"):
        learner.download(address)
    named = learner.rest("GET", f"/v1/{entry}")
    expect(not named.get("evidence"), f"the entry still names {named.get('evidence')}")


def upload(learner: Caller, name: str, content: bytes, kind: str) -> dict[str, Any]:
    """Announces a file, uploads it by its ticket and has it checked; returns it in JSON."""
    said = {
        "title": "At work",
        "fileName": "work." + kind.rpartition("/")[2],
        "contentType": kind,
        "sizeBytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    announced = add(learner, f"{name}/evidence", said)
    learner.upload(announced["ticket"]["url"], announced["ticket"]["headers"], content)
    return post(learner, f"{announced['evidence']['name']}:finalize", {})


def film_of(seconds: int) -> bytes:
    """An MP4 whose header says that it takes so long (ISO/IEC 14496-12); it shows nothing."""
    told = struct.pack(">BxxxIIII", 0, 0, 0, 1000, seconds * 1000)
    movie = box(b"moov", box(b"mvhd", told + bytes(80)))
    return box(b"ftyp", b"isom" + bytes(4) + b"isommp42") + movie + box(b"mdat", bytes(9000))


def box(kind: bytes, content: bytes) -> bytes:
    """A box of an MP4."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


STEP = Step(
    "evidence-files", "A film and its picture, what is refused, and what is deleted", ("P4", "P19"), show
)
