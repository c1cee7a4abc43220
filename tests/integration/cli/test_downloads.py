"""A file that streams is there whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest

from services.cli.client import Caller, Client
from services.cli.downloads import export_to
from services.cli.exits import ExitCode, Failure
from services.cli.stack.state import StackState, write_state
from tests.support.origins import Asked, Reply, origin


def refusal(reason: str) -> Reply:
    """What the edge says when a service refuses."""
    domain = "portfolio.waymark"
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": domain}]
    return Reply(400, json.dumps({"code": 9, "message": reason, "details": details}).encode())


CHANGED = refusal("EXPORT_CHANGED")


def archive() -> bytes:
    """A ZIP of a file that does not shrink."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("film.mp4", os.urandom(300_000))
    return out.getvalue()


def taken(folder: Path, answer: Reply | Callable[[Asked], Reply]) -> tuple[int, list[int]]:
    """Fetches a ZIP from where the edge would be; returns its size and what came at a time."""
    moved: list[int] = []
    with origin(answer if callable(answer) else lambda _: answer) as edge:
        me = psutil.Process()
        write_state(folder, StackState(me.pid, me.create_time(), edge.url, "", "", 0, ready=True))
        client = Client(folder)
        try:
            size = export_to(Caller(client, ""), "/v1/x:export", folder / "all.zip", moved.append)
        finally:
            client.close()
    return size, moved


def test_it_comes_whole_and_tells_how_far_it_is(tmp_path: Path) -> None:
    whole = archive()
    size, moved = taken(tmp_path, Reply(body=whole))
    assert size == sum(moved) == len(whole)
    assert (tmp_path / "all.zip").read_bytes() == whole


@pytest.mark.parametrize("told", [True, False], ids=["less than was told", "an end too early"])
def test_what_broke_off_goes_on(tmp_path: Path, told: bool) -> None:
    """The edge can end a stream by closing it, which HTTP tells, or in order, which only the ZIP tells."""
    whole = archive()
    half = whole[:200_000]
    (tmp_path / "all.zip").write_text("from before")
    with pytest.raises(Failure) as broken:
        taken(tmp_path, Reply(body=half, length="300000" if told else None))
    assert broken.value.code is ExitCode.UNREACHABLE
    assert "broke off after 200000 bytes" in broken.value.text
    assert (tmp_path / "all.zip").read_text() == "from before"

    def rest(asked: Asked) -> Reply:
        received = parse_qs(urlsplit(asked.path).query)
        assert received["received_bytes"] == [str(len(half))]
        assert received["received_sha256"] == [hashlib.sha256(half).hexdigest()]
        return Reply(body=whole[len(half) :])

    size, moved = taken(tmp_path, rest)
    assert (size, moved[0], sum(moved)) == (len(whole), len(half), len(whole))
    assert (tmp_path / "all.zip").read_bytes() == whole
    assert not list(tmp_path.glob(".*.part"))


def test_what_is_no_longer_so_is_begun_anew(tmp_path: Path) -> None:
    whole = archive()
    (tmp_path / ".all.zip.part").write_bytes(b"as it was then")

    def answer(asked: Asked) -> Reply:
        return CHANGED if "received_bytes" in asked.path else Reply(body=whole)

    assert taken(tmp_path, answer)[0] == len(whole)
    assert (tmp_path / "all.zip").read_bytes() == whole


def test_a_refusal_leaves_what_is_there(tmp_path: Path) -> None:
    half = tmp_path / ".all.zip.part"
    half.write_bytes(b"half")
    with pytest.raises(Failure, match="NOT_FOUND"):
        taken(tmp_path, refusal("NOT_FOUND"))
    assert half.read_bytes() == b"half"
    half.unlink()
    with pytest.raises(Failure, match="NOT_FOUND"):
        taken(tmp_path, refusal("NOT_FOUND"))
    assert not half.exists()
