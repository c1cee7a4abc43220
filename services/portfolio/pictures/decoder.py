"""The process that decodes one image: run as a file, with nothing of ours imported.

It reads the image from its standard input and writes the small picture, a PNG, to its standard output. Its
arguments are the type to decode, the longest side in pixels, the most bytes of the picture, and the most
bytes of memory and seconds of processor that it may take.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys

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


def main(kind: str, side: str, most: str, memory: str, seconds: str) -> None:
    """Limits the process and writes the picture; raises TypstError for what is no image of its type."""
    # The only file there is, and no disk sees it; a pipe could be read but once.
    with open(os.memfd_create("image"), "wb") as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.flush()
        os.dup2(kept.fileno(), 0)
    for limit, value in (
        (resource.RLIMIT_DATA, int(memory)),
        (resource.RLIMIT_CPU, int(seconds)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),  # would be a copy of the image
    ):
        resource.setrlimit(limit, (value, value))
    import typst

    said = {"type": kind, "side": side}
    compiler = typst.Compiler(root="/proc/self/fd", ignore_system_fonts=True, sys_inputs=said)
    for time in range(TIMES):
        made = compiler.compile(TEMPLATE, format="png", ppi=72 * SMALLER**time)
        if isinstance(made, bytes) and len(made) <= int(most):
            sys.stdout.buffer.write(made)
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
