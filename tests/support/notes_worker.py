"""A server process of the tests' own service: `python -m tests.support.notes_worker testing`."""

from __future__ import annotations

import os

from services.platform.rpc import worker
from tests.support.notes import DEFINITION

if __name__ == "__main__":
    os._exit(worker.main(lambda name: DEFINITION))
