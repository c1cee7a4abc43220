"""Commands of `waymark`, each in a process of its own that is forked from one with everything loaded.

To start an interpreter and load a command takes longer than most commands do. The process that they come
from (`python -m tests.support.commands`) reads a command a line, as JSON, and answers with its exit code. It
opens no connection and starts no thread before it forks.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

_LOCK = threading.Lock()
# What libraries load only when a command makes use of them, which took most of its time.
_LATER = ("encodings.idna", "grpc._channel", "httpcore", "importlib.metadata", "typer._adapters", "zoneinfo")


def run(arguments: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs `waymark` with these arguments in this environment; returns exit code and output."""
    with tempfile.TemporaryDirectory(prefix="waymark-command-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        asked = {"arguments": arguments, "environment": dict(environment), "out": str(out), "err": str(err)}
        with _LOCK:
            process = _process()
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps({**asked, "folder": str(Path.cwd())}) + "\n")
            process.stdin.flush()
            code = int(process.stdout.readline())
        return subprocess.CompletedProcess(["waymark", *arguments], code, out.read_text(), err.read_text())


@cache
def _process() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.commands"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.communicate)  # closes its input, which ends it
    return process


def main() -> None:
    """Runs what is asked for, one after the other, until standard input ends."""
    from services.cli import client, main  # noqa: F401 - what nearly every command needs

    for module in {*main.MODULES.values(), *_LATER}:
        import_module(module)
    gc.freeze()  # or the first collection of each command would make its own copy of everything
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(json.loads(line), main)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(asked: Mapping[str, Any], waymark: Any) -> None:
    """Is the command from here on; never returns."""
    code = 1
    try:
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        for number, flags, path in (
            (0, os.O_RDONLY, os.devnull),
            (1, _NEW, asked["out"]),
            (2, _NEW, asked["err"]),
        ):
            os.dup2(os.open(path, flags), number)
        sys.argv = ["waymark", *asked["arguments"]]
        waymark.main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC

if __name__ == "__main__":
    main()
