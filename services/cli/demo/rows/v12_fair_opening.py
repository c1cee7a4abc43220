"""A surge: order is by a published draw, and nobody is lost."""

from __future__ import annotations

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from services.cli.amounts import cents
from services.cli.call import listed
from services.cli.client import request_id
from services.cli.demo.journey import Journey, Step, expect, refused
from services.cli.demo.rows import ground
from services.cli.output import money

PEOPLE = 48
FUNDED = 12  # as many vouchers as the money suffices for
OPENS, STAYS = timedelta(seconds=8), timedelta(seconds=15)


def show(journey: Journey) -> str:
    """REST: a window, a commitment before it, a surge in it, a draw after it; the walk computes it again."""
    session, people = journey.facts.session, [f"Surge {number}" for number in range(PEOPLE)]
    price = ready(journey, people, session)
    opens = datetime.now(UTC) + OPENS
    rule = {"openTime": stamp(opens), "closeTime": stamp(opens + STAYS)}
    programme = ground.publish(
        journey,
        "dutch-temporary-training-voucher",
        short="opening",
        change=lambda version: version.update(openingRule=rule),
        funds={"KIND_STATE": f"{FUNDED * price // 100}.{FUNDED * price % 100:02d}"},
    )
    anyone, name = journey.client.anonymous(), f"{programme.programme}/openings/1"
    committed = anyone.rest("GET", f"/v1/{name}")["seedSha256"]
    with refused("OPENING_NOT_YET"):
        application(journey, people[0], programme.programme, session)
    journey.wait_for("the window opens", lambda: datetime.now(UTC) > opens)
    with ThreadPoolExecutor(8) as pool:
        tickets = list(pool.map(lambda who: application(journey, who, programme.programme, session), people))
    states = {ticket["state"] for ticket in tickets}
    expect(states == {"STATE_IN_DRAW"}, f"within the window applications became {states}")
    opening = journey.wait_for("the draw", lambda: done(anyone.rest("GET", f"/v1/{name}")), times=2)
    drawn = listed(anyone, f"{name}/drawnApplications", 10_000, key="applications")
    order = computed_again(opening["seed"], committed, [ticket["name"] for ticket in tickets])
    expect([each["application"] for each in drawn] == order, "the published order is not the seed's")
    outcomes = [each["outcome"] for each in drawn]
    wanted = ["OUTCOME_GRANTED"] * FUNDED + ["OUTCOME_WAITING"] * (PEOPLE - FUNDED)
    expect(outcomes == wanted, "money did not go by the order")
    value = money({"currencyCode": "EUR", "units": price // 100, "nanos": price % 100 * 10_000_000})
    return (
        f"{PEOPLE} applied in {STAYS.seconds} s, none lost, none twice; the order, computed again here from "
        f"the revealed seed ({opening['seed'][:8]}…), is the published one: {FUNDED} vouchers of {value}, "
        f"{PEOPLE - FUNDED} wait in it"
    )


def ready(journey: Journey, people: list[str], session: str) -> int:
    """Tells the facts of the people; returns the price of the session in cents."""
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda who: ground.tell_facts(
                    journey, who, employment_status="unemployed", education_level=3
                ),
                people,
            )
        )
    course = journey.client.anonymous().rest("GET", f"/v1/{session.partition('/sessions/')[0]}")
    prices = [
        each["price"]
        for offering in course["offerings"]
        for each in offering["sessions"]
        if each["name"] == session
    ]
    return cents(prices[0])


def application(journey: Journey, person: str, programme: str, session: str) -> dict[str, Any]:
    """The person applies; returns the application."""
    wanted = {"learner": journey.learner(person), "programme": programme, "session": session}
    caller = journey.person("learner", person)
    return caller.rest("POST", "/v1/applications", {"application": wanted, "requestId": request_id()})


def stamp(moment: datetime) -> str:
    """A moment in the JSON of the contracts."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


def done(opening: dict[str, Any]) -> dict[str, Any] | None:
    """The opening once every application has been dealt with."""
    return opening if opening["state"] == "STATE_DONE" else None


def computed_again(seed: str, committed: str, applications: list[str]) -> list[str]:
    """The order by the rule in the contract, from what is published alone."""
    key = bytes.fromhex(seed)
    expect(hashlib.sha256(key).hexdigest() == committed, "the seed is not the one committed to before")
    return sorted(applications, key=lambda name: hmac.new(key, name.encode(), hashlib.sha256).digest())


STEP = Step("fair-opening", "A surge: order is by a published draw, and nobody is lost", ("V12",), show)
