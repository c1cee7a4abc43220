"""Rows whose occupation is not sure: a person decides, and later versions remember."""

from __future__ import annotations

from typing import Any

import pytest
from waymark.catalogue.v1 import shortage_list_pb2, shortage_match_pb2_grpc
from waymark.catalogue.v1 import shortage_match_pb2 as pb

from services.catalogue.domain.shortage_proof import item
from services.catalogue.store import shortage_lists, shortage_matches
from services.platform.db.transaction import transaction
from tests.support.catalogue import DEVELOPER, NURSE, Catalogue, day, with_taxonomy
from tests.support.portfolio import reason_of
from tests.support.servers import token

HEAD = b"occupation\n"
# By plural, by a part, ambiguous to nobody, unknown, sure.
ROWS = HEAD + b"nursing professional\nHealth: nurse\ndragon tamer\nbaker\n"
S = pb.ShortageMatch


def stub(catalogue: Catalogue, access: str | None = None) -> Any:
    return catalogue.stub(shortage_match_pb2_grpc.ShortageMatchServiceStub, access)


def matches(catalogue: Catalogue, version: str, state: int = 0) -> list[Any]:
    request = pb.ListShortageMatchesRequest(parent=version, state=state)  # type: ignore[arg-type]
    return list(stub(catalogue).ListShortageMatches(request).shortage_matches)


def test_rows_that_are_not_sure_are_decided_by_a_person_once(catalogue: Catalogue) -> None:
    with_taxonomy(catalogue)
    parent = catalogue.shortage_list()
    draft = catalogue.draft(parent, ROWS, "NAMES")
    assert (draft.entry_count, draft.rejected_row_count, draft.error_count) == (3, 1, 1)
    found = matches(catalogue, draft.name)
    assert [(m.line, m.label, m.occupation.uri, m.state) for m in found] == [
        (2, "nursing professional", "", S.STATE_OPEN),
        (3, "Health: nurse", NURSE, S.STATE_OPEN),
        (4, "dragon tamer", "", S.STATE_OPEN),
    ]
    assert found[0].occupation.isco_code == "2221"
    decide = stub(catalogue).DecideShortageMatch
    unknown = pb.DecideShortageMatchRequest(name=found[2].name, state=S.STATE_ACCEPTED)
    assert reason_of(decide, unknown) == "INVALID_ARGUMENT"
    unknown.state, unknown.occupation = S.STATE_REPLACED, "http://x/y"
    assert reason_of(decide, unknown) == "INVALID_ARGUMENT"
    unknown.occupation = "251"
    assert decide(unknown).occupation.isco_code == "251"
    assert decide(pb.DecideShortageMatchRequest(name=found[0].name, state=S.STATE_REJECTED)).state == 4

    get = catalogue.shortages().GetShortageListVersion
    now = get(shortage_list_pb2.GetShortageListVersionRequest(name=draft.name))
    assert (now.entry_count, now.rejected_row_count, now.error_count) == (3, 1, 0)
    assert now.etag != draft.etag
    publish = catalogue.shortages(catalogue.second).PublishShortageListVersion
    stale = shortage_list_pb2.PublishShortageListVersionRequest(name=draft.name, etag=draft.etag)
    assert reason_of(publish, stale) == "ETAG_STALE"
    stale.etag = now.etag
    assert reason_of(publish, stale) == "SHORTAGE_LIST_HAS_FINDINGS"  # one is open
    decide(pb.DecideShortageMatchRequest(name=found[1].name, state=S.STATE_ACCEPTED))
    catalogue.publish(draft.name)
    assert reason_of(decide, unknown) == "WRONG_STATE"
    with transaction(catalogue.app) as tx:
        entries = shortage_lists.entries(tx.connection, "flanders", 1)
    assert [(e.seq, e.line, e.uri or e.isco_code) for e in entries] == [
        (1, 3, NURSE),
        (2, 4, "251"),
        (3, 5, "http://data.europa.eu/esco/occupation/baker"),
    ]
    assert item(entries[1]).startswith(b'[2,"","251","dragon tamer"')

    # The next version knows what was decided; what was left out is asked again.
    second = catalogue.draft(parent, ROWS, "NAMES", valid_from=day("2013-01-01"))
    assert [m.line for m in matches(catalogue, second.name, S.STATE_OPEN)] == [2]
    assert (second.entry_count, second.error_count) == (4, 0)
    # Control: another list knows nothing of it.
    other = catalogue.draft(catalogue.shortage_list("other"), ROWS, "NAMES")
    assert len(matches(catalogue, other.name)) == 3
    assert DEVELOPER not in {m.occupation.uri for m in matches(catalogue, other.name)}


def test_who_decides_a_row_publishes_no_list_with_it(catalogue: Catalogue) -> None:
    """Else one person alone could put any occupation on a list that a colleague has drafted."""
    with_taxonomy(catalogue)
    draft = catalogue.draft(catalogue.shortage_list(), HEAD + b"dragon tamer\nbaker\n", "NAMES")
    row = matches(catalogue, draft.name)[0].name
    decision = pb.DecideShortageMatchRequest(name=row, state=S.STATE_REPLACED, occupation="251")
    stub(catalogue, catalogue.second).DecideShortageMatch(decision)
    publish = shortage_list_pb2.PublishShortageListVersionRequest(name=draft.name)
    for access in (catalogue.manager, catalogue.second):
        assert reason_of(catalogue.shortages(access).PublishShortageListVersion, publish) == "SAME_PERSON"
    third = token("catalogue_manager")
    assert catalogue.shortages(third).PublishShortageListVersion(publish).entry_count == 2


def test_control_without_the_look_at_decisions_it_is_published(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortage_matches, "deciders", lambda *_: set())
    with_taxonomy(catalogue)
    draft = catalogue.draft(catalogue.shortage_list(), HEAD + b"dragon tamer\nbaker\n", "NAMES")
    row = matches(catalogue, draft.name)[0].name
    decision = pb.DecideShortageMatchRequest(name=row, state=S.STATE_REPLACED, occupation="251")
    stub(catalogue, catalogue.second).DecideShortageMatch(decision)
    assert catalogue.publish(draft.name).digest


def test_a_decision_that_nobody_has_published_is_remembered_for_who_made_it(catalogue: Catalogue) -> None:
    """Else somebody could decide a row of a draft that is given up, and publish the next one with it."""
    with_taxonomy(catalogue)
    parent, rows = catalogue.shortage_list(), HEAD + b"dragon tamer\ndragon feeder\nbaker\n"
    first = matches(catalogue, catalogue.draft(parent, rows, "NAMES").name)
    for access, row in zip((catalogue.second, catalogue.manager), first, strict=True):
        decision = pb.DecideShortageMatchRequest(name=row.name, state=S.STATE_REPLACED, occupation="251")
        stub(catalogue, access).DecideShortageMatch(decision)
    again = catalogue.draft(parent, rows, "NAMES")
    assert [match.label for match in matches(catalogue, again.name)] == ["dragon tamer"]
