"""Makes the stack's own processes by forking one that has loaded what they need: `python -m
services.cli.stack.fork_server`, its standard input a socket of `forks.Forks`.

Loaded ten times over, the same libraries would be most of a stack's memory and of the work of its start. Two
things keep that safe: this process never starts a thread nor gRPC, which a fork would not survive; and what a
part is told, with its secrets, goes to that part by a file in memory and never through this process, whose
memory the next ones inherit.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

from setproctitle import setproctitle

from services.cli.stack.launch import PR_SET_PDEATHSIG, prctl

# By the name of the program: where the function is that runs it; it finds its arguments in `sys.argv`.
PROGRAMS = {
    "serve": "services.platform.rpc.worker",
    "waymark": "services.cli.main",
    "setup": "services.cli.stack.setup",
}
LOADED = (
    *PROGRAMS.values(),
    "services.cli.consume",
    "services.cli.relay",
    "services.catalogue.service",
    "services.portfolio.service",
    "services.vouchers.service",
    "services.platform.db.migrations",
    "services.platform.db.roles",
    "services.platform.edge.envoy",
    "services.platform.events.consumer",
    "services.platform.events.jobs",
    "services.platform.events.processes",
    "services.platform.events.relay",
    "services.platform.events.topics",
    "typer._adapters",  # typer loads it, and pydantic with it, only when a command has been typed
)
LARGEST = 64 * 1024  # bytes of a request


def main() -> None:
    """Forks what is asked for and tells of each that ended, until the other end of the socket is closed."""
    for module in LOADED:
        import_module(module)
    if len(os.listdir("/proc/self/task")) > 1:
        sys.exit("A library started a thread as it was loaded; what is forked now could hang in it.")
    setproctitle("waymark fork-server")  # now: it finds its place by the environment, which forks replace
    gc.collect()
    gc.freeze()  # or the first collection of each fork would make its own copy of everything
    control = socket.socket(fileno=os.dup(0))
    ended, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([control.fileno(), ended], [], [])
        if ended in ready:
            os.read(ended, 512)
            reap(control)
        if control.fileno() in ready:
            request, files, _, _ = socket.recv_fds(control, LARGEST, 2)
            if not request:
                return
            pid = fork(json.loads(request), *files)
            control.send(json.dumps({"pid": pid}).encode())
            for each in files:
                os.close(each)


def reap(control: socket.socket) -> None:
    """Tells of every fork that has ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        control.send(json.dumps({"pid": pid, "code": os.waitstatus_to_exitcode(status)}).encode())


def fork(request: dict[str, object], told: int, log: int) -> int:
    """Returns the number of a new process.

    Args:
        request: `argv`, of which the first is one of PROGRAMS, and `death`, the signal it gets when this
            process ends.
        told: descriptor with its environment, a JSON object.
        log: descriptor of the file for standard output and error.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        code = become(request, told, log, parent)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # threads of libraries must not hold up the end


def become(request: dict[str, object], told: int, log: int, parent: int) -> int:
    """Runs a program as if it had been started alone: session, signals, files and environment of its own."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    prctl(PR_SET_PDEATHSIG, int(str(request["death"])))
    if os.getppid() != parent:
        return 1
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    with open(told, "rb", closefd=False) as file:
        environment = json.load(file)
    keep_only_standard_files()
    os.environ.clear()
    os.environ.update(environment)
    argv = request["argv"]
    assert isinstance(argv, Sequence)
    sys.argv = [str(each) for each in argv]
    setproctitle(" ".join(sys.argv if sys.argv[0] == "waymark" else ("waymark", *sys.argv)))
    code = import_module(PROGRAMS[sys.argv[0]]).main()
    return code if isinstance(code, int) else 0


def keep_only_standard_files() -> None:
    """Closes every other descriptor: the sockets and pipes are the fork server's."""
    os.closerange(3, max(int(name) for name in os.listdir("/proc/self/fd")) + 1)


if __name__ == "__main__":
    main()
