"""Letters on the command line: how they are asked for and written to a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.call import Call, enum


class Format(StrEnum):
    """What a letter is written as."""

    PDF = "pdf"
    HTML = "html"


Out = Annotated[Path, typer.Option(help="Where to write it.")]
Language = Annotated[str, typer.Option(help="Language: da, de, el, en, et, fr, nl or pt.")]
Form = Annotated[Format, typer.Option("--format", help="PDF or HTML.")]


def write(call: Call, name: str, out: Path, language: str, form: Format, **query: Any) -> None:
    """Writes the letter of what `name` names to a file. `query`: what else is asked."""
    asked = {"format": enum("FORMAT", form), "language_code": language, **query}
    call.file(out, call.caller.rest_bytes("GET", f"/v1/{name}:letter", **asked))
