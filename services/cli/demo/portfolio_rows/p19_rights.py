"""What a person can ask for: who looked, all of it in a file, that nobody looks, that it goes; and what
stands between the staff and everybody."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from services.cli.amounts import in_days
from services.cli.client import Caller, request_id, sha256
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows.ground import holder
from services.cli.demo.portfolio_rows.guidance import COUNSELLOR, OFFICE, mandate

LEARNER, DESK, NIGHT, HEAD = "Farah", "Rik", "Joke", "Hilde"


def show(journey: Journey) -> str:
    """REST: a look without leave is loud and reviewed, a restriction closes the portfolio to the counsellor,
    a legal hold holds the erasure up, everything is taken out, and then it goes."""
    learner, name = holder(journey, LEARNER)
    learner.rest("POST", f"/v1/{name}/entries", {"kind": "ENTRY_KIND_WORK", "title": "Stevedore <quay 7>"})
    counsellor = journey.person("counsellor", COUNSELLOR, OFFICE)
    mandate(journey, learner, name, "GUIDANCE")
    looked_without_leave(journey, learner, name)
    restricted(journey, learner, counsellor, name)
    files, size = taken_out(learner, name)
    erased = leave(journey, learner, name)
    return (
        f"{size} bytes in {files} files taken out; restricted, held up by law and erased as asked, "
        f"{erased['accessRecords']} looks stay in the log"
    )


def looked_without_leave(journey: Journey, learner: Caller, name: str) -> None:
    """Somebody on night duty looks without leave; the learner reads it, and a second person says what came of
    it."""
    night = journey.person("counsellor", NIGHT, OFFICE)
    with refused("NOT_FOUND"):
        night.rest("GET", f"/v1/{name}")
    why = {"ground": "GROUND_DANGER", "reason": "found unconscious at quay 7"}
    look = night.rest("POST", f"/v1/{name}/breakGlassAccesses", why, request_id=request_id())
    night.rest("GET", f"/v1/{name}")
    verdict = {"verdict": "BREAK_GLASS_VERDICT_JUSTIFIED", "note": "the family was called"}
    with refused("SAME_PERSON"):
        journey.person("supervisor", NIGHT).rest("POST", f"/v1/{look['name']}:review", verdict)
    journey.person("supervisor", HEAD).rest("POST", f"/v1/{look['name']}:review", verdict)
    with refused("NOT_FOUND"):
        night.rest("GET", f"/v1/{name}")
    (seen,) = learner.rest("GET", f"/v1/{name}/breakGlassAccesses")["breakGlassAccesses"]
    expect(seen["reviewNote"] == verdict["note"], f"the learner reads {seen}")
    log = learner.rest("GET", f"/v1/{name}/accessRecords")["accessRecords"]
    expect(look["name"] in [each["grant"] for each in log], "the log does not name the look")


def restricted(journey: Journey, learner: Caller, counsellor: Caller, name: str) -> None:
    """The learner has the portfolio restricted, and lifts it again."""
    counsellor.rest("GET", f"/v1/{name}")
    answered(journey, learner, name, "KIND_RESTRICTION")
    with refused("PROCESSING_RESTRICTED"):
        counsellor.rest("GET", f"/v1/{name}")
    learner.rest("POST", f"/v1/{name}:liftRestriction", {})
    counsellor.rest("GET", f"/v1/{name}")


def taken_out(learner: Caller, name: str) -> tuple[int, int]:
    """The learner takes everything out, in French, and goes on with it after a break; returns how many files
    in how many bytes that is."""
    content = learner.rest_bytes("GET", f"/v1/{name}:export", language_code="fr")
    half = content[: len(content) // 2]
    received: dict[str, Any] = {"received_bytes": len(half), "received_sha256": sha256(half)}
    rest = learner.rest_bytes("GET", f"/v1/{name}:export", language_code="fr", **received)
    expect(half + rest == content, "what follows after a break is not what was missing")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        expect(archive.testzip() is None, "the archive is broken")
        (entry,) = json.loads(archive.read("data/entries.json"))
        expect(entry["title"] == "Stevedore <quay 7>", f"the entry is {entry}")
        page = archive.read("pages/entries.html").decode()
        expect("Stevedore &lt;quay 7&gt;" in page, "the page does not show the entry as it is")
        expect('<html lang="fr">' in archive.read("index.html").decode(), "the index is not in French")
        looks = archive.read("data/break-glass-accesses.json")
        expect(b"found unconscious" in looks, "the look is not there")
        return len(archive.namelist()), len(content)


def leave(journey: Journey, learner: Caller, name: str) -> dict[str, Any]:
    """A legal hold holds the erasure up, and the deletion of a skill; once it is lifted the office erases
    what the learner asks for. Returns what an erasure then says."""
    desk = journey.person("caseworker", DESK)
    basis = {"legalBasis": "Art. 17(3)(e) GDPR: a claim for wages is pending"}
    hold = desk.rest("POST", f"/v1/{name}/legalHolds", basis, request_id=request_id())
    etag = {"etag": learner.rest("GET", f"/v1/{name}")["etag"]}
    with refused("ERASURE_HELD"):
        learner.rest("POST", f"/v1/{name}:erase", etag)
    claim = learner.rest("POST", f"/v1/{name}/skillClaims", {"conceptUri": "urn:example:lashing"})
    with refused("ERASURE_HELD"):
        learner.rest("DELETE", f"/v1/{claim['name']}")
    (shown,) = learner.rest("GET", f"/v1/{name}/legalHolds")["legalHolds"]
    expect(shown["legalBasis"] == basis["legalBasis"], f"the learner is shown {shown}")
    desk.rest("POST", f"/v1/{hold['name']}:lift", {"reason": "the wages were paid"})
    answered(journey, learner, name, "KIND_ERASURE")
    with refused("NOT_FOUND"):
        learner.rest("GET", f"/v1/{name}")
    kept = learner.rest("GET", f"/v1/{name}/rightsRequests")["rightsRequests"]
    states = {each["state"] for each in kept}
    expect(states == {"STATE_DELIVERED"}, f"the requests ended as {states}")
    return learner.rest("POST", f"/v1/{name}:erase", etag)


def answered(journey: Journey, learner: Caller, name: str, kind: str) -> None:
    """The learner asks for something by right, and the office does it within its month."""
    asked = learner.rest("POST", f"/v1/{name}/rightsRequests", {"kind": kind}, request_id=request_id())
    desk = journey.person("caseworker", DESK)
    due = desk.rest("GET", "/v1/rightsRequests:due", due_before=in_days(32), page_size=500)["rightsRequests"]
    expect(asked["name"] in [each["name"] for each in due], "what was asked is not due within a month")
    proof = {"identityProof": "IDENTITY_PROOF_EID"}
    desk.rest("POST", f"/v1/{asked['name']}:checkIdentity", proof)
    desk.rest("POST", f"/v1/{asked['name']}:prepare", {})
    done = desk.rest("POST", f"/v1/{asked['name']}:deliver", {"requestId": request_id()})
    expect(done["state"] == "STATE_DELIVERED", f"the request is {done['state']}")


STEP = Step("rights", "A person takes everything out, closes it, and has it erased", ("P11", "P19"), show)
