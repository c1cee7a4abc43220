"""Career management skills: one looks at oneself by a published framework, and again later."""

from __future__ import annotations

from services.cli.demo.journey import Journey, Step, expect
from services.cli.demo.portfolio_rows import asked
from services.cli.demo.portfolio_rows.ground import holder

LEARNER = "Ailsa"
STANDARDS = ["self", "strengths", "horizons", "networks"]


def show(journey: Journey) -> str:
    """REST: the framework is published by a second person; two self-assessments make a chart and a table."""
    instrument = asked.publish(journey, "career-check", "career-management")
    learner, name = holder(journey, LEARNER)
    first, second = (
        asked.fill(learner, asked.begin(learner, name, instrument), instrument, option) for option in (0, 2)
    )
    standards = [each["standard"] for each in second["result"]["standards"]]
    expect(standards == STANDARDS, f"scored are {standards}")
    levels = {each["level"] for each in second["result"]["elements"]}
    expect(levels == {"sure"}, f"the levels are {levels}")
    family = instrument["name"].partition("/versions")[0]
    path = f"/v1/{name}/questionnaires:progress"
    shown = learner.rest("GET", path, instrument=family, language_code="en")
    percents = [point.get("percent", 0) for point in shown["points"]]
    expect(percents == [0, second["result"]["percent"]], f"the points are {percents}")
    svg, table = shown["svg"], shown["table"]
    expect('role="img"' in svg and "<title" in svg and "<desc" in svg, "the chart says nothing in words")
    expect("Networks" in table and table.count("\n") == len(percents), f"the table is {table!r}")
    whole = f"{len(standards)} areas, {len(second['result']['elements'])} elements"
    way = f"from {first['result'].get('percent', 0)} to {percents[-1]} percent"
    return f"{whole}; {way}, as a chart of {len(svg)} bytes and a table"


STEP = Step("career-skills", "Somebody sees how far they have come in managing a career", ("P5",), show)
