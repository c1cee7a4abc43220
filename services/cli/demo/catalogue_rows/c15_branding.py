"""The logo and the standard narrative of a partner, shown with all it offers."""

from __future__ import annotations

import os
from typing import Any

import httpx

from services.cli.client import Caller, request_id, sha256
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.papers import logo

NARRATIVE = {"en": "Crafts, taught at the quay.", "nl": "Ambachten, geleerd aan de kade."}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def show(journey: Journey) -> str:
    """REST: a partner brings logo and narrative; its course and a hit carry them; code is no picture."""
    provider = journey.person("provider", "Sanne", journey.facts.partner)
    with refused("UPLOAD_MISMATCH"):
        upload(provider, SVG)
    picture = logo(os.urandom(3))
    branding = {"logo": upload(provider, picture), "narratives": NARRATIVE}
    change = {"update_mask": "branding", "request_id": request_id()}
    made = provider.rest("PATCH", f"/v1/{journey.facts.partner}", {"branding": branding}, **change)
    name = made["branding"]["logo"]
    anyone = journey.client.anonymous()
    course = anyone.rest("GET", f"/v1/{journey.facts.course}")
    expect(course["branding"] == made["branding"], f"the course carries {course.get('branding')}")

    def found() -> dict[str, Any] | None:
        query = {"query": "welding", "organisations": journey.facts.partner}
        hits = anyone.rest("GET", "/v1/courses:search", **query).get("hits", [])
        return next((hit for hit in hits if hit.get("organisationLogo") == name), None)

    hit = journey.wait_for("search knows the logo", found)
    place = anyone.rest("GET", f"/v1/{name}")["downloadUrl"]
    fetched = httpx.get(place, timeout=10)
    expect(fetched.content == picture, "the logo fetched is not the one brought")
    return f"{len(picture)} bytes of {fetched.headers['content-type']} with {hit['organisationDisplayName']}"


def upload(caller: Caller, data: bytes) -> str:
    """Uploads bytes as PNG; returns the ready upload's name. Raises Failure when they are none."""
    ticket = caller.rest(
        "POST",
        "/v1/catalogueUploads",
        {"sizeBytes": str(len(data)), "contentType": "image/png", "sha256": sha256(data)},
    )
    caller.upload(ticket["uploadUrl"], ticket["uploadHeaders"], data)
    ready = caller.rest("POST", f"/v1/{ticket['name']}:finalize", {"requestId": request_id()})
    return str(ready["name"])


STEP = Step("branding", "Logo and standard narrative with every offer", ("C15",), show)
