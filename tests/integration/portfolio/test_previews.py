"""Small pictures of images that came without one: who gets them, and how they are made."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from waymark.portfolio.v1 import evidence_pb2 as pb
from waymark.portfolio.v1 import holder_pb2

from services.platform.confined import process
from services.platform.db.transaction import transaction
from services.platform.objects.clamd import Clamd
from services.portfolio import previewing
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import images
from services.portfolio.pictures import drawing
from services.portfolio.store import vault
from tests.integration.portfolio.test_evidence import stored
from tests.integration.portfolio.test_films import mp4
from tests.support.clamd import scanner
from tests.support.pictures import PLACE, jpeg, pixels_of, png
from tests.support.portfolio import Caller, Portfolio, reason_of

PHOTO = jpeg(800, 400, orientation=6)  # which says that the camera lay on its side
AS_JPEG: dict[str, Any] = {"file_name": "a.jpg", "content_type": "image/jpeg"}
AS_PNG: dict[str, Any] = {"file_name": "a.png", "content_type": "image/png"}


def poster(person: Caller, file: pb.Evidence) -> bytes:
    """The picture of a file; empty for none."""
    known = person.GetEvidence(pb.GetEvidenceRequest(name=file.name))
    ask = pb.GetEvidencePosterRequest(name=file.name)
    if not known.has_poster:
        assert reason_of(person.GetEvidencePoster, ask) == "NOT_FOUND"
        return b""
    answer = person.GetEvidencePoster(ask)
    assert answer.content_type == "image/png"
    return bytes(answer.data)


def previewed(person: Caller, app: PortfolioApp) -> bool:
    """Whether a photo that comes now gets a picture."""
    photo = stored(person, PHOTO, **AS_JPEG)
    previewing.preview_the_rest(app)
    return bool(poster(person, photo))


def setting(file: pb.Evidence, image: bytes) -> pb.SetEvidencePosterRequest:
    return pb.SetEvidencePosterRequest(name=file.name, image=image)


def test_an_image_gets_a_small_picture_by_itself(portfolio_with_files: Portfolio) -> None:
    person, app = portfolio_with_files.person(), portfolio_with_files.app
    photo, film = stored(person, PHOTO, **AS_JPEG), stored(person, mp4(), content_type="video/mp4")
    broken = stored(person, PHOTO[:300], **AS_JPEG)
    assert poster(person, photo) == b""  # whoever finalizes does not wait for it
    previewing.preview_the_rest(app)
    small = poster(person, photo)
    assert pixels_of(small)[:2] == (160, 320)
    changed = person.GetEvidence(pb.GetEvidenceRequest(name=photo.name))
    changed.has_poster = False
    assert changed == photo  # and nothing else of it changed
    assert poster(person, film) == poster(person, broken) == b""
    with transaction(app) as tx:
        kept = text("SELECT sealed FROM evidence_posters WHERE holder_id = :id")
        (sealed,) = tx.execute(kept, {"id": person.subject}).scalars()
        due = text("SELECT count(*) FROM evidence WHERE holder_id = :id AND preview_due")
        assert tx.execute(due, {"id": person.subject}).scalar_one() == 0  # the broken one is not tried again
    assert b"PNG" not in bytes(sealed)
    etag = person.GetHolder(holder_pb2.GetHolderRequest(name=person.holder)).etag
    person.EraseHolder(holder_pb2.EraseHolderRequest(name=person.holder, etag=etag))
    with transaction(app) as tx:
        assert tx.execute(kept, {"id": person.subject}).all() == []


def test_who_sets_a_picture_or_takes_it_away_has_the_last_word(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, app = portfolio_with_files.person(), portfolio_with_files.app
    own, refused, removed, meanwhile, control = (stored(person, PHOTO, **AS_JPEG) for _ in range(5))
    person.SetEvidencePoster(setting(own, png(2, 2)))
    person.SetEvidencePoster(setting(refused, b""))
    draw = drawing.small

    def slowly(content_type: str, content: bytes) -> bytes | None:
        person.SetEvidencePoster(setting(meanwhile, b""))
        return draw(content_type, content)

    monkeypatch.setattr(drawing, "small", slowly)
    previewing.preview_the_rest(app)
    assert poster(person, removed)
    person.SetEvidencePoster(setting(removed, b""))
    previewing.preview_the_rest(app)
    assert poster(person, own) == png(2, 2)
    assert [poster(person, each) for each in (refused, removed, meanwhile)] == [b""] * 3
    assert poster(person, control)


def test_no_picture_of_what_was_not_scanned_and_of_a_restricted_portfolio(
    portfolio_with_files: Portfolio,
) -> None:
    person, app = portfolio_with_files.person(), portfolio_with_files.app
    photo = stored(person, PHOTO, **AS_JPEG)
    with transaction(app) as tx:
        vault.restrict(tx, person.subject, datetime.now(UTC))
    previewing.preview_the_rest(app)
    assert poster(person, photo) == b""
    with transaction(app) as tx:
        vault.restrict(tx, person.subject, None)
    with scanner() as there:
        app.scanner = Clamd(there.address)
        previewing.preview_the_rest(app)
        assert poster(person, photo) == b""  # stored while there was no scanner
        clean = stored(person, PHOTO, **AS_JPEG)
        previewing.preview_the_rest(app)
        assert poster(person, clean)
        app.scanner = None
    previewing.preview_the_rest(app)
    assert poster(person, photo)  # control: nothing else kept it back


def test_no_picture_of_a_file_that_is_too_large_to_be_read_into_memory(
    portfolio_with_files: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, app = portfolio_with_files.person(), portfolio_with_files.app
    monkeypatch.setattr(previewing, "MOST_BYTES", len(PHOTO) - 1)
    assert not previewed(person, app)
    monkeypatch.setattr(previewing, "MOST_BYTES", len(PHOTO))
    assert previewed(person, app)  # control


def test_upright_on_white_and_without_what_the_camera_said() -> None:
    assert PLACE in PHOTO
    lying = drawing.small("image/jpeg", jpeg(800, 400))
    upright = drawing.small("image/jpeg", PHOTO)
    assert lying is not None
    assert upright is not None
    assert PLACE not in upright
    assert pixels_of(lying)[:2] == (320, 160)
    width, height, rows = pixels_of(upright)
    assert (width, height) == (160, 320)
    assert [row[0] for row in (rows[10], rows[-10])] == [1, 255]  # what was left is above
    half = drawing.small("image/png", png(50, 20, alpha=128))
    assert half
    width, height, rows = pixels_of(half)
    assert (width, height) == (50, 20)  # not made larger
    assert tuple(rows[10][:4]) in ((255, 127, 127, 255), (255, 126, 126, 255))


def decoded(kind: str, content: bytes) -> bool:
    return drawing.small(kind, content) is not None


BOMB = png(3000, 3000)


@pytest.mark.parametrize(
    ("name", "tight", "kind", "content"),
    [
        ("MOST_PIXELS", 8_999_999, "image/png", BOMB),
        ("MEMORY", 40_000_000, "image/png", BOMB),
        ("ADDRESSES", 110_000_000, "image/png", BOMB),
        ("SECONDS", 0, "image/png", BOMB),
        ("MOST_BYTES", 100, "image/jpeg", PHOTO),
    ],
)
def test_an_image_that_takes_too_much_is_not_decoded_and_without_the_cap_it_is(
    monkeypatch: pytest.MonkeyPatch, name: str, tight: int, kind: str, content: bytes
) -> None:
    assert decoded(kind, content)  # control
    monkeypatch.setattr(drawing, name, tight)
    assert not decoded(kind, content)
    assert decoded("image/png", png(9, 9)) is (name != "SECONDS")  # no cap is so tight that nothing is


@pytest.mark.parametrize("patience", [0.5, 60], ids=["cap", "control"])
def test_a_decoder_that_waits_is_given_up_and_without_the_cap_it_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, patience: float
) -> None:
    """It takes no time of the processor, so that no other cap ends it."""
    over, waiting = tmp_path / "over", tmp_path / "waiting.py"
    waiting.write_text(f"import os, time\nwhile not os.path.exists({str(over)!r}):\n    time.sleep(0.05)\n")
    monkeypatch.setattr(drawing, "_DECODER", waiting)
    monkeypatch.setattr(drawing, "PATIENCE", patience)
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(decoded, "image/png", png(9, 9))
        given_up, _ = wait([made], 30 if patience < 1 else 2)
        over.touch()
    assert bool(given_up) is (patience < 1)
    assert not made.result()


def test_only_the_decoder_of_its_type_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not decoded("image/jpeg", png(9, 9))
    assert not decoded("image/png", PHOTO)
    said: Callable[..., images.Size] = lambda *_: images.Size(9, 9)  # noqa: E731  the header is not looked at
    monkeypatch.setattr(images, "size_of", said)
    assert not decoded("image/jpeg", png(9, 9))
    assert not decoded("image/png", PHOTO)
    assert decoded("image/png", png(9, 9))  # control


def test_a_picture_that_is_too_large_is_made_smaller() -> None:
    small = drawing.small("image/png", png(320, 320, noise=True))
    assert small is not None
    assert len(small) <= drawing.MOST_BYTES
    assert pixels_of(small)[0] < drawing.SIDE


@pytest.mark.parametrize("part", range(8))
def test_a_truncated_image_harms_nothing(part: int) -> None:
    for kind, whole in (("image/jpeg", jpeg(64, 32, orientation=3)), ("image/png", png(64, 32))):
        small = drawing.small(kind, whole[: len(whole) * part // 8])
        assert small is None or pixels_of(small)[0] <= 64


TRIES = """
import socket, sys
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("process", sys.argv[1])
process = module_from_spec(spec)
spec.loader.exec_module(process)
if sys.argv[2] == "confined":
    process.confine()
for name, attempt in (
    ("read", lambda: open(sys.argv[3])),
    ("written", lambda: open(sys.argv[3], "w")),
    ("reached", lambda: socket.socket().connect(("127.0.0.1", int(sys.argv[4])))),
):
    try:
        attempt()
        print(name)
    except PermissionError:
        pass
"""


@pytest.mark.skipif(process.version() < 4, reason="the kernel has no Landlock, or none for TCP")
@pytest.mark.parametrize(
    ("how", "expected"), [("confined", ""), ("control", "read written reached")], ids=["confined", "control"]
)
def test_what_took_the_decoder_over_would_have_no_files_and_reach_nobody(
    tmp_path: Path, how: str, expected: str
) -> None:
    key = tmp_path / "portfolio-master.key"
    key.touch()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        tries = [sys.executable, "-I", "-c", TRIES, process.__file__, how, str(key), str(port)]
        done = subprocess.run(tries, capture_output=True, text=True, check=True)
    assert done.stdout.split() == expected.split()
