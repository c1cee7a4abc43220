"""The supervisor's side of the fork server: asks for processes, and learns how each of them ended."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path

from services.cli.stack import process
from services.cli.stack.leftovers import MARK
from services.cli.stack.process import PYTHON, Command, PartError

SERVER = [*PYTHON, "-m", "services.cli.stack.fork_server"]
TITLES = {"SPT_NOENV": "1"}  # setproctitle's: let the mark be, by which left-overs are found
LARGEST = 4096  # bytes of an answer


class Fork:
    """A process that the fork server made; to be used as a `subprocess.Popen`."""

    def __init__(self, pid: int, name: str) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._name = name
        self._ended = threading.Event()

    def poll(self) -> int | None:
        """Returns the exit code, minus the number of the signal that ended it, None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the end (seconds); raises subprocess.TimeoutExpired."""
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(self._name, timeout or 0.0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal unless it has ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self, code: int) -> None:
        """Told by the fork server, which alone can know."""
        self.returncode = code
        self._ended.set()


class Forks:
    """The fork server of the stack in `home`; started by `start`, and again when it died.

    It belongs into the loop's thread: the kernel ends the fork server, and it its forks, when the thread that
    started it ends. Whoever has one closes it (`aclose`).
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._log = home / "logs" / "fork-server.log"
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._asked: deque[tuple[str, asyncio.Future[Fork]]] = deque()
        self._living: dict[int, Fork] = {}

    def start(self) -> socket.socket:
        """Starts the fork server unless it runs; returns the socket to it. It takes requests at once and does
        them once it has loaded."""
        if self._control is not None:
            return self._control
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = Command(SERVER, {MARK: str(self._home), **TITLES})
            self._server = process.spawn(command, self._log, stdin=theirs.fileno())
        ours.settimeout(0)
        asyncio.get_running_loop().add_reader(ours, self._heard)
        self._control = ours
        return ours

    async def spawn(self, command: Command, log: Path) -> Fork:
        """Returns a new process that runs `command`, one that is `forked`, output appended to `log`.

        Raises:
            PartError: the fork server ended first.
        """
        control = self.start()
        death = process.death_signal(command)
        request = json.dumps({"argv": list(command.argv), "death": int(death)}).encode()
        told = os.memfd_create("told")  # a pipe might be too small, and nobody reads it yet
        with open(told, "w", encoding="utf-8", closefd=False) as file:
            json.dump({**process.base_environment(), **command.environment}, file)
        os.lseek(told, 0, os.SEEK_SET)
        log.parent.mkdir(parents=True, exist_ok=True)
        born: asyncio.Future[Fork] = asyncio.get_running_loop().create_future()
        try:
            with log.open("ab") as output:
                socket.send_fds(control, [request], [told, output.fileno()])
        except OSError as error:
            raise PartError(f"the fork server does not listen; see {self._log}") from error
        finally:
            os.close(told)
        self._asked.append((command.argv[0], born))
        return await born

    async def aclose(self) -> None:
        """Ends the fork server, with it whatever fork is left, and closes the socket to it."""
        await asyncio.to_thread(self._stop)
        if self._control is not None:  # unheard yet: a fork on its way may hold the other end a moment longer
            self._lost()

    def _stop(self) -> None:
        if self._server is not None:
            process.stop(self._server, Command(SERVER))

    def _heard(self) -> None:
        """Takes what the fork server says: a birth, an end, or by its silence that it has ended itself."""
        assert self._control is not None
        try:
            answer = self._control.recv(LARGEST)
        except BlockingIOError:
            return
        except OSError:
            answer = b""
        if not answer:
            self._lost()
            return
        said = json.loads(answer)
        if "code" in said:
            self._living.pop(said["pid"]).end(said["code"])
            return
        name, born = self._asked.popleft()
        fork = self._living[said["pid"]] = Fork(said["pid"], name)
        if born.cancelled():  # nobody would ever stop it
            fork.send_signal(signal.SIGKILL)
        else:
            born.set_result(fork)

    def _lost(self) -> None:
        assert self._control is not None
        asyncio.get_running_loop().remove_reader(self._control)
        self._control.close()
        self._control = None
        self._stop()
        for fork in self._living.values():
            fork.end(-signal.SIGKILL)
        self._living.clear()
        for _, born in self._asked:
            if not born.cancelled():
                born.set_exception(PartError(f"the fork server ended; see {self._log}"))
        self._asked.clear()
