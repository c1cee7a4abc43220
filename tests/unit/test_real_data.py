"""Tests on real files are skipped where those are missing, but never where CI runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import real_data as support
from tests.support.real_data import real_data


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(support, "DATA", tmp_path / "data")


def test_in_ci_a_missing_file_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    for path in ("", "feeds/none.xml"):
        with pytest.raises(pytest.fail.Exception, match="not on this machine"):
            real_data(path)


def test_elsewhere_it_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="not on this machine"):
        real_data()


def test_control_what_is_there_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CI", "true")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "list.csv").touch()
    assert real_data("list.csv").is_file()
