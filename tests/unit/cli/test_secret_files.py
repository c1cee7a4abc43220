"""Files of secrets are whole, the owner's alone, and the same for all who ask at once."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from services.cli.stack.secret_files import kept


def test_a_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "below" / "password"
    assert kept(path, lambda: "first") == "first"
    assert kept(path, lambda: "second") == "first"
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_ends_while_it_is_made_leaves_nothing_half(tmp_path: Path) -> None:
    def ended() -> str:
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        kept(tmp_path / "password", ended)
    assert list(tmp_path.iterdir()) == []
    assert kept(tmp_path / "password", lambda: "whole") == "whole"


def test_twins_get_the_same_secret(tmp_path: Path) -> None:
    together = Barrier(8)

    def ask(path: Path) -> str:
        def make() -> str:
            together.wait(10)  # all have seen that there is no file yet
            return secrets.token_urlsafe(24)

        return kept(path, make)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, [tmp_path / "password"] * 8))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["password"]


def test_control_without_a_draft_twins_differ(tmp_path: Path) -> None:
    together = Barrier(8)

    def ask(path: Path) -> str:
        together.wait(10)
        made = secrets.token_urlsafe(24)
        path.write_text(made)
        return made

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, [tmp_path / "password"] * 8))) > 1
