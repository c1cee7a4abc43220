"""ShortageAnswerService: as-of answers, from memory; proofs, from what was signed at publication."""

from __future__ import annotations

from datetime import date
from typing import Any

from waymark.catalogue.v1 import shortage_answer_pb2 as pb
from waymark.catalogue.v1 import shortage_answer_pb2_grpc
from waymark.catalogue.v1.shortage_list_pb2 import CheckShortageRequest, CheckShortageResponse
from waymark.errors.v1 import reason_pb2

from services.catalogue.api.messages import day_or, last, put_date
from services.catalogue.api.shortage_signing import signed_version
from services.catalogue.api.shortage_versions import entry_message
from services.catalogue.app import CatalogueApp
from services.catalogue.domain import merkle
from services.catalogue.shortage_book import Answer, ShortageBook, View
from services.catalogue.store import shortage_lists, shortage_signatures
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, invalid
from services.platform.rpc.handlers import mark, query
from services.platform.signing import jwk

CACHED = (("cache-control", "public, max-age=3600"),)


class ShortageAnswerApi(shortage_answer_pb2_grpc.ShortageAnswerServiceServicer):
    """Answers, many at a time or proved."""

    def __init__(self, app: CatalogueApp) -> None:
        self.app = app

    @mark  # public, so it has no relationships to ask
    def CheckShortages(self, request: pb.CheckShortagesRequest, _: object) -> pb.CheckShortagesResponse:
        book = self.app.shortages
        view, today = book.view()
        answers = (
            _message(*_answered(book, view, today, each, f"requests[{place}]."))
            for place, each in enumerate(request.requests)
        )
        return pb.CheckShortagesResponse(responses=answers)

    @query
    def GetShortageProof(
        self, tx: Transaction, request: pb.GetShortageProofRequest
    ) -> pb.GetShortageProofResponse:
        book = self.app.shortages
        day, answer = _answered(book, *book.view(), request.request, "request.")
        if answer.version is not None and answer.entry is not None:  # what is proved is the whole entry
            whole = shortage_lists.entry(tx.connection, *answer.version, answer.entry.seq)
            answer = answer._replace(entry=whole)
        response = pb.GetShortageProofResponse(answer=_message(day, answer))
        if answer.version is not None:
            response.proof.CopyFrom(self._proof(tx, answer))
        return response

    def _proof(self, tx: Transaction, answer: Answer) -> pb.ShortageProof:
        assert answer.version is not None
        kept = shortage_signatures.read(tx, *answer.version)
        if kept is None:
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "UNSIGNED", "needed": "SIGNED"})
        row = shortage_lists.read_version(tx.connection, *answer.version)
        signed = signed_version(row, kept.root)
        proof = pb.ShortageProof(
            version=signed.version,
            entry_count=signed.entry_count,
            root=signed.root,
            key_id=kept.key_id,
            signature=kept.signature,
        )
        put_date(proof.valid_from, signed.valid_from)
        put_date(proof.valid_to, signed.valid_to)
        if answer.entry is not None:
            proof.path.extend(merkle.path(self.app.shortages.tree(answer.version), answer.entry.seq - 1))
        return proof

    @mark
    def ListShortageKeys(self, _: pb.ListShortageKeysRequest, call: Any) -> pb.ListShortageKeysResponse:
        call.context.send_initial_metadata(CACHED)
        keys = (pb.ShortageKey(**jwk(public)) for public in self.app.shortage_keys.values())
        return pb.ListShortageKeysResponse(keys=keys)


def check(book: ShortageBook, request: CheckShortageRequest) -> CheckShortageResponse:
    """Answers one question; raises Refusal for an occupation, region or list that nobody knows."""
    return _message(*_answered(book, *book.view(), request, ""))


def _answered(
    book: ShortageBook, view: View, today: date, request: CheckShortageRequest, path: str
) -> tuple[date, Answer]:
    """Returns the day answered for and the answer. `path`: before the names of fields in what is refused."""
    only = last(request.shortage_list)
    occupation = view.occupation(request.occupation)
    if occupation is None or (only and only not in view.known):  # unless it is there since a moment
        view, today = book.view(anew=True)
        occupation = view.occupation(request.occupation)
    if only and only not in view.known:
        raise Refusal(reason_pb2.REASON_NOT_FOUND, f"There is no shortage list {only}.")
    if occupation is None:
        raise invalid(
            f"{path}occupation", "is neither an ISCO-08 code nor a concept URI of an imported taxonomy"
        )
    day = day_or(request, "date", today)
    book.check_region(view, day, request.nuts_code, f"{path}nuts_code")
    return day, book.answer(view, occupation, request.nuts_code, day, only)


def _message(day: date, answer: Answer) -> CheckShortageResponse:
    response = CheckShortageResponse()
    put_date(response.date, day)
    if answer.version is not None:
        list_id, number = answer.version
        response.version = f"shortageLists/{list_id}/versions/{number}"
        if answer.entry is not None:
            response.short = True
            response.entry.CopyFrom(entry_message(list_id, number, answer.entry))
    return response
