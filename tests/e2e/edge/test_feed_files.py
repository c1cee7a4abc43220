"""Large feeds through the edge, as the command line sends them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from services.catalogue.checking import check_uploads
from services.catalogue.store import uploads as store
from services.cli import file_parts
from services.cli.client import Caller, Client
from services.cli.exits import Failure
from services.cli.stack.state import StackState, write_state
from services.cli.uploads import upload_to_catalogue
from services.platform.objects import parts
from tests.integration.catalogue.feeds import feed, many
from tests.support.world import World


@pytest.fixture
def caller(whole: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """A catalogue manager; a file is large from 10 kB on."""
    monkeypatch.setattr(parts, "PART_BYTES", 8192)
    monkeypatch.setattr(store, "LARGEST", 10_000)
    monkeypatch.setattr(file_parts, "IN_PARTS", 10_000)
    monkeypatch.setattr(file_parts, "PAUSE", 0.0)
    app = whole.served["catalogue"].app
    monkeypatch.setattr(file_parts.time, "sleep", lambda _: check_uploads(app))
    write_state(tmp_path, StackState(os.getpid(), psutil.Process().create_time(), whole.edge.url, "", "", 0))
    with closing(Client(tmp_path)) as client:
        yield Caller(client, whole.edge.token("catalogue_manager", subject=str(uuid.uuid4())))


def test_a_feed_that_broke_off_goes_on_with_what_is_missing(
    caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"harbour-{uuid.uuid4().hex[:8]}"
    made = {"organisation": {"displayName": "Harbour"}, "organisationId": name}
    owner = caller.rest("POST", "/v1/organisations", made)["name"]
    given = {"organisation": owner, "displayName": "Feed", "format": "FEED_FORMAT_CSV_TEMPLATE"}
    source = caller.rest("POST", "/v1/sources", {"source": given})["name"]
    file = tmp_path / "courses.csv"
    file.write_bytes(feed(*many(300)))
    sent: list[str] = []
    upload = Caller.upload

    def breaking(self: Caller, url: str, *rest: object) -> None:
        if len(sent) == 2:
            raise Failure(3, "the line broke")  # type: ignore[arg-type]
        upload(self, url, *rest)  # type: ignore[arg-type]
        sent.append(url)

    with monkeypatch.context() as patch:
        patch.setattr(Caller, "upload", breaking)
        with pytest.raises(Failure, match="the line broke") as broken:
            upload_to_catalogue(caller, file, source)
    assert "kept for a day" in broken.value.remedy
    monkeypatch.setattr(Caller, "upload", lambda *given: (sent.append(given[1]), upload(*given)))
    ready = upload_to_catalogue(caller, file, source)
    assert caller.rest("GET", f"/v1/{ready}")["state"] == "STATE_READY"
    count = -(-file.stat().st_size // 8192)
    assert len(sent) == len({url.partition("?")[0] for url in sent}) == count > 3  # no part went twice
    assert upload_to_catalogue(caller, file, source) == ready  # the same bytes need not go again
    assert len(sent) == count
