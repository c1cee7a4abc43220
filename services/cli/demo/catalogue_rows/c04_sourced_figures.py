"""Every figure is sourced, local, and says its period and how sure it is; forecasts too."""

from __future__ import annotations

from services.cli.demo.catalogue_rows import figures
from services.cli.demo.data import OCCUPATION
from services.cli.demo.journey import Journey, Step, expect


def show(journey: Journey) -> str:
    """REST: source, method, coverage and licence stand with every figure; a forecast says that it is one."""
    answer = figures.query(
        journey.client.anonymous(),
        sources=[figures.register(journey), figures.online(journey)],
        occupations=OCCUPATION,
    )
    sources = {each["name"]: each for each in answer["sources"]}
    for figure in answer["observations"]:
        source = sources[figure["source"]]
        missing = [name for name in ("publisher", "method", "coverage", "licence") if not source.get(name)]
        expect(not missing, f"{figure['source']} does not say its {', '.join(missing)}")
        expect(
            bool(figure["period"] and figure["unit"] and figure["status"]), "a figure lacks period or unit"
        )
    forecast = next(each for each in answer["observations"] if each["measure"].endswith("FORECAST"))
    expect(forecast["status"] == "OBSERVATION_STATUS_FORECAST", f"the forecast is {forecast['status']}")
    return (
        f"{len(answer['observations'])} figures with publisher, method, coverage, licence; forecast for "
        f"{forecast['period']}: {forecast['value']} {forecast['unit']}"
    )


STEP = Step("sourced-figures", "Every figure says where it comes from", ("C4",), show)
