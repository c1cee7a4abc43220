"""What entries of shortage lists rest on: from a file, through a person's decision, into digest and proof."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy
from waymark.catalogue.v1 import (
    occupation_pb2,
    occupation_pb2_grpc,
    shortage_list_pb2,
    shortage_match_pb2_grpc,
)
from waymark.catalogue.v1 import shortage_answer_pb2 as answer_pb
from waymark.catalogue.v1 import shortage_match_pb2 as match_pb
from waymark.catalogue.v1.shortage_answer_pb2_grpc import ShortageAnswerServiceStub

from services.catalogue.api.shortage_signing import sign_unsigned
from services.catalogue.domain import shortage, shortage_proof
from services.cli.shortage_proof import proved
from services.platform.db.engine import make_engine
from services.platform.db.transaction import transaction
from tests.support.catalogue import DEVELOPER, NURSE, Catalogue, day, with_taxonomy
from tests.support.portfolio import reason_of

STUDY = "https://study.example/2026"
ROWS = (
    f"occupation,severity,evidence\n2512,4,assessments/1|{STUDY}\nHealth: nurse,3,{STUDY}\n7512,2,\n".encode()
)
QUESTION = shortage_list_pb2.CheckShortageRequest(
    occupation=DEVELOPER, nuts_code="BE21", date=day("2026-06-01")
)
PROOF = answer_pb.GetShortageProofRequest(request=QUESTION)


@pytest.fixture
def lists(catalogue: Catalogue) -> Catalogue:
    return with_taxonomy(catalogue)


def published(lists: Catalogue) -> str:
    draft = lists.draft(lists.shortage_list(), ROWS)
    stub = lists.stub(shortage_match_pb2_grpc.ShortageMatchServiceStub)
    accept = match_pb.DecideShortageMatchRequest(name=f"{draft.name}/matches/3", state=2)  # type: ignore[arg-type]
    stub.DecideShortageMatch(accept)
    return str(lists.publish(draft.name).name)


def proof(lists: Catalogue) -> Any:
    return lists.stub(ShortageAnswerServiceStub, "").GetShortageProof(PROOF)


def outcome(lists: Catalogue) -> str:
    """What the proof that the service gives proves, by its own keys."""
    keys = {key.id: key.public for key in (lists.app.shortage_key,)}
    return str(proved(proof(lists), keys)[0]["outcome"])


def change(lists: Catalogue, *statements: str) -> None:
    """Changes what is published, as somebody could who is master of the database."""
    engine = make_engine(lists.app.settings.database_url, 1)
    with transaction(engine) as tx:
        for table in ("shortage_signatures", "shortage_entries"):
            tx.connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER frozen")
        for statement in statements:
            tx.connection.exec_driver_sql(statement)
    engine.dispose()


def test_it_stands_with_entries_on_pages_and_in_proofs(lists: Catalogue) -> None:
    name = published(lists)
    request = shortage_list_pb2.ListShortageEntriesRequest(parent=name)
    entries = lists.shortages("").ListShortageEntries(request).shortage_entries
    assert [(each.occupation.uri or each.occupation.isco_code, list(each.evidence)) for each in entries] == [
        ("2512", ["assessments/1", STUDY]),
        (NURSE, [STUDY]),
        ("7512", []),
    ]
    pages = lists.stub(occupation_pb2_grpc.OccupationServiceStub, "")
    asked = occupation_pb2.GetOccupationPageRequest(occupation=DEVELOPER, nuts_code="BE21")
    (listed,) = pages.GetOccupationPage(asked).shortages
    assert listed.entry == entries[0]
    found = proof(lists)
    assert found.answer.entry == entries[0]
    assert outcome(lists) == "PROVED"
    quick = lists.shortages("").CheckShortage(QUESTION)
    assert (quick.entry.name, list(quick.entry.evidence)) == (entries[0].name, [])


@pytest.mark.parametrize("changed", ["ARRAY['assessments/2']", "'{}'"])
def test_a_changed_piece_of_evidence_is_found(lists: Catalogue, changed: str) -> None:
    published(lists)
    statement = f"UPDATE shortage_entries SET evidence = {changed} WHERE seq = 1"
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="never changes"), transaction(lists.app) as tx:
        tx.connection.exec_driver_sql(statement)
    change(lists, statement)
    assert outcome(lists) == "NOT_IN_VERSION"
    change(lists, "DELETE FROM shortage_signatures")
    sign_unsigned(lists.app)  # its digest says that it is not what was published
    assert reason_of(lists.stub(ShortageAnswerServiceStub, "").GetShortageProof, PROOF) == "WRONG_STATE"


def test_control_what_is_not_covered_can_be_changed(
    lists: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (shortage, shortage_proof):
        monkeypatch.setattr(module, "covered", lambda entry: entry[:7])
    published(lists)
    change(
        lists,
        "UPDATE shortage_entries SET evidence = ARRAY['assessments/2'] WHERE seq = 1",
        "DELETE FROM shortage_signatures",
    )
    sign_unsigned(lists.app)
    assert outcome(lists) == "PROVED"


def test_what_was_published_without_is_proved_and_gets_none_later(lists: Catalogue) -> None:
    lists.publish(lists.draft(lists.shortage_list(), b"occupation\n2512\n").name)
    assert outcome(lists) == "PROVED"
    lists.app.shortages._trees._kept.clear()
    change(lists, f"UPDATE shortage_entries SET evidence = ARRAY['{STUDY}']")
    assert outcome(lists) == "NOT_IN_VERSION"
