"""Command lines in texts for people, held against the command line that there is."""

from __future__ import annotations

import re
import shlex
from typing import Any


def unknown_in(line: str, node: Any) -> str:
    """The first word of an example that the command line does not take, "" when it takes them all."""
    # What a shell does with the command around it is not the command's.
    line = re.split(r"\)\"| &&|\s[|>]", line[line.index("waymark") :])[0]
    words = shlex.split(line)[1:]
    while hasattr(node, "list_commands") and words:
        node = node.get_command(None, words[0])
        if node is None:
            return words[0]
        words = words[1:]
    known = {"--help", *(name for each in node.params for name in (*each.opts, *each.secondary_opts))}
    options = [word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    return next((option for option in options if option not in known), "")
