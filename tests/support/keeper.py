"""Runs one real part for as long as a test process wants it: `python -m tests.support.keeper PART FOLDER`.

Every test process that uses the part leaves a file with its process number and start time in FOLDER/holders.
When no holder is alive any more, however it ended, the keeper stops the part, deletes FOLDER and ends. If the
keeper itself is killed, the part dies with it (see `launch.py`).
"""

import json
import shutil
import sys
import time
from pathlib import Path

import psutil
from filelock import FileLock

from services.cli.stack import process
from services.cli.stack.kafka import Kafka
from services.cli.stack.ports import free_port
from services.cli.stack.postgres import Postgres
from services.cli.stack.s3 import S3

POLL_SECONDS = 0.2


def build(part: str, folder: Path) -> tuple[Postgres | Kafka | S3, dict[str, str]]:
    """Return the part on free ports, and what tests need to reach it."""
    if part == "postgres":
        postgres = Postgres(folder / part, free_port(), durable=False)
        return postgres, {"url": postgres.url(), "socket_url": postgres.socket_url()}
    if part == "kafka":
        kafka = Kafka(folder / part, free_port(), free_port())
        return kafka, {"bootstrap": kafka.bootstrap}
    s3 = S3(folder / part, free_port())
    access, secret = s3.keys
    return s3, {"endpoint": s3.endpoint, "access_key": access, "secret_key": secret}


def alive(holder: Path) -> bool:
    """Tell whether the process that left this file still runs (its number may have been given anew)."""
    try:
        pid, started = holder.read_text().split()
        process = psutil.Process(int(pid))
        return process.create_time() == float(started) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, ValueError, FileNotFoundError):
        return False


def let_go(folder: Path) -> bool:
    """Withdraw the address if nobody holds the part any more; a newcomer then starts another one."""
    if any(alive(holder) for holder in (folder / "holders").iterdir()):
        return False
    with FileLock(folder.with_suffix(".lock")):
        if any(alive(holder) for holder in (folder / "holders").iterdir()):
            return False
        (folder / "address.json").unlink()
        return True


def main() -> None:
    """Start the part, publish its address, stay while somebody holds it."""
    part, folder = sys.argv[1], Path(sys.argv[2])
    server, address = build(part, folder)
    log = folder / f"{part}.log"
    server.prepare(log)
    command = server.command()
    running = process.spawn(command, log)
    try:
        process.wait_ready(running, server.ready, log, 120)
        ready = folder / "address.tmp"
        ready.write_text(json.dumps({**address, "pid": str(running.pid), "log": str(log)}))
        ready.rename(folder / "address.json")
        while not let_go(folder):
            time.sleep(POLL_SECONDS)
    finally:
        process.stop(running, command)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
