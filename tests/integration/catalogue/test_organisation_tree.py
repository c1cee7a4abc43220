"""Organisations in trees: branches, roles, sectors; no loop, also none that two people make together."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy import text
from waymark.catalogue.v1 import organisation_pb2 as pb

from services.catalogue.store import organisation_tree
from services.platform.db.transaction import transaction
from tests.support.catalogue import Catalogue, in_threads
from tests.support.portfolio import reason_of
from tests.support.servers import token

FILL = text(
    """
    INSERT INTO organisations (id, display_name, legal_ids, sector, roles, parent_id)
    SELECT format('%s-%s', CAST(:prefix AS text), n),
           format('%s %s', CAST(:prefix AS text), lpad(n::text, 6, '0')),
           '{}', 1 + n % 3, ARRAY[1 + n % 4], CAST(:parent AS text)
    FROM generate_series(1, :count) n
    """
)


def branch(catalogue: Catalogue, name: str, parent: str = "", **values: Any) -> str:
    made = catalogue.organisations().CreateOrganisation(
        pb.CreateOrganisationRequest(
            organisation=pb.Organisation(display_name=name, parent=parent, **values), organisation_id=name
        )
    )
    return str(made.name)


def under(name: str, parent: str, *paths: str, **values: Any) -> pb.UpdateOrganisationRequest:
    return pb.UpdateOrganisationRequest(
        organisation=pb.Organisation(name=name, parent=parent, **values),
        update_mask=FieldMask(paths=paths or ["parent"]),
    )


def names(catalogue: Catalogue, **wanted: Any) -> list[str]:
    """Reads a list page by page, as anybody."""
    request, found = pb.ListOrganisationsRequest(page_size=50, **wanted), list[str]()
    while True:
        answer = catalogue.organisations("").ListOrganisations(request)
        found += [each.name for each in answer.organisations]
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


def fill(catalogue: Catalogue, prefix: str, count: int, parent: str | None = None) -> None:
    with transaction(catalogue.app) as tx:
        tx.execute(FILL, {"prefix": prefix, "count": count, "parent": parent})


def test_branches_sectors_and_roles(catalogue: Catalogue) -> None:
    head = branch(catalogue, "head", sector="SECTOR_PUBLIC", roles=["ORGANISATION_ROLE_PLATFORM"])
    north = branch(
        catalogue, "north", head, roles=["ORGANISATION_ROLE_PARTNER", "ORGANISATION_ROLE_PROVIDER"]
    )
    office = branch(catalogue, "office", north, sector="SECTOR_THIRD")
    read = catalogue.organisations("").GetOrganisation(pb.GetOrganisationRequest(name=north))
    assert (read.parent, list(read.roles)) == (
        head,
        [pb.ORGANISATION_ROLE_PARTNER, pb.ORGANISATION_ROLE_PROVIDER],
    )
    assert names(catalogue, parent=head) == [north]
    assert names(catalogue, parent=head, all_levels=True) == [north, office]
    assert names(catalogue, sector=pb.SECTOR_THIRD) == [office]
    assert names(catalogue, role=pb.ORGANISATION_ROLE_PROVIDER) == [north]
    moved = catalogue.organisations().UpdateOrganisation(under(office, ""))
    assert moved.parent == ""
    assert names(catalogue, parent=head, all_levels=True) == [north]
    alone = pb.ListOrganisationsRequest(all_levels=True)
    assert reason_of(catalogue.organisations("").ListOrganisations, alone) == "INVALID_ARGUMENT"


def test_who_may_move_whom_and_whereto(catalogue: Catalogue) -> None:
    head = branch(catalogue, "head")
    north, office = branch(catalogue, "north", head), "organisations/office"
    branch(catalogue, "office", north)
    update = catalogue.organisations().UpdateOrganisation
    for parent in (head, north, office):
        assert reason_of(update, under(head, parent)) == "ORGANISATION_LOOP"
    assert reason_of(update, under(head, "organisations/nobody")) == "NOT_FOUND"
    own = catalogue.organisations(token("provider", org=office))
    assert reason_of(own.UpdateOrganisation, under(office, head)) == "PERMISSION_DENIED"
    roles = under(office, "", "roles", roles=["ORGANISATION_ROLE_PARTNER"])
    assert reason_of(own.UpdateOrganisation, roles) == "PERMISSION_DENIED"
    sector = under(office, "", "sector", sector="SECTOR_PUBLIC")
    assert reason_of(own.UpdateOrganisation, sector) == "PERMISSION_DENIED"
    assert own.UpdateOrganisation(under(office, "", "legal_ids", legal_ids={"kbo": "1"})).legal_ids


def test_a_tree_ends_at_its_eighth_level(catalogue: Catalogue) -> None:
    parent = ""
    for level in range(8):
        parent = branch(catalogue, f"level-{level}", parent)
    request = pb.CreateOrganisationRequest(organisation=pb.Organisation(display_name="x", parent=parent))
    assert reason_of(catalogue.organisations().CreateOrganisation, request) == "ORGANISATION_LOOP"


def both_below_each_other(catalogue: Catalogue) -> Counter[str]:
    """Two people put two organisations each below a branch of the other at the same moment, until one pair
    has met or they have tried often enough; returns what they were answered."""
    seen = Counter[str]()
    for number in range(20):
        pair = branch(catalogue, f"a-{number}"), branch(catalogue, f"b-{number}")
        branches = [branch(catalogue, f"{name.partition('/')[2]}-branch", name) for name in pair]
        calls = [catalogue.organisations(), catalogue.organisations()]

        def put(index: int, pair: Any = pair, branches: Any = branches, calls: Any = calls) -> str:
            request = under(pair[index], branches[1 - index])
            try:
                calls[index].UpdateOrganisation(request)
            except Exception:
                return reason_of(calls[index].UpdateOrganisation, request)
            return "moved"

        answers = in_threads(2, put)
        seen[" ".join(sorted(answers))] += 1
        if answers == ["moved", "moved"]:
            break
    return seen


def test_two_cannot_make_a_loop_together(catalogue: Catalogue) -> None:
    assert both_below_each_other(catalogue) == {"ORGANISATION_LOOP moved": 20}


def test_control_without_the_lock_they_do(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(organisation_tree, "lock", lambda tx: None)
    assert both_below_each_other(catalogue)["moved moved"] == 1


def test_455_partners_and_76_offices_are_read_from_an_index(catalogue: Catalogue) -> None:
    fill(catalogue, "partner", 455)
    fill(catalogue, "office", 76, "partner-1")
    fill(catalogue, "floor", 3, "office-76")
    assert len(names(catalogue)) == 455 + 76 + 3
    offices = names(catalogue, parent="organisations/partner-1")
    assert len(offices) == 76
    assert len(names(catalogue, parent="organisations/partner-1", all_levels=True)) == 79
    fill(catalogue, "other", 20_000)
    with transaction(catalogue.app) as tx:
        tx.connection.exec_driver_sql("ANALYZE organisations")
        page = "SELECT * FROM organisations {} ORDER BY display_name, id LIMIT 51"
        plans = [
            "\n".join(tx.connection.exec_driver_sql("EXPLAIN " + page.format(where)).scalars())
            for where in ("WHERE (display_name, id) > ('other 1', '')", "WHERE parent_id = 'partner-1'")
        ]
    assert all("Seq Scan" not in plan for plan in plans), plans
    assert "organisations_parent" in plans[1]
