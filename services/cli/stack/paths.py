"""Where the embedded parts live: the checkout, its download cache and a stack's home folder."""

import os
import shlex
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]


def cache_dir() -> Path:
    """Return the folder for fetched files: `WAYMARK_CACHE`, else `.cache` in the checkout."""
    return Path(os.environ.get("WAYMARK_CACHE") or CHECKOUT / ".cache").absolute()


def home_dir(home: Path | None = None) -> Path:
    """Return the stack's home folder: the argument, else `WAYMARK_HOME`, else `.waymark` here. Links are
    followed, so that a stack has one name however it is reached."""
    return Path(home or os.environ.get("WAYMARK_HOME") or ".waymark").expanduser().resolve()


def option(home: Path) -> str:
    """Return the option that names the home to a command, fit to be pasted into a shell."""
    return f"--home {shlex.quote(str(home))}"
