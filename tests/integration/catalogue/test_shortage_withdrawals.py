"""A published version is withdrawn before its first day: it never answers, and stays to be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy
from waymark.catalogue.v1 import events_pb2
from waymark.catalogue.v1.shortage_list_pb2 import (
    CheckShortageRequest,
    DeleteShortageListVersionRequest,
    GetShortageListVersionRequest,
    ShortageListVersion,
    WithdrawShortageListVersionRequest,
)

from services.catalogue import shortage_book
from services.catalogue.api.shortage_answers import check
from services.catalogue.app import CatalogueApp
from services.catalogue.store import shortage_lists
from services.platform.db.engine import make_engine
from services.platform.db.transaction import transaction
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import SECOND, Catalogue, day, with_taxonomy
from tests.support.portfolio import reason_of

ROWS = b"occupation,region,severity,cause\n2512,BE2,%d,\n"
Withdraw = WithdrawShortageListVersionRequest


def in_days(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


@pytest.fixture
def lists(catalogue: Catalogue) -> Catalogue:
    return with_taxonomy(catalogue)


@pytest.fixture
def other(catalogue: Catalogue) -> Iterator[CatalogueApp]:
    """Another process of the same service."""
    app = CatalogueApp.build(catalogue.app.settings)
    yield app
    app.close()


def publish(catalogue: Catalogue, parent: str, severity: int, days: int) -> str:
    draft = catalogue.draft(parent, ROWS % severity, valid_from=day(in_days(days)))
    return str(catalogue.publish(draft.name).name)


def answering(app: Any, days: int) -> str:
    request = CheckShortageRequest(occupation="2512", nuts_code="BE21", date=day(in_days(days)))
    return check(app.shortages, request).version


def test_what_is_withdrawn_never_answers_and_its_days_are_free_again(
    lists: Catalogue, other: CatalogueApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = lists.shortage_list()
    first, wrong = publish(lists, parent, 3, -10), publish(lists, parent, 5, 30)
    assert answering(other, 40) == wrong
    withdraw, second = lists.shortages().WithdrawShortageListVersion, lists.shortages(lists.second)
    request = Withdraw(name=wrong, reason="of another region")
    assert reason_of(second.WithdrawShortageListVersion, request) == "SAME_PERSON"  # who published it
    assert reason_of(withdraw, Withdraw(name=first, reason="x")) == "SHORTAGE_VERSION_IN_FORCE"
    assert reason_of(withdraw, Withdraw(name=wrong, reason="x", etag="old")) == "ETAG_STALE"
    assert reason_of(withdraw, Withdraw(name=wrong)) == "INVALID_ARGUMENT"

    gone = withdraw(request)
    assert (gone.state, gone.withdraw_reason) == (ShortageListVersion.STATE_WITHDRAWN, "of another region")
    assert {answering(app, days) for app in (other, lists.app) for days in (0, 30, 40)} == {first}
    assert lists.shortages("").GetShortageListVersion(GetShortageListVersionRequest(name=wrong)) == gone
    (told,) = events(lists, events_pb2.ShortageListWithdrawn)
    assert (told.version, told.valid_from) == (wrong, day(in_days(30)))
    assert reason_of(withdraw, request) == "WRONG_STATE"
    drop = lists.shortages().DeleteShortageListVersion
    assert reason_of(drop, DeleteShortageListVersionRequest(name=wrong)) == "WRONG_STATE"

    right = publish(lists, parent, 4, 20)  # before the one withdrawn, which bars nothing any more
    assert (answering(other, 19), answering(other, 30)) == (first, right)
    # Control: a withdrawal that does not wait until looks have run out goes on to answer.
    monkeypatch.setattr(shortage_book, "FRESH", 0.0)
    other.shortages.view(anew=True)
    withdraw(Withdraw(name=right, reason="wrong again"))
    monkeypatch.setattr(shortage_book, "FRESH", 60.0)
    assert answering(other, 30) == right
    monkeypatch.setattr(shortage_book, "FRESH", 0.0)
    assert answering(other, 30) == first


def test_the_database_itself_lets_nothing_else_of_a_published_version_change(lists: Catalogue) -> None:
    parent = lists.shortage_list()
    publish(lists, parent, 3, 0)
    publish(lists, parent, 5, 30)
    withdrawal = "UPDATE shortage_versions SET withdraw_time = now(), withdraw_reason = 'x', withdrawn_by = "

    def refused(statement: str) -> str:
        with pytest.raises(sqlalchemy.exc.DBAPIError) as caught, transaction(lists.app) as tx:
            tx.connection.exec_driver_sql(statement)
        return str(caught.value)

    assert "withdrawn_by_another" in refused(f"{withdrawal} '{SECOND}' WHERE number = 2")
    assert "never changes" in refused(f"{withdrawal} 'z' WHERE number = 1")  # in force today
    assert "never changes" in refused(f"{withdrawal} 'z', method = 'x' WHERE number = 2")
    assert "never changes" in refused("DELETE FROM shortage_versions WHERE number = 2")
    with transaction(lists.app) as tx:
        tx.connection.exec_driver_sql(f"{withdrawal} 'z' WHERE number = 2")
    for again in ("withdraw_reason = 'y'", "withdrawn_by = NULL, withdraw_time = NULL, withdraw_reason = ''"):
        assert "never changes" in refused(f"UPDATE shortage_versions SET {again} WHERE number = 2")
    # Control: without the rule the version in force is withdrawn.
    engine = make_engine(lists.app.settings.database_url, 1)
    with transaction(engine) as tx:
        tx.connection.exec_driver_sql("ALTER TABLE shortage_versions DISABLE TRIGGER frozen")
        tx.connection.exec_driver_sql(f"{withdrawal} 'z' WHERE number = 1")
        assert shortage_lists.published(tx.connection) == {}
    engine.dispose()
