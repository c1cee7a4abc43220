"""The process that reads one file of a stranger: run as a file, with nothing of ours imported.

The file is its standard input; it has a task make something of it, and writes that to its standard output.
Its arguments are the file of the task, the most bytes of data and of addresses and seconds of processor it
may take, and what the task is told. Whatever becomes of a library that a task uses, the process can open no
file and reach nobody by TCP, where the kernel has Landlock (Linux 5.13; TCP since 6.7).
"""

from __future__ import annotations

import ctypes
import resource
import runpy
import sys

# Of Landlock, the same on every processor: calls, and how many rights on files each of its versions knows.
CREATE_RULESET, RESTRICT_SELF = 444, 446
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
NEWEST_FILE_RIGHTS = 16
TCP, OTHER_PROCESSES = 0b11, 0b11  # bind and connect; abstract sockets and signals
PR_SET_NO_NEW_PRIVS = 38


class Ruleset(ctypes.Structure):
    """What is forbidden unless a rule allows it: `landlock_ruleset_attr`."""

    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


def version() -> int:
    """Returns which version of Landlock the kernel has; less than 1 for none."""
    if sys.platform != "linux":  # where the same number calls something else
        return 0
    return int(ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, 1))


def confine() -> None:
    """Gives up files by their path, TCP, and the sockets and signals of other processes; what is open stays
    open. Raises OSError when that fails; nothing happens on a kernel without Landlock."""
    known, libc = version(), ctypes.CDLL(None, use_errno=True)
    if known < 1:
        return
    forbidden = Ruleset(
        (1 << FILE_RIGHTS.get(known, NEWEST_FILE_RIGHTS)) - 1,
        TCP if known >= 4 else 0,
        OTHER_PROCESSES if known >= 6 else 0,
    )
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(forbidden), ctypes.sizeof(forbidden), 0)
    if ruleset < 0 or libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(RESTRICT_SELF, ruleset, 0):
        raise OSError(ctypes.get_errno(), "cannot be confined")


def main(task: str, memory: str, addresses: str, seconds: str, *said: str) -> None:
    """Limits the process, loads the task with its libraries, and lets its `main` do what it was told."""
    for limit, value in (
        (resource.RLIMIT_DATA, int(memory)),
        (resource.RLIMIT_AS, int(addresses)),  # of memory that is shared, too
        (resource.RLIMIT_CPU, int(seconds)),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),  # would be a copy of the file
    ):
        resource.setrlimit(limit, (value, value))
    work = runpy.run_path(task)["main"]
    confine()
    work(*said)


if __name__ == "__main__":
    main(*sys.argv[1:])
