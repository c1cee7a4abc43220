"""Who would pay for a course: every programme that the vouchers service names, on however many pages."""

from __future__ import annotations

from typing import Any

import pytest

from services.cli.call import Call
from services.cli.exits import ExitCode, Failure
from services.cli.skill_gap import because, payers

SANCTIONED = "courses/a/sessions/c"


class Programmes:
    """Answers the check of a session in pages of two: three programmes, of which the last one pays; one
    session is of a provider that nothing is paid to."""

    def rest(self, _method: str, path: str, body: dict[str, Any]) -> Any:
        assert path == "/v1/learners/ada:checkProgrammes"
        if body["session"] == SANCTIONED:
            raise Failure(ExitCode.REFUSED, "The provider is sanctioned.", reason="PROVIDER_SANCTIONED")
        if body["session"] != "courses/a/sessions/b":
            raise Failure(ExitCode.REFUSED, "Not like that.", reason="INVALID_ARGUMENT")
        start = int(body["pageToken"] or 0)
        checks = [
            {"programme": f"programmes/{number}", "outcome": {"eligible": number == 2}}
            for number in range(start, min(start + 2, 3))
        ]
        return {"checks": checks, "nextPageToken": "2" if start == 0 else ""}


def asked(*sessions: str) -> list[dict[str, Any]]:
    courses = [{"hit": {"nextSession": {"name": each}}} for each in sessions]
    return payers(Call(Programmes(), as_json=True), "holders/ada", courses)  # type: ignore[arg-type]


def test_a_programme_on_a_later_page_counts_and_what_pays_stands_first() -> None:
    found = asked("courses/a/sessions/b")
    assert [each["programme"] for each in found] == ["programmes/2", "programmes/0", "programmes/1"]
    assert {each["session"] for each in found} == {"courses/a/sessions/b"}


def test_a_session_that_nobody_pays_for_hides_no_other() -> None:
    found = asked(SANCTIONED, "courses/a/sessions/b")
    assert found[0]["programme"] == "programmes/2"
    (unpaid,) = [each for each in found if each["session"] == SANCTIONED]
    assert because(unpaid) == "PROVIDER_SANCTIONED"
    with pytest.raises(Failure, match="Not like that"):
        asked("courses/a/sessions/d")
