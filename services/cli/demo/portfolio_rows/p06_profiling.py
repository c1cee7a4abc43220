"""Profiling by a scoring that everybody can read: the answers give a channel, and a human is always there."""

from __future__ import annotations

from services.cli.client import request_id
from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.portfolio_rows import asked
from services.cli.demo.portfolio_rows.ground import holder

LEARNER = "Joris"
CHANNELS = ("INDIVIDUAL", "GROUP", "ONLINE")


def show(journey: Journey) -> str:
    """REST: three sets of answers come to three channels, as published; then the person asks for a human."""
    instrument = asked.publish(journey, "profiling", "distance-to-work")
    public = journey.client.anonymous().rest("GET", f"/v1/{instrument['name']}")
    bands = {band["id"]: band for band in public["scoring"]["bands"]}
    learner, name = holder(journey, LEARNER)
    every = [
        asked.fill(learner, asked.begin(learner, name, instrument), instrument, option) for option in range(3)
    ]
    for done, channel in zip(every, CHANNELS, strict=True):
        said, band = done["result"], bands[done["result"]["band"]]
        expect(done["channel"] == f"CHANNEL_{channel}", f"answers for {channel} came to {done['channel']}")
        expect(
            said["descriptions"] == band["descriptions"], "the person is told something else than published"
        )
    human = learner.rest("POST", f"/v1/{every[-1]['name']}:requestHuman", {"requestId": request_id()})
    expect(human["channel"] == "CHANNEL_INDIVIDUAL", f"whoever asked for a human gets {human['channel']}")
    expect(human["result"]["suggestedChannel"] == "CHANNEL_ONLINE", "asking for a human changed the result")
    return (
        f"{len(bands)} bands for everybody to read; {', '.join(CHANNELS).lower()} by the answers, and one "
        "counsellor for whom asked for a human"
    )


STEP = Step("profiling", "The distance to work decides the channel, by published scoring", ("P6",), show)
