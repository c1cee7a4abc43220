"""Which sessions keep a site from being removed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.catalogue.domain.sites import Place, check_unused
from services.platform.errors import Refusal

TODAY = date(2026, 3, 1)
DOCK = Place("9000", "Gent")


def course(**session: Any) -> list[tuple[str, dict[str, Any]]]:
    held = {"id": "s", "start": "2026-04-01", **session}
    return [("c", {"offerings": [{"mode": 1, "language": "", "sessions": [held]}]})]


@pytest.mark.parametrize(
    ("site", "session", "in_use"),
    [
        (DOCK, {"postcode": "9000", "town": "Gand"}, True),
        (DOCK, {"postcode": "9030", "town": "Gent"}, False),
        (DOCK, {"town": "GENT"}, True),
        (Place("MK7 6BJ", ""), {"postcode": "mk76bj"}, True),
        (Place("", ""), {"town": ""}, False),
        (DOCK, {"town": "Gent", "start": "2026-02-28"}, False),
        (DOCK, {"town": "Gent", "cancelled": True}, False),
    ],
)
def test_by_postcode_else_by_town(site: Place, session: dict[str, Any], in_use: bool) -> None:
    found = course(**session)
    if not in_use:
        check_unused(site, [], found, TODAY)
        return
    with pytest.raises(Refusal, match="SITE_IN_USE") as refusal:
        check_unused(site, [Place("1000", "Brussel")], found, TODAY)
    assert refusal.value.metadata == {"course": "courses/c", "session_count": "1"}
    check_unused(site, [site], found, TODAY)  # another one at the same place
