"""Rows whose occupation is not sure: a person decides, and later versions remember."""

from __future__ import annotations

from typing import Any

from waymark.catalogue.v1 import shortage_list_pb2, shortage_match_pb2_grpc
from waymark.catalogue.v1 import shortage_match_pb2 as pb

from services.catalogue.domain.shortage_proof import item
from services.catalogue.store import shortage_lists
from services.platform.db.transaction import transaction
from tests.support.catalogue import DEVELOPER, NURSE, Catalogue, day, with_taxonomy
from tests.support.portfolio import reason_of

HEAD = b"occupation\n"
# By plural, by a part, ambiguous to nobody, unknown, sure.
ROWS = HEAD + b"nursing professional\nHealth: nurse\ndragon tamer\nbaker\n"
S = pb.ShortageMatch


def stub(catalogue: Catalogue) -> Any:
    return catalogue.stub(shortage_match_pb2_grpc.ShortageMatchServiceStub)


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
