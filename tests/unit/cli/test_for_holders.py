"""The page for holders names whoever a consent lets see something, and commands that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command
from waymark.portfolio.v1 import consent_receipt_pb2

from services.cli.main import app

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "for-holders.md").read_text(encoding="utf-8")
Kind = consent_receipt_pb2.ConsentReceipt.Kind
# Kind of consent → who then sees something, and the command that takes it away, as the table says it.
NAMED = {
    Kind.KIND_MANDATE: ("a counsellor", "mandate revoke"),
    Kind.KIND_SHARE_LINK: ("whoever has a secret link of yours", "share revoke"),
    Kind.KIND_MENTORING: ("a mentor", "mentoring end"),
    Kind.KIND_PAGE_SUBMISSION: ("whoever you handed pages in to", "submission withdraw"),
    Kind.KIND_PAGE_INVITATION: ("somebody you invited to comment", "comment withdraw"),
    Kind.KIND_ATTESTATION: ("somebody you asked to attest a skill", "attestation withdraw"),
    Kind.KIND_GROUP_PROGRAMME: ("the leader of a group programme you joined", "group leave"),
    Kind.KIND_EXPOSURE: ("whoever counts suggestions", "skill counting withdraw"),
}


@pytest.mark.parametrize("kind", [each for each in Kind.values() if each], ids=Kind.Name)
def test_whoever_a_consent_lets_see_is_in_the_table_with_how_to_end_it(kind: int) -> None:
    who, command = NAMED[kind]  # a new kind has no row yet
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {who} |")]
    assert f"`waymark {command}" in row


def test_every_command_of_the_page_is_there() -> None:
    written = [" ".join(each.split()) for each in re.findall(r"`waymark((?:\s+[a-z][a-z-]*)+)", PAGE)]
    assert len(written) > 20
    root = get_command(app)
    assert [each for each in written if not _leads(root, each.split())] == []


def _leads(command: object, words: list[str]) -> bool:
    """True when words lead to a command; what comes after it are arguments."""
    within = getattr(command, "commands", None)
    if within is None:
        return True
    return bool(words) and words[0] in within and _leads(within[words[0]], words[1:])
