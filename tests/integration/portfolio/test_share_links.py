"""Share links: the listed fields, the PIN's budget, the end of a link, and what the holder reads of it."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from sqlalchemy import text
from waymark.portfolio.v1 import access_log_pb2 as log
from waymark.portfolio.v1 import events_pb2, holder_pb2
from waymark.portfolio.v1 import share_link_pb2 as pb
from waymark.portfolio.v1.evidence_pb2 import Evidence
from waymark.portfolio.v1.mandate_pb2 import MANDATE_LEGAL_BASIS_CONSENT
from waymark.portfolio.v1.page_pb2 import PageBlock

from services.platform.db.transaction import transaction
from services.portfolio.domain import sharing
from services.portfolio.store import evidence, share_links
from tests.integration.portfolio.test_evidence import stored
from tests.support.pages import page
from tests.support.portfolio import (
    PDF,
    Caller,
    Portfolio,
    entry,
    pathway,
    reason_of,
    refused,
    share,
    skill,
    soon,
)
from tests.support.refusals import fields_refused


def opening(token: str, pin: str = "") -> pb.OpenShareLinkRequest:
    return pb.OpenShareLinkRequest(token=token, pin=pin)


def link_of(person: Caller) -> pb.ShareLink:
    (link,) = person.ListShareLinks(pb.ListShareLinksRequest(parent=person.holder)).share_links
    return link


def test_an_employer_sees_the_listed_fields_and_the_holder_the_opening(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Ada", family_name="Canary")
    entry(person, "Welder", organisation="Canary Ltd")
    skill(person, label={"en": "welding"})
    pathway(person, title="Canary way")
    fields = ["holder.given_name", "entries.title", "skill_claims.label"]
    made = share(person, fields, label="For Acme", purpose="To invite me", max_uses=3)
    shown = portfolio.anybody().OpenShareLink(opening(made.token))
    assert shown.portfolio.holder == holder_pb2.Holder(given_name="Ada")
    assert [found.title for found in shown.portfolio.entries] == ["Welder"]
    assert [dict(claim.label) for claim in shown.portfolio.skill_claims] == [{"en": "welding"}]
    assert b"Canary" not in shown.SerializeToString()
    assert person.subject.encode() not in shown.SerializeToString()
    assert (list(shown.fields), shown.remaining_uses, shown.purpose) == (fields, 2, "To invite me")
    link = link_of(person)
    assert (link.uses, link.label, link.state) == (1, "For Acme", pb.ShareLink.STATE_ACTIVE)
    assert (link.purpose, link.legal_basis) == ("To invite me", MANDATE_LEGAL_BASIS_CONSENT)
    (record,) = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records
    assert (record.action, record.grant, record.subject) == ("OpenShareLink", link.name, "")
    assert list(record.fields) == fields
    with transaction(portfolio.app) as tx:
        found = tx.execute(
            text("SELECT type, payload FROM outbox WHERE aggregateid = :id"), {"id": person.holder}
        )
        ((kind, payload),) = found.all()
    assert kind.endswith("ShareLinkOpened")
    assert events_pb2.ShareLinkOpened.FromString(payload).share_link == link.name


def test_an_anonymous_link_says_nothing_of_whose_it_is(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Ada", family_name="Canary")
    said = {"organisation": "Canary Ltd", "start_date": Date(year=1984), "description": {"en": "Ada welds"}}
    entry(person, "Welder", **said)
    skill(person, label={"en": "welding"})
    fields = ["entries", "skill_claims"]

    def seen(**options: bool) -> bytes:
        token = share(person, fields, purpose="To invite Ada", **options).token
        opened = portfolio.anybody().OpenShareLink(opening(token))
        assert opened.purpose == ("" if options else "To invite Ada")
        answer = opened.portfolio
        assert not answer.HasField("holder")
        assert (answer.entries[0].title, dict(answer.skill_claims[0].label)) == ("Welder", {"en": "welding"})
        assert answer.entries[0].HasField("start_date") != bool(options)
        return bytes(answer.SerializeToString())

    for told in (b"Canary", b"Ada", person.subject.encode()):
        assert told not in seen(anonymous=True)
        assert told in seen()  # control
    link = pb.ShareLink(fields=["holder", "entries"], max_uses=1, expire_time=soon(days=1), anonymous=True)
    request = pb.CreateShareLinkRequest(parent=person.holder, share_link=link)
    assert fields_refused(person.CreateShareLink, request) == ["share_link.fields[0]"]


def test_a_link_gives_the_files_that_it_shows_where_it_says_so(portfolio_with_files: Portfolio) -> None:
    portfolio = portfolio_with_files
    person = portfolio.person()
    film, other = stored(person), stored(person, PDF + b"other")
    made = page(person, PageBlock(evidence=film.name))

    def asked(token: str, name: str, pin: str = "") -> tuple[Any, pb.GetSharedFileRequest]:
        return portfolio.anybody().GetSharedFile, pb.GetSharedFileRequest(token=token, evidence=name, pin=pin)

    token = share(person, ["pages"], pages=[made.name], files=True, pin="2468", max_uses=2).token
    assert reason_of(*asked(token, film.name, "1357")) == "SHARE_LINK_PIN_WRONG"
    for hidden in (other.name, stored(portfolio.person()).name, "nonsense"):
        assert reason_of(*asked(token, hidden, "2468")) == "NOT_FOUND"
    call, request = asked(token, film.name, "2468")
    assert httpx.get(call(request).url).content == PDF
    assert link_of(person).uses == 1
    record = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records[0]
    assert (record.action, record.resource) == ("GetSharedFile", film.name)
    set_scan_state(portfolio, film.name, Evidence.SCAN_STATE_PENDING)
    assert reason_of(call, request) == "EVIDENCE_SCAN_PENDING"
    set_scan_state(portfolio, film.name, Evidence.SCAN_STATE_CLEAN)
    call(request)
    assert reason_of(call, request) == "SHARE_LINK_ENDED"
    # Control: what is known of files was never leave to have them.
    assert reason_of(*asked(share(person, ["evidence"]).token, film.name)) == "NOT_FOUND"
    call, request = asked(share(person, ["evidence"], files=True).token, other.name)
    assert httpx.get(call(request).url).content == PDF + b"other"


def set_scan_state(portfolio: Portfolio, name: str, state: Evidence.ScanState.ValueType) -> None:
    with transaction(portfolio.app) as tx:
        evidence.set_scan_state(tx, name.rpartition("/")[2], state)


def test_a_link_shows_what_is_true_now(portfolio: Portfolio) -> None:
    person = portfolio.person(given_name="Ada")
    token = share(person, ["holder.given_name"]).token
    change = holder_pb2.UpdateHolderRequest(
        holder=holder_pb2.Holder(name=person.holder, given_name="Augusta"),
        update_mask=FieldMask(paths=["given_name"]),
    )
    person.UpdateHolder(change)
    assert portfolio.anybody().OpenShareLink(opening(token)).portfolio.holder.given_name == "Augusta"


@pytest.mark.parametrize("fields", [["holder.password"], ["holder", "secrets"]])
def test_unknown_fields_are_refused(portfolio: Portfolio, fields: list[str]) -> None:
    person = portfolio.person()
    link = pb.ShareLink(fields=fields, max_uses=1, expire_time=soon(days=1))
    request = pb.CreateShareLinkRequest(parent=person.holder, share_link=link)
    assert reason_of(person.CreateShareLink, request) == "SHARE_FIELD_UNKNOWN"


@pytest.mark.parametrize("days", [-1, 400])
def test_an_end_out_of_range_is_refused(portfolio: Portfolio, days: int) -> None:
    person = portfolio.person()
    link = pb.ShareLink(fields=["holder"], max_uses=1, expire_time=soon(days=days))
    request = pb.CreateShareLinkRequest(parent=person.holder, share_link=link)
    assert reason_of(person.CreateShareLink, request) == "INVALID_ARGUMENT"


def test_the_token_is_shown_once_and_stored_as_a_hash(portfolio: Portfolio) -> None:
    person = portfolio.person()
    request = pb.CreateShareLinkRequest(
        parent=person.holder,
        share_link=pb.ShareLink(fields=["holder"], max_uses=1, expire_time=soon(days=1)),
        pin="135790",
        request_id="0190a5b0-0000-7000-8000-000000000001",
    )
    token = person.CreateShareLink(request).token
    assert reason_of(person.CreateShareLink, request) == "ALREADY_ANSWERED"
    with transaction(portfolio.app) as tx:
        stored = str(
            tx.execute(text("SELECT l::text FROM share_links l ORDER BY id DESC LIMIT 1")).scalar_one()
        )
        answers = (
            tx.execute(
                text("SELECT answer FROM request_ids WHERE request_id = :id"), {"id": request.request_id}
            )
            .scalars()
            .all()
        )
    assert token not in stored
    assert token.encode().hex() not in stored
    assert "135790" not in stored
    assert answers == [None]


@pytest.mark.parametrize(
    ("end", "state"),
    [
        ("UPDATE share_links SET expires_at = now()", "EXPIRED"),
        ("UPDATE share_links SET uses = max_uses", "EXHAUSTED"),
        ("UPDATE share_links SET revoked_at = now()", "REVOKED"),
    ],
)
@pytest.mark.parametrize("pin", ["", "2468"])
def test_an_ended_link_shows_nothing(portfolio: Portfolio, end: str, state: str, pin: str) -> None:
    person = portfolio.person()
    token = share(person, ["holder"], pin=pin).token
    portfolio.anybody().OpenShareLink(opening(token, pin))
    with transaction(portfolio.app) as tx:
        tx.execute(text(end))
    info = refused(portfolio.anybody().OpenShareLink, opening(token, pin))
    assert (info.reason, info.metadata["state"]) == ("SHARE_LINK_ENDED", state)
    assert pb.ShareLink.State.Name(link_of(person).state) == f"STATE_{state}"


def test_without_the_check_an_ended_link_would_open(portfolio: Portfolio, monkeypatch) -> None:
    """Control: `require_active` is what holds an ended link closed."""
    person = portfolio.person()
    token = share(person, ["holder"]).token
    person.RevokeShareLink(pb.RevokeShareLinkRequest(name=link_of(person).name))
    assert reason_of(portfolio.anybody().OpenShareLink, opening(token)) == "SHARE_LINK_ENDED"
    monkeypatch.setattr(sharing, "require_active", lambda state: None)
    portfolio.anybody().OpenShareLink(opening(token))


def test_an_unknown_token_opens_nothing(portfolio: Portfolio) -> None:
    token = share(portfolio.person(), ["holder"]).token
    for wrong in (token[:-1], token + "A", "x", token.swapcase()):
        assert reason_of(portfolio.anybody().OpenShareLink, opening(wrong)) == "NOT_FOUND"


def test_guessing_a_pin_is_over_after_five_tries(portfolio: Portfolio) -> None:
    person = portfolio.person()
    token = share(person, ["holder"], pin="2468").token
    thief = portfolio.anybody()
    reasons = [reason_of(thief.OpenShareLink, opening(token, f"{guess:04}")) for guess in range(7)]
    assert reasons == ["SHARE_LINK_PIN_WRONG"] * 5 + ["SHARE_LINK_LOCKED"] * 2
    assert reason_of(thief.OpenShareLink, opening(token, "2468")) == "SHARE_LINK_LOCKED"
    assert link_of(person).state == pb.ShareLink.STATE_LOCKED
    assert not person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records


def test_without_the_budget_guessing_would_go_on(portfolio: Portfolio, monkeypatch) -> None:
    """Control: the try that is charged first is what stops a thief."""
    token = share(portfolio.person(), ["holder"], pin="0007").token
    monkeypatch.setattr(share_links, "charge_try", lambda tx, link: None)
    thief = portfolio.anybody()
    for guess in range(7):
        assert reason_of(thief.OpenShareLink, opening(token, f"{guess:04}")) == "SHARE_LINK_PIN_WRONG"
    thief.OpenShareLink(opening(token, "0007"))


def test_guesses_at_the_same_moment_share_one_budget(portfolio: Portfolio) -> None:
    token = share(portfolio.person(), ["holder"], pin="2468").token
    reasons: list[str] = []

    def guess(number: int) -> None:
        reasons.append(reason_of(portfolio.anybody().OpenShareLink, opening(token, f"{number:04}")))

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reasons) == ["SHARE_LINK_LOCKED"] * 3 + ["SHARE_LINK_PIN_WRONG"] * 5


def test_the_right_pin_gives_the_tries_back(portfolio: Portfolio) -> None:
    token = share(portfolio.person(), ["holder"], pin="2468").token
    caller = portfolio.anybody()
    for _ in range(2):
        for guess in range(4):
            assert reason_of(caller.OpenShareLink, opening(token, f"{guess:04}")) == "SHARE_LINK_PIN_WRONG"
        caller.OpenShareLink(opening(token, "2468"))  # the fifth try, and the right one


def test_uses_are_counted_once_each_under_concurrency(portfolio: Portfolio) -> None:
    person = portfolio.person()
    token = share(person, ["holder"], max_uses=3).token
    outcomes: list[str] = []

    def use() -> None:
        caller = portfolio.anybody()
        try:
            caller.OpenShareLink(opening(token))
            outcomes.append("OK")
        except Exception:
            outcomes.append("refused")

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["OK"] * 3 + ["refused"] * 5
    assert link_of(person).uses == 3
    found = person.ListAccessRecords(log.ListAccessRecordsRequest(parent=person.holder)).access_records
    assert len(found) == 3
