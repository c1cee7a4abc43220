"""Offers for priority territories and target groups, and those that are taught online."""

from __future__ import annotations

from typing import Any

from services.cli.demo.catalogue_rows.offers import COURSES, modular
from services.cli.demo.journey import Journey, Step, expect


def show(journey: Journey) -> str:
    """REST: the same offers by territory, by target group, and online; a facet counts each group."""
    anyone, partner = journey.client.anonymous(), modular(journey)

    def titles(**wanted: Any) -> list[str]:
        found = anyone.rest("GET", "/v1/courses:search", organisations=[partner], **wanted)
        return [next(iter(hit["titles"].values())) for hit in found.get("hits", [])]

    here = titles(territories=["Antwerpen-Noord"])
    expect(here == ["Metal trades in modules"], f"for the territory: {here}")
    online = titles(modes=["COURSE_MODE_ONLINE"])
    expect(online == ["Technical drawing on your own screen"], f"online: {online}")
    elder = titles(target_groups=["jobseekers over 50"])
    expect(len(elder) == COURSES - 1, f"for jobseekers over 50: {elder}")
    counted = anyone.rest(
        "GET", "/v1/courses:search", organisations=[partner], facets=["FACET_TARGET_GROUP"]
    )["facets"][0]["values"]
    groups = {each["value"]: int(each["count"]) for each in counted}
    expect(groups == {"jobseekers over 50": 2, "women": 1, "young people": 1}, f"groups: {groups}")
    return f"{len(here)} for Antwerpen-Noord, {len(online)} online; " + ", ".join(
        f"{count} for {group}" for group, count in groups.items()
    )


STEP = Step("territories", "Offers by priority territory, target group, and online", ("C20",), show)
