"""Holders over the real server: own portfolio only, etags, masks, request ids."""

from __future__ import annotations

import uuid

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from waymark.portfolio.v1 import holder_pb2 as pb

from tests.support.portfolio import Portfolio, reason_of


def test_created_for_the_caller_and_read_again(portfolio: Portfolio) -> None:
    person = portfolio.learner()
    sent = pb.Holder(
        name="holders/somebody-else", given_name="Ada", contact=pb.Contact(email="ada@example.org")
    )
    made = person.CreateHolder(pb.CreateHolderRequest(holder=sent))
    assert made.name == person.holder
    read = person.GetHolder(pb.GetHolderRequest(name=person.holder))
    assert read == made
    assert read.contact.email == "ada@example.org"
    assert read.create_time == read.update_time
    assert reason_of(person.CreateHolder, pb.CreateHolderRequest(holder=sent)) == "ALREADY_EXISTS"


def test_an_update_changes_the_named_fields_only(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Ada", family_name="Byron", languages=["nl", "en"])
    change = pb.Holder(name=person.holder, family_name="King", languages=["fr"])
    updated = person.UpdateHolder(
        pb.UpdateHolderRequest(holder=change, update_mask=FieldMask(paths=["family_name"]))
    )
    assert (updated.given_name, updated.family_name, list(updated.languages)) == ("Ada", "King", ["nl", "en"])
    updated = person.UpdateHolder(pb.UpdateHolderRequest(holder=change))
    assert (updated.given_name, list(updated.languages)) == ("Ada", ["fr"])
    cleared = pb.UpdateHolderRequest(
        holder=pb.Holder(name=person.holder), update_mask=FieldMask(paths=["given_name", "languages"])
    )
    assert not person.UpdateHolder(cleared).given_name
    assert person.GetHolder(pb.GetHolderRequest(name=person.holder)).family_name == "King"


@pytest.mark.parametrize("path", ["nonsense", "name", "create_time", "contact.nonsense"])
def test_a_mask_with_a_wrong_path_is_refused(portfolio: Portfolio, path: str) -> None:
    person = portfolio.person()
    request = pb.UpdateHolderRequest(
        holder=pb.Holder(name=person.holder, given_name="x"), update_mask=FieldMask(paths=[path])
    )
    assert reason_of(person.UpdateHolder, request) == "INVALID_ARGUMENT"


def test_a_stale_etag_is_refused_and_writes_nothing(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Ada")
    etag = person.GetHolder(pb.GetHolderRequest(name=person.holder)).etag
    change = pb.Holder(name=person.holder, given_name="Augusta", etag=etag)
    person.UpdateHolder(pb.UpdateHolderRequest(holder=change))
    change.given_name = "Anne"
    assert reason_of(person.UpdateHolder, pb.UpdateHolderRequest(holder=change)) == "ETAG_STALE"
    assert person.GetHolder(pb.GetHolderRequest(name=person.holder)).given_name == "Augusta"


@pytest.mark.parametrize(
    "bad",
    [
        pb.Holder(birth_date=Date(year=2023, month=2, day=29)),
        pb.Holder(birth_date=Date(year=2000)),
        pb.Holder(contact=pb.Contact(email="not an address")),
        pb.Holder(contact=pb.Contact(region_code="Belgium")),
        pb.Holder(given_name="x" * 201),
    ],
)
def test_bad_input_is_refused_on_both_ways_in(portfolio: Portfolio, bad: pb.Holder) -> None:
    assert (
        reason_of(portfolio.learner().CreateHolder, pb.CreateHolderRequest(holder=bad)) == "INVALID_ARGUMENT"
    )
    person = portfolio.person()
    bad.name = person.holder
    assert reason_of(person.UpdateHolder, pb.UpdateHolderRequest(holder=bad)) == "INVALID_ARGUMENT"


def test_a_repeated_request_gets_the_first_answer(portfolio: Portfolio) -> None:
    person, request_id = portfolio.learner(), str(uuid.uuid4())
    request = pb.CreateHolderRequest(holder=pb.Holder(given_name="Ada"), request_id=request_id)
    assert person.CreateHolder(request) == person.CreateHolder(request)
    request.holder.given_name = "Eve"
    assert reason_of(person.CreateHolder, request) == "REQUEST_ID_REUSED"
