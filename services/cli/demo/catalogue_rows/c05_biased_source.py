"""Cedefop's online vacancies: partial and biased, and said so."""

from __future__ import annotations

from services.cli.demo.catalogue_rows import figures
from services.cli.demo.journey import Journey, Step, expect


def show(journey: Journey) -> str:
    """REST: figures of a biased source come with its coverage and bias; a bad line is a finding."""
    name = figures.online(journey)
    answer = figures.query(journey.client.anonymous(), sources=name)
    source = next(each for each in answer["sources"] if each["name"] == name)
    expect(source.get("biased", False) and bool(source["bias"]), "the bias is not told")
    again = figures.take_in(journey, name, figures.FOLDER / "figures-online.csv", "SDMX_CSV")
    manager = journey.person("catalogue_manager", "Mila")
    found = manager.rest("GET", f"/v1/{again['name']}/findings")["findings"]
    told = [(each["line"], each["path"], each["code"]) for each in found]
    expect(told == [(4, "period", "PERIOD_INVALID")], f"findings are {told}")
    return f"{source['coverage']}: {source['bias']}; line 4 of the file: {found[0]['message']}"


STEP = Step("biased-source", "Online vacancies are partial and biased, and say so", ("C5",), show)
