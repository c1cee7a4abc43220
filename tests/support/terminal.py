"""People at a terminal: commands of `waymark` on a running stack, run as somebody."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.support import commands
from tests.support.stacks import Stack, bare_environment


class Person:
    """Somebody who uses the command line."""

    def __init__(self, stack: Stack, *who: str) -> None:
        self.stack = stack
        self.who = who

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a command as this person."""
        return commands.run([*arguments, *self.who, "--home", str(self.stack.home)], bare_environment())

    def prints(self, *arguments: str) -> str:
        """What a command that succeeds prints for people."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def gets(self, *arguments: str) -> Any:
        """What a command that succeeds prints for programs."""
        return json.loads(self.prints(*arguments, "--json"))

    def fails(self, *arguments: str) -> tuple[int, str]:
        """Exit code and reason of a command that fails."""
        done = self.run(*arguments, "--json")
        assert not done.stdout
        return done.returncode, json.loads(done.stderr.splitlines()[-1])["error"]["reason"]
