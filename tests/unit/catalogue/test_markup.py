"""HTML in texts of feeds: taken out where it is HTML, left where it is prose."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalogue.domain.findings import Findings
from services.catalogue.imports import values
from services.catalogue.imports.markup import without_markup


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a &lt; b", "a < b"),
        ("caf&eacute; &#x26; bar", "café & bar"),
        ("<p>One</p><p>Two</p>", "One Two"),
        ("<ul><li>a<li>b</ul>", "a b"),
        ("so<b>me</b>thing", "something"),
        ("a<br>b<BR/>c", "a b c"),
        ("<script>alert('x')</script><p>seen</p>", "seen"),
        ("<p onclick='x()'>seen</p><!-- not --><style>p{}</style>", "seen"),
        ("<a href='javascript:x()'>link</a>", "link"),
        ("a < b and c > d", "a < b and c > d"),
        ("x<y>z", "x<y>z"),
        ("R&D; AT&T", "R&D; AT&T"),
        ("<p>unclosed", "unclosed"),
    ],
)
def test_markup(text: str, plain: str) -> None:
    assert values.plain(without_markup(text), 1000) == plain


@given(st.text(alphabet="<>&;/pbr a#x1\0\"'=!-", max_size=60))
def test_any_text_comes_out_as_text(text: str) -> None:
    assert isinstance(values.plain(without_markup(text), 1000), str)


def peak(markup: str) -> int:
    """Memory in KiB that a text of endless markup takes, read with so many characters for one."""
    # Not by getrusage, whose peak is that of who started the process, too.
    program = (
        "import re, sys; from pathlib import Path; from services.catalogue.imports import values;"
        "from services.catalogue.domain.findings import Findings;"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]);"
        "values.MARKUP = int(sys.argv[1]); before = peak();"
        "values.prose('<p>x ' * 1_200_000, 20_000, 'd', Findings('', 0));"
        "print(peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", program, markup], capture_output=True, check=True)
    return int(done.stdout)


def test_markup_without_end_takes_little_memory_and_control() -> None:
    assert peak(str(values.MARKUP)) < 100 << 10  # KiB
    assert peak("1000000") > 150 << 10  # the guard off


def test_a_text_is_cut_after_its_markup_is_gone() -> None:
    findings = Findings("", 0)
    assert values.prose("<p></p>" * 10 + "<b>hello</b>", 5, "d", findings) == "hello"
    assert not findings.found
    assert values.prose("<b>hello!</b>", 5, "d", findings) == "hello"
    assert [finding.code for finding in findings.found] == ["TEXT_CUT"]
