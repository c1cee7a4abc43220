"""Lists of a learner, a provider or an employer are narrowed to their own, which is all that they may see."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from json import dumps
from typing import Any, cast

import pytest

from services.cli.client import Caller, Client

NAMED = {"learner": "", "organisation": "", "employer": ""}


def caller(token: str) -> Caller:
    return Caller(cast(Client, None), token)


def token(**claims: Any) -> str:
    return f"h.{urlsafe_b64encode(dumps(claims).encode()).decode().rstrip('=')}.s"


@pytest.mark.parametrize(
    ("claims", "own"),
    [
        ({"roles": ["learner"]}, {"learner": "learners/me"}),
        ({"roles": ["provider"], "org": "organisations/o"}, {"organisation": "organisations/o"}),
        ({"roles": ["employer"], "org": "organisations/o"}, {"employer": "organisations/o"}),
        ({"roles": ["finance"], "org": "organisations/o"}, {}),
        ({"roles": ["learner", "caseworker"]}, {}),
        ({}, {}),
    ],
)
def test_who_may_see_no_others_lists_their_own(claims: dict[str, Any], own: dict[str, str]) -> None:
    person = caller(token(sub="me", **claims))
    assert person.own(**NAMED) == {**NAMED, **own}
    assert person.own(organisation="") == {"organisation": own.get("organisation", "")}
    assert person.own(learner="learners/other") == {"learner": "learners/other"}


def test_a_token_that_says_nothing_narrows_nothing() -> None:
    assert caller("opaque").own(learner="") == caller("").own(learner="") == {"learner": ""}
