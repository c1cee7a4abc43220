"""Makes a small picture, a PNG, of one image: a task of a confined process, with nothing of ours imported."""

from __future__ import annotations

import sys

import typst

SMALLER = 0.7  # of the side, until the picture fits
TIMES = 4  # that it is tried; noise has fitted by then
TEMPLATE = b"""
#set page(width: auto, height: auto, margin: 0pt, fill: white)
#context {
  let picture(..size) = image("/0", format: sys.inputs.type, ..size)
  let (width, height) = measure(picture())
  let one = float(sys.inputs.side) * 1pt / calc.max(width, height)
  picture(width: width * one, height: height * one)
}
"""


def main(kind: str, side: str, most: str) -> None:
    """Writes the picture: of an image of type `kind`, with `side` pixels on the longest side and `most` bytes
    at the most; raises TypstError for what is no image of its type."""
    said = {"type": kind, "side": side}
    compiler = typst.Compiler(root="/proc/self/fd", ignore_system_fonts=True, sys_inputs=said)
    for time in range(TIMES):
        made = compiler.compile(TEMPLATE, format="png", ppi=72 * SMALLER**time)
        if isinstance(made, bytes) and len(made) <= int(most):
            sys.stdout.buffer.write(made)
            return
