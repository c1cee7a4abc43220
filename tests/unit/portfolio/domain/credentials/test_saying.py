"""What a credential says beside its title, whoever wrote it, and however loosely."""

from __future__ import annotations

from typing import Any

import pytest

from services.portfolio.domain.credentials import reading
from services.portfolio.domain.credentials.saying import MOST, statement_of, subject_of
from tests.support.credentials import fixture


def test_a_real_badge_says_what_it_is_for_and_whose() -> None:
    document = reading.read(fixture("simple.json")).document
    assert statement_of(document).startswith("This badge recognizes")
    assert subject_of(document) == document["credentialSubject"]["id"]


@pytest.mark.parametrize(
    ("document", "says", "about"),
    [
        (
            {"badge": {"description": "x"}, "recipient": {"hashed": False, "identity": "a@b.example"}},
            "x",
            "a@b.example",
        ),
        ({"badge": "https://a/b", "recipient": {"hashed": True, "identity": "sha256$00"}}, "", ""),
        (
            {"credentialSubject": [{"id": "did:key:z", "hasClaim": [{"description": {"nl": "y"}}]}]},
            "y",
            "did:key:z",
        ),
        ({"credentialSubject": {"id": 7, "endorsementComment": "z" * 3000}}, "z" * MOST, ""),
        ({"credentialSubject": "did:key:z", "recipient": "x", "badge": [None]}, "", ""),
        ({}, "", ""),
    ],
)
def test_it_is_read_wherever_it_stands(document: dict[str, Any], says: str, about: str) -> None:
    assert (statement_of(document), subject_of(document)) == (says, about)
