"""`waymark logs -f` on files that grow, are turned over, and come later."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.cli.stack import commands


@pytest.mark.parametrize("part", ["", "early"], ids=["all", "control"])
def test_following_finds_parts_that_log_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "early.log").write_text("before\n")
    steps = iter(
        [
            lambda: (folder / "late.log").write_text("of one that came later\n"),
            lambda: (folder / "early.log").write_text("new\n"),
        ]
    )

    def sleep(_: float) -> None:
        try:
            next(steps)()
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(commands.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        commands.logs(part, home=tmp_path, follow=True, lines=0)
    said = capsys.readouterr().out
    assert ("of one that came later" in said) is (not part)
    assert "new" in said
    assert "before" not in said
