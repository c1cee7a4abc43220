"""Large files of evidence through the edge, as the command line sends and fetches them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psutil
import pytest

from services.cli import downloads, file_parts
from services.cli.client import Caller, Client
from services.cli.demo.data import Data
from services.cli.demo.journey import Journey, StepFailed
from services.cli.demo.portfolio_rows import p04_evidence
from services.cli.exits import Failure
from services.cli.stack.state import StackState, write_state
from services.cli.uploads import upload_evidence
from services.platform.objects import parts
from services.platform.objects.clamd import Clamd
from services.portfolio import checking, previewing
from tests.support.clamd import scanner
from tests.support.films import webm
from tests.support.world import World

FILM = webm() + os.urandom(200_000)


@pytest.fixture
def caller(whole: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """A learner with a portfolio; a file is large from 100 kB on."""
    monkeypatch.setattr(parts, "PART_BYTES", 65_536)
    monkeypatch.setattr(file_parts, "IN_PARTS", 100_000)
    monkeypatch.setattr(file_parts, "PAUSE", 0.0)
    monkeypatch.setattr(checking, "AT_ONCE", 100_000)
    started = psutil.Process().create_time()
    write_state(tmp_path, StackState(os.getpid(), started, whole.edge.url, "", "", 0))
    with closing(Client(tmp_path)) as client:
        made = Caller(client, whole.edge.token(subject=str(uuid.uuid4())))
        made.rest("POST", "/v1/holders", {})
        yield made


@pytest.fixture
def film(tmp_path: Path) -> Path:
    file = tmp_path / "film.webm"
    file.write_bytes(FILM)
    return file


def test_the_walk_shows_malware_refused_where_there_is_a_scanner(caller: Caller, whole: World) -> None:
    app, name = whole.served["portfolio"].app, f"holders/{caller.subject}"
    assert "this stack runs none" in p04_evidence.scanned(caller, name)
    with scanner() as there:
        app.scanner = Clamd(there.address)
        try:
            assert "malware refused" in p04_evidence.scanned(caller, name)
            there.reply = b"stream: OK\0"  # control: one that finds nothing fails the step
            with pytest.raises(StepFailed, match="EVIDENCE_INFECTED"):
                p04_evidence.scanned(caller, name)
        finally:
            app.scanner = None


def test_the_walk_shows_a_picture_that_came_by_itself(caller: Caller, whole: World) -> None:
    app, name = whole.served["portfolio"].app, f"holders/{caller.subject}"
    journey = Journey(caller.client, Data.find(None), None, "", lambda _: None, 1)  # type: ignore[arg-type]
    with pytest.raises(StepFailed, match="a picture of the image"):  # control: nobody makes one
        p04_evidence.previewed(journey, caller, name)
    journey.tell = lambda _: previewing.preview_the_rest(app)  # as its job does meanwhile
    journey.patience = 30
    p04_evidence.previewed(journey, caller, name)


def test_what_broke_off_goes_on(
    caller: Caller, film: Path, whole: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sent: list[str] = []
    upload = Caller.upload

    def breaking(self: Caller, url: str, *rest: object) -> None:
        if len(sent) == 2:
            raise Failure(3, "the line broke")  # type: ignore[arg-type]
        upload(self, url, *rest)  # type: ignore[arg-type]
        sent.append(url)

    holder = f"holders/{caller.subject}"
    with monkeypatch.context() as patch:
        patch.setattr(Caller, "upload", breaking)
        with pytest.raises(Failure, match="the line broke") as broken:
            upload_evidence(caller, holder, film, "Film")
    assert "kept for a day" in broken.value.remedy
    monkeypatch.setattr(Caller, "upload", lambda *given: (sent.append(given[1]), upload(*given)))
    monkeypatch.setattr(
        file_parts.time, "sleep", lambda _: checking.check_the_rest(whole.served["portfolio"].app)
    )
    stored = upload_evidence(caller, holder, film, "Film")
    assert stored["state"] == "STATE_STORED"
    assert len(sent) == len({url.partition("?")[0] for url in sent}) == 4  # no part went twice
    url = caller.rest("GET", f"/v1/{stored['name']}:download")["url"]
    part = httpx.get(url, headers={"range": "bytes=100-149"})
    assert (part.status_code, part.content) == (206, FILM[100:150])
    copy = tmp_path / "copy.webm"
    draft = tmp_path / f".copy.webm.{stored['sha256'][:16]}.part"
    draft.write_bytes(FILM[:70_000])
    assert downloads.download_to(caller, url, copy, stored["sha256"]) == len(FILM)
    assert copy.read_bytes() == FILM
    draft.write_bytes(b"other" * 100)
    with pytest.raises(Failure, match="Other bytes"):
        downloads.download_to(caller, url, copy, stored["sha256"])
    assert not draft.exists()
