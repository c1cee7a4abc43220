"""Letters in answers."""

from __future__ import annotations

from google.api import httpbody_pb2
from waymark.vouchers.v1.decision_letter_pb2 import GetDecisionLetterRequest

from services.vouchers.letters.rendering import as_html, as_pdf
from services.vouchers.letters.said import Demand, Said
from services.vouchers.letters.words import language_of

Format = GetDecisionLetterRequest.Format


def written(said: Said | Demand, form: Format.ValueType, language_code: str) -> httpbody_pb2.HttpBody:
    """Returns a letter as an answer has it: HTML where asked for, else PDF. `language_code`: BCP 47."""
    language = language_of(language_code)
    if form == GetDecisionLetterRequest.FORMAT_HTML:
        return httpbody_pb2.HttpBody(content_type="text/html; charset=utf-8", data=as_html(said, language))
    return httpbody_pb2.HttpBody(content_type="application/pdf", data=as_pdf(said, language))
