"""An import and the telling of a hold write the same courses at once: one waits for the other, no more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy.exc import OperationalError
from waymark.catalogue.v1 import course_pb2

from services.catalogue.store import courses as store
from services.platform.db.transaction import Transaction, transaction
from tests.integration.catalogue.feeds import feed, many
from tests.support.catalogue import Catalogue
from tests.support.databases import WAITING, sessions
from tests.support.waiting import eventually

Locks = Callable[[Transaction, Sequence[str]], dict[str, Any]]


def meet(catalogue: Catalogue, lock: Locks) -> None:
    """Has an import write three courses, of which the last is corrected, while their organisation's hold is
    told of."""
    organisation = catalogue.organisation("harbour")
    catalogue.feed(catalogue.source(organisation), feed(*many(3)))
    listed = catalogue.courses("").ListCourses(course_pb2.ListCoursesRequest()).courses
    *names, last = sorted(course.name for course in listed)
    corrected = course_pb2.Course(name=last, kind="exam")
    mask = FieldMask(paths=["kind"])
    catalogue.courses().CorrectCourse(course_pb2.CorrectCourseRequest(course=corrected, update_mask=mask))
    ids = [name.rpartition("/")[2] for name in [*names, last]]

    def tell() -> Sequence[str]:
        with transaction(catalogue.app) as tx:
            return store.touch_next(tx, "harbour", "00000000-0000-0000-0000-000000000000", 3)

    with ThreadPoolExecutor(1) as pool:
        with transaction(catalogue.app) as tx:
            assert list(lock(tx, ids)) == ids[-1:]
            telling = pool.submit(tell)
            eventually(lambda: sessions(catalogue.app.engine, WAITING))
            store.touch(tx, ids[0])
        assert telling.result() == ids


def only_corrected(tx: Transaction, ids: Sequence[str]) -> dict[str, Any]:
    """Locks what is corrected, and nothing before it."""
    return store.corrections(tx, ids[-1:])


def test_one_waits_for_the_other(catalogue: Catalogue) -> None:
    meet(catalogue, store.corrections)


def test_control_out_of_order_they_wait_for_each_other(catalogue: Catalogue) -> None:
    with pytest.raises(OperationalError, match="deadlock detected"):
        meet(catalogue, only_corrected)
