"""A page of chosen things: shared by a link, commented by somebody invited, handed in as a frozen copy."""

from __future__ import annotations

from services.cli.amounts import in_days
from services.cli.client import Caller, request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.portfolio_rows.ground import holder, said
from services.cli.demo.portfolio_rows.guidance import COUNSELLOR, OFFICE, post

LEARNER = "Chiara"
ABOUT = "# About me\nI keep bees & <b>words</b>.\n- hives\n- honey"


def show(journey: Journey) -> str:
    """REST: made, shown by a link with a field list, commented and published, written down, handed in."""
    learner, name = holder(journey, LEARNER)
    job = {"kind": "ENTRY_KIND_WORK", "title": "Beekeeper", "place": "Bjelovar"}
    entry = learner.rest("POST", f"/v1/{name}/entries", job, request_id=request_id())["name"]
    body = {"title": "My bees", "blocks": [{"text": ABOUT}, {"entry": entry}]}
    page = str(learner.rest("POST", f"/v1/{name}/pages", body, request_id=request_id())["name"])
    link = {"fields": ["pages.items.entry.title"], "pages": [page], "maxUses": 1, "expireTime": in_days(1)}
    token = learner.rest("POST", f"/v1/{name}/shareLinks", {"shareLink": link, "pin": "2468"})["token"]
    opening = {"token": token, "pin": "2468"}
    shown = journey.client.anonymous().rest("POST", "/v1/shareLinks:open", opening)["portfolio"]
    titles = {"pages": [{"items": [{}, {"entry": {"title": "Beekeeper"}}]}]}
    expect(said(shown) == titles, f"the link shows {shown}")
    comment(journey, learner, name, page)
    written = render(learner, page, "HTML")
    expect(b"&lt;b&gt;words&lt;/b&gt;" in written and b"Calm hands." in written, "the page says otherwise")
    printed = render(learner, page, "PDF")
    expect(printed.startswith(b"%PDF-"), "the PDF is none")
    hand_in(journey, learner, name, page)
    return f"page of {len(written)} bytes, {len(printed)} on paper; one comment, one copy that stayed"


def comment(journey: Journey, learner: Caller, name: str, page: str) -> None:
    """Somebody without an account says something, once; the learner publishes it."""
    wanted = {"page": page, "label": "the cooperative", "maxComments": 1, "expireTime": in_days(14)}
    made = post(learner, f"{name}/pageInvitations", {"pageInvitation": wanted})
    guest = journey.client.anonymous()
    said = {"token": made["token"], "author": "Ruta", "text": "Calm hands."}
    post(guest, "pageInvitations:comment", said)
    with refused("SHARE_LINK_ENDED"):
        post(guest, "pageInvitations:comment", said)
    (waiting,) = learner.rest("GET", f"/v1/{name}/pageComments")["pageComments"]
    expect(waiting["state"] == "STATE_WAITING", f"the comment is {waiting['state']}")
    expect(b"Calm hands." not in render(learner, page, "HTML"), "shown before it was published")
    post(learner, f"{waiting['name']}:publish", {})


def hand_in(journey: Journey, learner: Caller, name: str, page: str) -> None:
    """The counsellor reads the page as it was, whatever the learner makes of it later, and answers."""
    wanted = {
        "source": page,
        "recipient": journey.subject(COUNSELLOR),
        "organisation": OFFICE,
        "expireTime": in_days(30),
    }
    handed_in = learner.rest("POST", f"/v1/{name}/pageSubmissions", wanted, request_id=request_id())["name"]
    learner.rest(
        "PATCH", f"/v1/{page}", {"title": "Something else", "blocks": []}, update_mask="title,blocks"
    )
    counsellor = journey.person("counsellor", COUNSELLOR, OFFICE)
    (copy,) = counsellor.rest("GET", f"/v1/{handed_in}:pages")["pages"]
    expect(copy["title"] == "My bees" and len(copy["items"]) == 2, f"the copy is {copy}")
    with refused("NOT_FOUND"):
        counsellor.rest("GET", f"/v1/{page}")
    post(counsellor, f"{handed_in}:return", {"feedback": "Show the honey, too."})


def render(learner: Caller, page: str, kind: str) -> bytes:
    """A page as a file."""
    return learner.rest_bytes("GET", f"/v1/{page}:render", format=f"PAGE_FORMAT_{kind}")


STEP = Step("pages", "A page shared, commented and handed in", ("P4",), show)
