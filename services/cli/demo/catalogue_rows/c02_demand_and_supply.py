"""How many jobs there are in an area, and how many people look for them."""

from __future__ import annotations

from services.cli.demo.catalogue_rows import figures
from services.cli.demo.data import OCCUPATION, REGION
from services.cli.demo.journey import Journey, Step, expect


def show(journey: Journey) -> str:
    """REST: vacancies and jobseekers of an occupation in a region, each with its source and period."""
    source = figures.register(journey)
    measures = ["OBSERVATION_MEASURE_VACANCIES", "OBSERVATION_MEASURE_JOBSEEKERS"]
    answer = figures.query(
        journey.client.anonymous(),
        sources=source,
        occupations=OCCUPATION,
        nuts_codes=REGION,
        measures=measures,
    )
    found = {each["measure"]: each for each in answer.get("observations", [])}
    expect(set(found) == set(measures), f"there is only {', '.join(found)}")
    jobs, people = (found[measure] for measure in measures)
    expect((jobs["value"], people["value"]) == (412, 205), f"{jobs['value']} jobs, {people['value']} people")
    expect(all(each["source"] == source and each["period"] for each in found.values()), "no source or period")
    return f"{jobs['value']} jobs and {people['value']} people in {REGION}, {jobs['period']}, by {source}"


STEP = Step("demand-and-supply", "Jobs in an area, and people who look for them", ("C2",), show)
