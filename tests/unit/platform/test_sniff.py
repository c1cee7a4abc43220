"""File types by their first bytes."""

from __future__ import annotations

import pytest

from services.platform.objects.sniff import fits
from services.platform.objects.tickets import disposition


@pytest.mark.parametrize(
    ("claimed", "head", "fitting"),
    [
        ("application/pdf", b"%PDF-1.4", True),
        ("application/pdf; x=y", b"%PDF-1.4", True),
        ("application/pdf", b"", False),
        ("image/jpeg", b"\xff\xd8\xff\xe0", True),
        ("image/svg+xml", b"<svg onload=x>", False),
        ("text/html", b"<html>", False),
        ("text/plain", b"<SCRIPT>", False),
        ("text/plain", b"\xef\xbb\xbf  <html>", False),
        ("text/plain", "<script>".encode("utf-16"), False),
        ("text/plain", "Grüße".encode("utf-16"), True),
        ("text/plain", b"a\0b", False),
        ("text/csv", b"%PDF-1.4", False),
        ("application/json", b" {}", True),
        ("application/json", b"", False),
        ("application/json", b"<a/>", False),
        ("application/xml", b"\xef\xbb\xbf<?xml version='1.0'?>", True),
        ("application/xml", b"a", False),
        ("application/octet-stream", b"anything", True),
    ],
)
def test_types(claimed, head, fitting):
    assert fits(claimed, head) is fitting


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.pdf", "attachment; filename=\"a.pdf\"; filename*=UTF-8''a.pdf"),
        ("../../etc/passwd", "attachment; filename=\"passwd\"; filename*=UTF-8''passwd"),
        ('x"; y\r\nz', "attachment; filename=\"x'; y  z\"; filename*=UTF-8''x%27%3B%20y%20%20z"),
        ("", "attachment; filename=\"file\"; filename*=UTF-8''file"),
        ("Zürich\u202e.pdf", "attachment; filename=\"Zurich .pdf\"; filename*=UTF-8''Z%C3%BCrich%20.pdf"),
    ],
)
def test_names_of_downloads(name, expected):
    assert disposition(name) == expected
