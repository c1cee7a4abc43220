"""A line chart of percentages as SVG, and the same as a table in plain text.

Lines are told apart by mark and dash as well as by colour (WCAG 1.4.1), and the picture has a title and a
description that say what it shows (1.1.1); colours stand out from white by 4.5 to 1 at least (1.4.11).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 430, 34, 280  # of the plot; the legend is to the right of it
_STYLES = (
    ("#1a1a1a", "", "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z"),
    ("#0b5394", "6 3", "M-4-4h8v8h-8z"),
    ("#990000", "2 3", "M0-5l5 9h-10z"),
    ("#2a6318", "8 3 2 3", "M0-5l5 5l-5 5l-5-5z"),
    ("#741b47", "4 4", "M0 5l5-9h-10z"),
    ("#7a4a00", "10 4", "M-4-4l8 8M4-4l-8 8"),
    ("#34558b", "1 4", "M-5 0h10M0-5v10"),
    ("#5b2c8a", "12 3 3 3", "M-5-2h10v4h-10z"),
)
MOST = len(_STYLES)  # lines that can be told apart


@dataclass(frozen=True)
class Line:
    """One line: what it is called, and its percentages; None where there is none."""

    name: str
    values: Sequence[int | None]


def svg(title: str, description: str, days: Sequence[str], lines: Sequence[Line]) -> str:
    """Returns the chart; `days` are the labels below, one for each value; lines beyond MOST are not drawn."""
    body = [*_frame(days)]
    for index, line in enumerate(lines[:MOST]):
        body += _line(line, index, len(days))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-labelledby="title description" font-family="sans-serif" font-size="12">'
        f'<title id="title">{escape(title)}</title><desc id="description">{escape(description)}</desc>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
        f'<text x="{_LEFT}" y="18" font-size="14" aria-hidden="true">{escape(title)}</text>'
        f"{''.join(body)}</svg>"
    )


def table(day: str, days: Sequence[str], lines: Sequence[Line]) -> str:
    """Returns the values as a table in plain text, a line for each day, columns set apart by two blanks;
    `day` heads the first."""
    columns = [[day, *days], *([line.name, *map(_percent, line.values)] for line in lines)]
    widths = [max(map(len, column)) for column in columns]
    rows = zip(*columns, strict=True)
    padded = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(padded)


def _percent(value: int | None) -> str:
    return "–" if value is None else f"{value} %"


def _frame(days: Sequence[str]) -> Iterator[str]:
    for percent in (0, 25, 50, 75, 100):
        y = _y(percent)
        yield f'<path d="M{_LEFT} {y}H{_RIGHT}" stroke="#cccccc"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{percent} %</text>'
    shown = {0, len(days) - 1} if len(days) > 4 else set(range(len(days)))
    for index in sorted(shown & set(range(len(days)))):
        x = _x(index, len(days))
        yield f'<text x="{x}" y="{_BOTTOM + 20}" text-anchor="middle">{escape(days[index])}</text>'


def _line(line: Line, index: int, count: int) -> Iterator[str]:
    colour, dash, mark = _STYLES[index]
    at = [(_x(place, count), _y(value)) for place, value in enumerate(line.values) if value is not None]
    shape = f'stroke="{colour}" fill="none" stroke-width="2"'
    if len(at) > 1:
        way = " ".join(f"{x},{y}" for x, y in at)
        yield f'<polyline points="{way}" {shape} stroke-dasharray="{dash}"/>'
    legend = _TOP + 16 + 24 * index
    for x, y in [*at, (_RIGHT + 24, legend)]:
        yield f'<path d="{mark}" transform="translate({x} {y})" stroke="{colour}" fill="{colour}"/>'
    name = line.name if len(line.name) <= 24 else f"{line.name[:23]}…"
    yield f'<text x="{_RIGHT + 36}" y="{legend + 4}">{escape(name)}</text>'


def _x(index: int, count: int) -> int:
    """Where a day is, with room for its label at both ends."""
    room = _RIGHT - _LEFT - 60
    return _LEFT + 30 + (room * index // (count - 1) if count > 1 else room // 2)


def _y(percent: int) -> int:
    return _BOTTOM - (_BOTTOM - _TOP) * percent // 100
