"""Who would pay for a course: every programme that the vouchers service names, on however many pages."""

from __future__ import annotations

from typing import Any

from services.cli.call import Call
from services.cli.skill_gap import payers


class Programmes:
    """Answers the check of a session in pages of two: three programmes, of which the last one pays."""

    def rest(self, _method: str, path: str, body: dict[str, Any]) -> Any:
        assert path == "/v1/learners/ada:checkProgrammes"
        start = int(body["pageToken"] or 0)
        checks = [
            {"programme": f"programmes/{number}", "outcome": {"eligible": number == 2}}
            for number in range(start, min(start + 2, 3))
        ]
        return {"checks": checks, "nextPageToken": "2" if start == 0 else ""}


def test_a_programme_on_a_later_page_counts_and_what_pays_stands_first() -> None:
    course = {"hit": {"nextSession": {"name": "courses/a/sessions/b"}}}
    found = payers(Call(Programmes(), as_json=True), "holders/ada", [course])  # type: ignore[arg-type]
    assert [each["programme"] for each in found] == ["programmes/2", "programmes/0", "programmes/1"]
    assert {each["session"] for each in found} == {"courses/a/sessions/b"}
