"""Sizes of images by their headers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portfolio.domain import images
from services.portfolio.domain.images import Size, size_of
from tests.fuzz.running import bounded
from tests.support.pictures import jpeg, png

WHOLE = {"image/jpeg": jpeg(640, 480, orientation=6), "image/png": png(64, 48)}


def test_sizes_are_read() -> None:
    assert size_of("image/jpeg", WHOLE["image/jpeg"]) == Size(640, 480)
    assert size_of("image/png", WHOLE["image/png"]) == Size(64, 48)
    assert size_of("application/pdf", b"%PDF") is None
    assert size_of("image/png", WHOLE["image/jpeg"]) is None


def test_the_largest_of_several_sizes_counts() -> None:
    frame = b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03" + bytes(9)
    for at in (2, WHOLE["image/jpeg"].index(b"\xff\xda")):
        whole = WHOLE["image/jpeg"]
        assert size_of("image/jpeg", whole[:at] + frame + whole[at:]) == Size(65535, 65535)


SMALLEST = b"\xff\xe0\x00\x02"
HOSTILE = [b"\xff\xd8" + SMALLEST * 400_000, b"\xff\xd8" + b"\xff" * 1_600_000]


@pytest.mark.parametrize("content", HOSTILE, ids=["segments", "filling"])
def test_a_file_of_nothing_but_small_segments_costs_little(content: bytes) -> None:
    with bounded(0.03):
        assert size_of("image/jpeg", content) is None


@pytest.mark.parametrize("content", HOSTILE, ids=["segments", "filling"])
def test_control_without_the_cap_it_costs_much(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_PARTS", len(content))
    with pytest.raises(AssertionError, match="took"), bounded(0.03):
        size_of("image/jpeg", content)


def test_an_image_with_many_segments_has_its_size() -> None:
    whole = WHOLE["image/jpeg"]
    assert size_of("image/jpeg", whole[:2] + SMALLEST * 900 + whole[2:]) == Size(640, 480)


@given(kind=st.sampled_from(sorted(WHOLE)), end=st.integers(0, 700), noise=st.binary(max_size=40))
def test_broken_headers_have_a_size_or_none(kind: str, end: int, noise: bytes) -> None:
    size = size_of(kind, WHOLE[kind][:end] + noise)
    assert size is None or min(size) > 0
