"""Become another program that cannot outlive its parent.

Run as a script by `process.spawn`, never imported by it: between fork and exec a process with threads may
only run async-signal-safe code, so the system calls below happen in a fresh interpreter instead.

    python -I -S launch.py PARENT_PID DEATH_SIGNAL USER -- PROGRAM [ARGUMENT…]

USER is "" or the name of an account that a root caller drops to. PostgreSQL refuses to run as root. The
account keeps CAP_DAC_OVERRIDE alone, so that a checkout below a folder only root may enter works without
opening that folder to everybody.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522

libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, *arguments: int) -> None:
    """Call prctl(2).

    Raises:
        OSError: the kernel refused.
    """
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    if libc.prctl(option, *values) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def keep_file_access() -> None:
    """Make CAP_DAC_OVERRIDE the only capability, and let it survive exec.

    Raises:
        OSError: the kernel refused, for instance because a container dropped the capability.
    """
    mask = 1 << CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if libc.capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset failed")
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE)


def drop_to(user: str) -> None:
    """Give up root for the account `user`.

    Raises:
        KeyError: no such account.
        OSError: the kernel refused to change the account.
    """
    import pwd

    account = pwd.getpwnam(user)
    prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    try:
        keep_file_access()
    except OSError as error:
        # Without it the program still starts wherever its folders are open to the account.
        sys.stderr.write(f"launch: {error}\n")


def main() -> None:
    """Set up this process as the arguments say, then replace it by the program."""
    parent, death_signal, user = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    command = sys.argv[5:]
    if user:
        drop_to(user)
    # After the change of account, which clears it.
    prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit("launch: the parent is gone")
    try:
        os.execvp(command[0], command)  # noqa: S606  (no shell: that is the point)
    except OSError as error:
        sys.exit(f"launch: {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
