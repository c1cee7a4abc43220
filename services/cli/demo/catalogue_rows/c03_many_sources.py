"""LMI for All: many sources behind one call, with caveats and suppression."""

from __future__ import annotations

import tempfile
from pathlib import Path

from services.cli.demo.catalogue_rows import figures
from services.cli.demo.data import OCCUPATION, REGION
from services.cli.demo.journey import Journey, Step, expect


def show(journey: Journey) -> str:
    """REST: two sources in one answer; a small count cannot be worked out; what is exported comes back."""
    names = [figures.register(journey), figures.online(journey)]
    anyone = journey.client.anonymous()
    both = figures.query(anyone, sources=names, occupations=OCCUPATION, nuts_codes=REGION)
    expect({each["source"] for each in both["observations"]} == set(names), "not both sources answer")
    expect({each["name"] for each in both["sources"]} == set(names), "a source comes without its caveats")
    counts = figures.query(anyone, sources=names[0], measures="OBSERVATION_MEASURE_VACANCIES")["observations"]
    hidden = [each["nutsCode"] for each in counts if each.get("suppressed")]
    expect("BE24" in hidden and len(hidden) > 1, f"hidden are only {hidden}")
    expect(not any("value" in each for each in counts if each.get("suppressed")), "a hidden figure is told")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.csv"
        form = "OBSERVATION_FORMAT_SDMX_CSV"
        anyone.rest_to_file("/v1/observations:export", file, format=form, **{"filter.sources": names[0]})
        lines = len(file.read_text("utf-8").splitlines()) - 1
        back = figures.take_in(journey, names[0], file, "SDMX_CSV")
    expect(back["acceptedCount"] == str(lines), f"of {lines} lines {back['acceptedCount']} come back")
    return f"{len(names)} sources in one answer; hidden: {', '.join(hidden)}; {lines} lines out and in again"


STEP = Step("many-sources", "LMI for All: many sources behind one call", ("C3",), show)
