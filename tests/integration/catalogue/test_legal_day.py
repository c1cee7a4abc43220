"""Whether there is a shortage today, where the legal day is another one than that in UTC right now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from waymark.catalogue.v1.shortage_list_pb2 import CheckShortageRequest

from services.catalogue.api.shortage_answers import check
from services.catalogue.app import CatalogueApp
from tests.integration.catalogue.test_shortage_answers import publish
from tests.support.catalogue import DEVELOPER, Catalogue, with_taxonomy


def test_without_a_date_a_shortage_is_asked_about_for_the_legal_day(catalogue: Catalogue) -> None:
    now = datetime.now(UTC)
    there = ZoneInfo("Etc/GMT-14" if now.hour >= 10 else "Etc/GMT+12")
    legal, in_utc = now.astimezone(there).date(), now.date()
    assert legal != in_utc
    with_taxonomy(catalogue)
    first = max(legal, in_utc)
    publish(catalogue, catalogue.shortage_list(), on=first.isoformat())

    def short(zone: ZoneInfo) -> bool:
        app = CatalogueApp.build(replace(catalogue.app.settings, time_zone=zone))
        try:
            request = CheckShortageRequest(occupation=DEVELOPER, nuts_code="BE211")
            return bool(check(app.shortages, request).short)
        finally:
            app.close()

    assert short(there) is (first == legal)
    assert short(ZoneInfo("UTC")) is (first == in_utc)  # control: elsewhere it is the other way round
