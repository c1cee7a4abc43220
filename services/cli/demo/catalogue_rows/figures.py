"""What several rows stand on: two sources of figures of this walk, taken in from the samples once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.cli.client import Caller, request_id
from services.cli.demo.catalogue import ROLE
from services.cli.demo.data import SAMPLES
from services.cli.demo.journey import Journey, expect
from services.cli.uploads import upload_to_catalogue

FOLDER = SAMPLES / "labour-market"
REGISTER = {
    "publisher": "Public employment service",
    "method": "counted in the register on the last day of the quarter",
    "coverage": "jobs and jobseekers known to the service",
    "licence": "CC BY 4.0",
    "suppressBelow": 5,
}
ONLINE = {
    "publisher": "Cedefop, online job advertisements",
    "method": "collected from job boards, duplicates removed",
    "coverage": "vacancies published online",
    "biased": True,
    "bias": "few vacancies for manual work are published online",
    "licence": "CC BY 4.0",
}


def register(journey: Journey) -> str:
    """The register's figures of this walk; returns the source's resource name."""
    name = f"observationSources/register-{journey.run}"
    return _once(journey, name, REGISTER, FOLDER / "figures.csv", "CSV")


def online(journey: Journey) -> str:
    """The biased figures of this walk; returns the source's resource name."""
    name = f"observationSources/online-{journey.run}"
    return _once(journey, name, ONLINE, FOLDER / "figures-online.csv", "SDMX_CSV")


def _once(journey: Journey, name: str, source: dict[str, Any], file: Path, columns: str) -> str:
    caller = journey.person(ROLE, "Mila")
    if query(caller, sources=name).get("observations"):
        return name
    caller.rest("POST", "/v1/observationSources", source, observation_source_id=name.rpartition("/")[2])
    done = take_in(journey, name, file, columns)
    expect(done["state"] == "STATE_SUCCEEDED", f"the import of {file.name} is {done['state']}")
    return name


def take_in(journey: Journey, source: str, file: Path, columns: str = "CSV") -> dict[str, Any]:
    """Takes a file of figures in; returns the import when it has ended."""
    caller = journey.person(ROLE, "Mila")
    body = {
        "source": source,
        "upload": upload_to_catalogue(caller, file),
        "format": f"OBSERVATION_FORMAT_{columns}",
        "requestId": request_id(),
    }
    started = caller.rest("POST", "/v1/observationImports", body)["name"]

    def ended() -> dict[str, Any] | None:
        found = caller.rest("GET", f"/v1/{started}")
        return found if found["state"] in ("STATE_SUCCEEDED", "STATE_FAILED") else None

    return journey.wait_for(f"import of {file.name}", ended, times=10)


def query(caller: Caller, **wanted: Any) -> dict[str, Any]:
    """Figures that fit, with their sources."""
    asked = {f"filter.{name}": value for name, value in wanted.items()}
    return caller.rest("GET", "/v1/observations", page_size=500, **asked)
