"""As-of answers from memory: what another process published counts at once; many at a time; proofs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from google.protobuf.json_format import MessageToJson
from typer.testing import CliRunner
from waymark.catalogue.v1 import shortage_answer_pb2 as pb
from waymark.catalogue.v1 import shortage_answer_pb2_grpc
from waymark.catalogue.v1.shortage_list_pb2 import CheckShortageRequest

from services.catalogue import shortage_book
from services.catalogue.api.shortage_answers import check
from services.catalogue.api.shortage_signing import sign_unsigned
from services.catalogue.app import CatalogueApp
from services.catalogue.shortage_book import ShortageBook
from services.cli.main import app as command_line
from services.platform.db.engine import make_engine
from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from services.platform.signing import signing_key
from tests.support.catalogue import DEVELOPER, Catalogue, day, with_taxonomy
from tests.support.portfolio import reason_of
from tests.support.refusals import fields_refused

HEAD = b"occupation,region,severity,cause\n"
ROWS = HEAD + b"251,BE2,4,too_few_people\n7512,BE211,2,\n7512,BE,1,\n"


def asked(occupation: str = DEVELOPER, nuts: str = "BE211", on: str = "2026-06-01") -> CheckShortageRequest:
    return CheckShortageRequest(occupation=occupation, nuts_code=nuts, date=day(on))


def answers(catalogue: Catalogue) -> shortage_answer_pb2_grpc.ShortageAnswerServiceStub:
    stub: shortage_answer_pb2_grpc.ShortageAnswerServiceStub = catalogue.stub(
        shortage_answer_pb2_grpc.ShortageAnswerServiceStub, ""
    )
    return stub


@pytest.fixture
def other(catalogue: Catalogue) -> Iterator[CatalogueApp]:
    """Another process of the same service."""
    app = CatalogueApp.build(catalogue.app.settings)
    yield app
    app.close()


def publish(catalogue: Catalogue, parent: str, rows: bytes = ROWS, on: str = "2026-01-01") -> str:
    draft = catalogue.draft(parent, rows, valid_from=day(on))
    return str(catalogue.publish(draft.name).name)


def test_what_one_process_publishes_the_others_answer_at_once(
    catalogue: Catalogue, other: CatalogueApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refusal, match="INVALID_ARGUMENT"):
        check(other.shortages, asked())  # before any taxonomy is there
    with_taxonomy(catalogue)
    assert not check(other.shortages, asked()).short
    parent = catalogue.shortage_list()
    first = publish(catalogue, parent)
    answer = check(other.shortages, asked())
    assert (answer.short, answer.version, answer.entry.severity) == (True, first, 4)
    check(other.shortages, asked())  # a look that the next publication has to outlast
    second = publish(catalogue, parent, HEAD + b"2512,BE211,5,\n", on="2026-05-01")
    assert check(other.shortages, asked()).version == second
    assert check(other.shortages, asked(on="2026-04-30")).version == first
    # Control: a publication that does not wait until looks have run out is not in the answer.
    monkeypatch.setattr(shortage_book, "FRESH", 0.0)
    other.shortages.view(anew=True)
    third = publish(catalogue, parent, HEAD + b"2512,BE211,1,\n", on="2026-05-02")
    monkeypatch.setattr(shortage_book, "FRESH", 60.0)
    assert check(other.shortages, asked()).version == second
    monkeypatch.setattr(shortage_book, "FRESH", 0.0)
    assert check(other.shortages, asked()).version == third
    # What is kept is bounded: what was used longest ago is read again.
    monkeypatch.setattr(shortage_book, "KEPT_ENTRIES", 1)
    small = ShortageBook(other)
    for on, name in (("2026-04-30", first), ("2026-06-01", third), ("2026-04-30", first)):
        assert check(small, asked(on=on)).version == name
        assert len(small._tables) == 1


def test_many_questions_one_call(catalogue: Catalogue) -> None:
    with_taxonomy(catalogue)
    name = publish(catalogue, catalogue.shortage_list())
    questions = [asked(), asked("7512", "BE211"), asked("7512", "BE3"), asked("25"), asked(on="2025-12-31")]
    found = answers(catalogue).CheckShortages(pb.CheckShortagesRequest(requests=questions)).responses
    assert [(each.short, each.entry.severity, each.version) for each in found] == [
        (True, 4, name),
        (True, 2, name),
        (True, 1, name),
        (False, 0, name),
        (False, 0, ""),
    ]
    alone = [catalogue.shortages("").CheckShortage(each) for each in questions]
    assert list(found) == alone
    stub = answers(catalogue).CheckShortages
    wrong = pb.CheckShortagesRequest(requests=[asked(), asked("http://x/y")])
    assert fields_refused(stub, wrong) == ["requests[1].occupation"]
    questions[0].shortage_list = "shortageLists/none"
    assert reason_of(stub, pb.CheckShortagesRequest(requests=questions)) == "NOT_FOUND"
    assert reason_of(stub, pb.CheckShortagesRequest()) == "INVALID_ARGUMENT"


def test_a_proof_is_verified_without_the_service(catalogue: Catalogue, tmp_path: Path) -> None:
    with_taxonomy(catalogue)
    name = publish(catalogue, catalogue.shortage_list())
    stub = answers(catalogue)
    proof = stub.GetShortageProof(pb.GetShortageProofRequest(request=asked("7512", "BE211")))
    (tmp_path / "keys.json").write_text(MessageToJson(stub.ListShortageKeys(pb.ListShortageKeysRequest())))

    def verified(message: pb.GetShortageProofResponse) -> dict[str, object]:
        (tmp_path / "proof.json").write_text(MessageToJson(message))
        arguments = ["shortage", "verify", str(tmp_path / "proof.json"), str(tmp_path / "keys.json")]
        result = CliRunner().invoke(command_line, [*arguments, "--json"])
        said = result.output[result.output.index("{\n") :]  # the server of this test logs there too
        return {"code": result.exit_code, **json.JSONDecoder().raw_decode(said)[0]}

    good = verified(proof)
    assert (good["code"], good["outcome"], good["version"], good["severity"]) == (0, "PROVED", name, 2)
    no = stub.GetShortageProof(pb.GetShortageProofRequest(request=asked("25")))
    assert (verified(no)["short"], verified(no)["outcome"], list(no.proof.path)) == (False, "PROVED", [])
    proof.answer.entry.severity = 5
    assert (verified(proof)["code"], verified(proof)["outcome"]) == (1, "NOT_IN_VERSION")
    proof.proof.key_id = "0" * 16
    assert (verified(proof)["code"], verified(proof)["outcome"]) == (5, "UNKNOWN_KEY")
    none = stub.GetShortageProof(pb.GetShortageProofRequest(request=asked(on="2025-01-01")))
    assert not none.HasField("proof")


def test_the_key_changes_and_what_it_signed_still_counts(catalogue: Catalogue, other: CatalogueApp) -> None:
    with_taxonomy(catalogue)
    parent = catalogue.shortage_list()
    publish(catalogue, parent)
    folder = catalogue.app.settings.secrets_dir
    former = catalogue.app.shortage_key
    (folder / "shortage-list.pem").rename(folder / "shortage-list.former-2025.pem")
    fresh = CatalogueApp.build(other.settings)
    try:
        assert fresh.shortage_key.id != former.id
        assert fresh.shortage_keys[former.id] == former.public
        assert signing_key(fresh.settings, "shortage-list.pem").id == fresh.shortage_key.id
    finally:
        fresh.close()


def test_what_was_published_unsigned_is_signed_unless_it_was_changed(catalogue: Catalogue) -> None:
    with_taxonomy(catalogue)
    parent = catalogue.shortage_list()
    publish(catalogue, parent, on="2025-01-01")
    publish(catalogue, parent, on="2026-01-01")
    prove = answers(catalogue).GetShortageProof
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="never changes"), transaction(catalogue.app) as tx:
        tx.connection.exec_driver_sql("DELETE FROM shortage_signatures")
    # Over connections of its own: the driver forgets what it has prepared after ALTER.
    engine = make_engine(catalogue.app.settings.database_url, 1)
    with transaction(engine) as tx:
        for table in ("shortage_signatures", "shortage_entries"):
            tx.connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER frozen")
        tx.connection.exec_driver_sql("DELETE FROM shortage_signatures")
        tx.connection.exec_driver_sql("UPDATE shortage_entries SET severity = 5 WHERE number = 1")
    engine.dispose()
    request = pb.GetShortageProofRequest(request=asked())
    assert reason_of(prove, request) == "WRONG_STATE"
    sign_unsigned(catalogue.app)
    assert prove(request).proof.signature
    assert reason_of(prove, pb.GetShortageProofRequest(request=asked(on="2025-06-01"))) == "WRONG_STATE"
