"""ZIPs from outside: each way to mislead or exhaust a reader is refused, by the guard made for it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from services.platform import zipping
from services.platform.zipping import ZipUnsafeError, opened, opened_file

WORDS = b"as it is " * 20


def packed(*names: str, content: bytes = WORDS, kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of files that say the same."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), content, kind)
    return file.getvalue()


def listed(archive: bytes, offset: int, value: int, size: int = 4) -> bytes:
    """A ZIP whose list says something else of its last file, `offset` bytes into what it says there."""
    at = archive.rindex(b"PK\x01\x02") + offset
    return archive[:at] + value.to_bytes(size, "little") + archive[at + size :]


def all_of(content: bytes) -> dict[str, bytes]:
    with opened(io.BytesIO(content), 3) as archive:
        found = {}
        for info in archive.infolist():
            with opened_file(archive, info) as file:
                found[info.filename] = file.read()
        return found


def twice() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate"):
        return packed("a", "a")


GOOD = packed("a", "files/b")
UNSAFE: dict[str, tuple[Callable[[], bytes], str]] = {
    "many": (lambda: packed(*"abcd"), "more than 3 files"),
    "after a PDF": (lambda: b"%PDF-1.7\n" + GOOD, "within another"),
    "two in one": (lambda: packed("a", content=b"other") + GOOD, "within another"),
    "with something behind": (lambda: GOOD + b"GIF89a", "within another"),
    "sealed": (lambda: listed(GOOD, 8, 1, 2), "sealed"),
    "rare": (lambda: packed("a", kind=zipfile.ZIP_LZMA), "rare"),
    "up": (lambda: packed("../a"), "leads out"),
    "up in between": (lambda: packed("files/../../a"), "leads out"),
    "up by Windows": (lambda: packed("files\\..\\..\\a"), "leads out"),
    "root": (lambda: packed("/etc/passwd"), "leads out"),
    "drive": (lambda: packed("C:/a"), "leads out"),
    "share": (lambda: packed("//host/share/a"), "leads out"),
    "line": (lambda: packed("a\nb"), "leads out"),
    "twice": (twice, "twice"),
    "overlapping": (lambda: listed(GOOD, 42, 0), "share their bytes"),
    "bomb": (lambda: packed("a", content=b"\0" * (2 << 20)), "200 times"),
    "bomb of many": (lambda: packed(*"abc", content=b"\0" * (1 << 20)), "200 times"),
}
BROKEN = {
    "cut": (GOOD[:-30], "broken"),
    "no list": (b"PK\x03\x04 and no more", "broken"),
    "shorter than said": (listed(GOOD, 24, len(WORDS) + 1), "length"),
    "longer than said": (listed(GOOD, 24, len(WORDS) - 1), "broken"),
    "other bytes": (listed(GOOD, 16, 0), "broken"),
    "not packed so": (listed(GOOD, 10, 0, 2), "broken|length"),
    "no name": (packed("é").replace("é".encode(), b"\xed\x9a", 1), "broken"),
    "other name": (GOOD.replace(b"files/b", b"files/c", 1), "broken"),
}


def test_a_good_one_is_read() -> None:
    assert all_of(GOOD) == {"a": WORDS, "files/b": WORDS}
    assert all_of(packed("tête-à-tête: 1.pdf", content=b"")) == {"tête-à-tête: 1.pdf": b""}


@pytest.mark.parametrize("name", UNSAFE)
def test_what_misleads_or_exhausts_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, found = UNSAFE[name]
    content = make()
    with pytest.raises(ZipUnsafeError, match=found), opened(io.BytesIO(content), 3):
        pass
    monkeypatch.setattr(zipping, "_check", lambda *_: None)  # control
    with opened(io.BytesIO(content), 3) as archive:
        assert archive.infolist()


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_refused_at_the_latest_when_it_is_read(name: str) -> None:
    content, found = BROKEN[name]
    with pytest.raises(ZipUnsafeError, match=found):
        all_of(content)
