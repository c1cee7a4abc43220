"""What is known of an object without asking the store, whose client takes long to load: leave to upload, what
was stored, the names of downloads."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote

INCOMING = "quarantine-"
TICKET = timedelta(minutes=15)
PARTS_TICKET = timedelta(hours=1)  # for a slow line
DOWNLOAD = timedelta(minutes=5)


class UploadTicket(NamedTuple):
    """Leave to PUT one object: send the bytes to `url` with exactly these headers until `expire_time`
    (UTC)."""

    url: str
    headers: Mapping[str, str]
    expire_time: datetime


class Stored(NamedTuple):
    """What was stored: size in bytes and SHA-256, hex."""

    size: int
    sha256: str


def key_of(uploaded: str) -> str:
    """Returns the key for which an object was uploaded, whole or in parts; empty for what was not."""
    incoming = uploaded.startswith(INCOMING)
    return uploaded.removeprefix(INCOMING).partition(".")[0] if incoming else ""


def disposition(filename: str) -> str:
    """Returns `attachment` with the name in both forms of RFC 6266; paths, controls and quotes are taken
    out."""
    name = re.split(r"[/\\]", filename)[-1]
    name = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in name)
    name = name.replace('"', "'").strip(" .")[:120] or "file"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().strip() or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
