"""Danish Job-VEU: no training without a need on the labour market."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from services.cli.amounts import json_date
from services.cli.client import Caller, request_id
from services.cli.demo.catalogue import ROLE
from services.cli.demo.data import REGION
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.rows import ground
from services.cli.legal_day import legal_day
from services.cli.uploads import upload_to_catalogue

LEARNER = "Freja"
SESSION = "HC-140-A"
ELECTRICIANS, ROOFERS = "7411", "7121"  # ISCO-08; the session is for the first of them


def show(journey: Journey) -> str:
    """REST: refused without a need, granted on a named one, no place once it is gone, one when it is back."""
    needs = f"shortageLists/need-{journey.run}"
    keeper = journey.person(ROLE, "Mila")
    body = {
        "shortageListId": needs.rpartition("/")[2],
        "displayNames": {"en": "Needs that employers named"},
        "nutsCode": REGION,
        "requestId": request_id(),
    }
    keeper.rest("POST", "/v1/shortageLists", body)

    def tie(version: dict[str, Any]) -> None:
        version["shortageRule"]["shortageList"] = needs

    published = ground.publish(journey, "danish-job-veu", short="v11", change=tie)
    session = ground.session_of(journey, SESSION)
    need(journey, needs, ROOFERS, 3, published.programme, session)
    first = ground.apply(journey, LEARNER, published.programme, session)
    expect(first.get("reasonCodes") == ["NO_NEED"], f"{first['state']} for {first.get('reasonCodes')}")
    known = need(journey, needs, ELECTRICIANS, 2, published.programme, session)
    granted = ground.apply(journey, LEARNER, published.programme, session)
    expect(granted["state"] == "STATE_GRANTED", f"{granted['state']} for {granted.get('reasonCodes')}")
    expect(granted["shortageListVersion"] == known, "the grant names another list")
    need(journey, needs, ROOFERS, 1, published.programme, session)
    with refused("VOUCHER_NOT_FOR_SESSION") as seen:
        ground.reserve(journey, LEARNER, granted["voucher"], session)
    need(journey, needs, ELECTRICIANS, 0, published.programme, session)
    reserved = ground.reserve(journey, LEARNER, granted["voucher"], session)
    expect(reserved["state"] == "STATE_AUTHORISED", f"the redemption is {reserved['state']}")
    return (
        f"NO_NEED; granted on {granted['shortageListVersion']}; {seen.failure.reason} when it was gone; "
        "reserved when it was back"
    )


def need(journey: Journey, needs: str, occupation: str, ago: int, programme: str, session: str) -> str:
    """Publishes a version with this one need, valid since `ago` days, and waits until vouchers decide by it;
    returns its name."""
    keeper, second = journey.person(ROLE, "Mila"), journey.person(ROLE, "Joris")
    drafted = draft(journey, keeper, needs, occupation, ago)
    published = second.rest("POST", f"/v1/{drafted}:publish", {"requestId": request_id()})["name"]

    def heard() -> bool:
        answer = ground.check(journey, LEARNER, programme, session)
        return bool(answer.get("shortageListVersion") == published)

    journey.wait_for("vouchers hear of the need", heard)
    return str(published)


def draft(journey: Journey, keeper: Caller, needs: str, occupation: str, ago: int) -> str:
    """Drafts a version of the list with one entry, valid since `ago` days; returns its name."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"need-{journey.run}.csv"
        file.write_text(
            f"occupation,region,severity,cause\n{occupation},{REGION},4,too_few_people\n", "utf-8"
        )
        upload = upload_to_catalogue(keeper, file)
    body = {
        "upload": upload,
        "format": "SHORTAGE_FORMAT_TEMPLATE_CSV",
        "validFrom": json_date(legal_day() - timedelta(days=ago)),
        "method": "employers name what they lack",
        "requestId": request_id(),
    }
    return str(keeper.rest("POST", f"/v1/{needs}/versions", body)["name"])


STEP = Step(
    "need-reference", "Danish Job-VEU: no training without a need on the labour market", ("V11",), show
)
