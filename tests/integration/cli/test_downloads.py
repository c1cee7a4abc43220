"""A file that streams is there whole or not at all."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import psutil
import pytest

from services.cli.client import Caller, Client
from services.cli.exits import ExitCode, Failure
from services.cli.stack.state import StackState, write_state
from tests.support.origins import Reply, origin


def archive() -> bytes:
    """A ZIP of a file that does not shrink."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("film.mp4", os.urandom(300_000))
    return out.getvalue()


def taken(folder: Path, reply: Reply) -> tuple[int, list[int]]:
    """Fetches a ZIP from where the edge would be; returns its size and what came at a time."""
    moved: list[int] = []
    with origin(lambda _: reply) as edge:
        me = psutil.Process()
        write_state(folder, StackState(me.pid, me.create_time(), edge.url, "", "", 0, ready=True))
        client = Client(folder)
        try:
            size = Caller(client, "").rest_to_zip("/v1/x:export", folder / "all.zip", moved.append)
        finally:
            client.close()
    return size, moved


def test_it_comes_whole_and_tells_how_far_it_is(tmp_path: Path) -> None:
    whole = archive()
    size, moved = taken(tmp_path, Reply(body=whole))
    assert size == sum(moved) == len(whole)
    assert (tmp_path / "all.zip").read_bytes() == whole


@pytest.mark.parametrize("told", [True, False], ids=["less than was told", "an end too early"])
def test_what_broke_off_is_not_kept(tmp_path: Path, told: bool) -> None:
    """The edge can end a stream by closing it, which HTTP tells, or in order, which only the ZIP tells."""
    half = archive()[:200_000]
    (tmp_path / "all.zip").write_text("from before")
    with pytest.raises(Failure) as broken:
        taken(tmp_path, Reply(body=half, length="300000" if told else None))
    assert broken.value.code is ExitCode.UNREACHABLE
    assert "broke off after 200000 bytes" in broken.value.text
    assert (tmp_path / "all.zip").read_text() == "from before"
    assert not list(tmp_path.glob(".*.part"))
