"""Examples of a group of commands: it shows the first ones of those below it, each where its help has one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

SHOWN = 3
_EXAMPLES = re.compile(r"\bExamples?:\s+(.+?)(?:\n\s*\n|\Z)", re.DOTALL)


def examples_of(command: Any) -> list[str]:
    """Returns the command lines behind `Example:` or `Examples:` in the help of a command."""
    found = _EXAMPLES.search(f"{command.help or ''}\n\n{command.epilog or ''}")
    shown = re.split(r"\s*Exit codes?:", found[1])[0] if found else ""
    lines = re.split(r" · |`, `", " ".join(shown.split()))
    return [line.strip(" `.") for line in lines if "waymark" in line]


def show_examples(command: Any) -> None:
    """Gives a group and each group below it an epilog with an example of its first commands."""
    below = getattr(command, "commands", None)
    if below is None:
        return
    for each in below.values():
        show_examples(each)
    lines = [lines[0] for each in leaves(command) if (lines := examples_of(each))][:SHOWN]
    if lines and not command.epilog:
        command.epilog = "Examples:\n\n" + "\n\n".join(lines)


def leaves(command: Any) -> Iterator[Any]:
    """Returns the commands below a group, those of the groups below it too."""
    for each in command.commands.values():
        yield from leaves(each) if hasattr(each, "commands") else [each]
