"""Swedish Occupational Compass: an occupation's page also says which vouchers would pay for its courses."""

from __future__ import annotations

from typing import Any

from services.cli.demo.data import OCCUPATION, PLACE
from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.rows import ground
from services.cli.output import money


def show(journey: Journey) -> str:
    """REST: of three programmes the page names the two that may pay, why, and whether there is money."""
    short = put_in_force(journey, "compass-short", {})
    beyond = put_in_force(journey, "compass-beyond", {"nutsCode": "NL"})
    free = put_in_force(journey, "compass-free", None, funds="1.00")
    found = journey.wait_for("the catalogue hears of the programmes", lambda: told(journey, short, free))
    expect(beyond not in found, f"{beyond} asks for a shortage elsewhere and stands on the page all the same")
    entry = found[short]["shortageEntry"]
    expect(entry["occupation"]["iscoCode"] == OCCUPATION, f"{entry['name']} is of another occupation")
    expect("shortageEntry" not in found[free], f"{free} asks for no shortage and stands there by an entry")
    expect(found[short]["moneyLeft"] == "MONEY_LEFT_ENOUGH", f"{short}: {found[short]['moneyLeft']}")
    expect(found[free]["moneyLeft"] == "MONEY_LEFT_LITTLE", f"{free}: {found[free]['moneyLeft']}")
    worth = money(found[short]["faceValue"])
    return (
        f"{found[short]['displayNames']['en']}: up to {worth}, for {entry['label']} is short, severity "
        f"{entry['severity']}; another without asking for a shortage, but with little money left"
    )


def put_in_force(journey: Journey, short: str, need: dict[str, Any] | None, funds: str = "10000.00") -> str:
    """A programme of this walk, in force; `need`: what differs in its shortage rule, None: it has none."""

    def change(version: dict[str, Any]) -> None:
        if need is None:
            del version["shortageRule"]
        else:
            version["shortageRule"] |= need

    sample = "dutch-temporary-training-voucher"
    return ground.publish(journey, sample, short=short, change=change, funds={"KIND_STATE": funds}).programme


def told(journey: Journey, *programmes: str) -> dict[str, dict[str, Any]] | None:
    """The programmes on the page by name, once of all of these is told that they have money."""
    page = journey.client.anonymous().rest(
        "GET", "/v1/occupations:page", occupation=OCCUPATION, nuts_code=PLACE
    )
    found = {each["programme"]: each for each in page.get("payingProgrammes", [])}
    # They come into force before they are funded, and have no money in between.
    funded = ("MONEY_LEFT_ENOUGH", "MONEY_LEFT_LITTLE")
    return found if all(found.get(each, {}).get("moneyLeft") in funded for each in programmes) else None


STEP = Step("vouchers-that-pay", "An occupation's page names the vouchers that may pay", ("C1",), show)
