"""A decision stays with the yearly list that it was made by."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict
from waymark.catalogue.v1.shortage_answer_pb2 import GetShortageProofResponse

from services.cli.amounts import json_date
from services.cli.client import request_id
from services.cli.demo import catalogue
from services.cli.demo.data import OCCUPATION, PLACE, REGION, SAMPLES
from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.rows import ground
from services.cli.exits import ExitCode
from services.cli.legal_day import legal_day
from services.cli.output import money
from services.cli.shortage_proof import proved
from services.cli.uploads import upload_to_catalogue
from services.platform.signing import keys_of

BEFORE, AFTER = "Yusuf (V3)", "Elise (V3)"
FOLDER = SAMPLES / "shortage"


def show(journey: Journey) -> str:
    """REST: granted by this year's list; a new version without the occupation refuses, the old one stands."""
    manager = journey.person(catalogue.ROLE, "Mila")
    listed = {"shortageListId": f"pinned-{journey.run}", "displayNames": {"en": "Shortages, for one row"}}
    body = {**listed, "nutsCode": REGION, "requestId": request_id()}
    name = manager.rest("POST", "/v1/shortageLists", body)["name"]
    today = legal_day()
    old = publish(journey, name, FOLDER / "shortage-list.csv", today.replace(month=1, day=1))
    tied = {"shortageList": name, "nutsCode": PLACE}
    programme = ground.publish(
        journey,
        "dutch-temporary-training-voucher",
        short="pinned",
        change=lambda version: version["shortageRule"].update(tied),
    ).programme
    for person in (BEFORE, AFTER):
        ground.tell_facts(journey, person, employment_status="unemployed", education_level=3)
    heard(journey, BEFORE, programme, old)
    granted = ground.apply(journey, BEFORE, programme, journey.facts.session)
    expect(granted["state"] == "STATE_GRANTED", f"{granted['state']} {granted.get('reasonCodes')}")
    expect(granted["shortageListVersion"] == old, f"pinned to {granted['shortageListVersion']}")
    new = publish(journey, name, FOLDER / "shortage-list-next-year.csv", today)
    heard(journey, AFTER, programme, new)
    later = ground.apply(journey, AFTER, programme, journey.facts.session)
    expect(later["reasonCodes"] == ["NOT_A_SHORTAGE_OCCUPATION"], f"the new list gives {later['state']}")
    replays = [
        journey.person("auditor", "Wim").rest("GET", f"/v1/{each['name']}:replay")
        for each in (granted, later)
    ]
    expect(all(replay.get("agrees", False) for replay in replays), "a decision does not come out as it was")
    held = proof(journey, name, today)
    expect(held["version"] == new, f"the proof is of {held['version']}")
    return (
        f"{money(granted['amount'])} by version {short(old)}; by {short(new)} refused for "
        f"{later['reasonCodes'][0]}; computed again, both decisions agree with their list; "
        f"an answer by {short(new)} is proved without a network, key {held['keyId']}"
    )


def publish(journey: Journey, name: str, file: Path, valid_from: date) -> str:
    """Drafts a version of the list and has a second person publish it; returns its resource name."""
    maker, checker = (journey.person(catalogue.ROLE, person) for person in ("Mila", "Joris"))
    draft = {
        "upload": upload_to_catalogue(maker, file),
        "format": "SHORTAGE_FORMAT_TEMPLATE_CSV",
        "validFrom": json_date(valid_from),
        "method": "employers' survey and vacancies",
        "requestId": request_id(),
    }
    version = maker.rest("POST", f"/v1/{name}/versions", draft)["name"]
    body = {"acceptFindings": True, "requestId": request_id()}
    return str(checker.rest("POST", f"/v1/{version}:publish", body)["name"])


def proof(journey: Journey, name: str, day: date) -> dict[str, Any]:
    """Asks for an answer with its proof and verifies it by the published keys; returns what is proved."""
    anyone = journey.client.anonymous()
    question = {"occupation": OCCUPATION, "nutsCode": PLACE, "date": json_date(day), "shortageList": name}
    answer = anyone.rest("POST", "/v1/shortageLists:proof", {"request": question})
    keys = keys_of(json.dumps(anyone.rest("GET", "/v1/shortageKeys")).encode())
    found, code = proved(ParseDict(answer, GetShortageProofResponse()), keys)
    expect(code == ExitCode.OK, f"the proof is {found['outcome']}")
    return found


def heard(journey: Journey, person: str, programme: str, version: str) -> dict[str, Any]:
    """Waits until vouchers decide by this version of the list."""

    def by_it() -> dict[str, Any] | None:
        found = ground.check(journey, person, programme, journey.facts.session)
        return found if found.get("shortageListVersion") == version else None

    return journey.wait_for("vouchers hear of the list", by_it)


def short(version: str) -> str:
    """`3` of `shortageLists/{id}/versions/3`."""
    return version.rpartition("/")[2]


STEP = Step("shortage-pinned", "A decision stays with the yearly list that it was made by", ("V3",), show)
