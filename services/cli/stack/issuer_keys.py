"""Signing keys of the development issuer: one private JWK a file (RFC 7517), ES256 (RFC 7518 §3.4).

A new key is published before it signs, so that verifiers that cache the key set for up to `PUBLISH_LEAD`
seconds never meet a key id they do not know; a replaced key stays published until the tokens it signed have
run out.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

ALGORITHM = "ES256"
PUBLISH_LEAD = 60.0
RETIRE_AFTER = 24 * 3600.0


class SigningKeys:
    """The key files below one folder; another process may rotate them while this one serves."""

    def __init__(self, folder: Path, *, publish_lead: float = PUBLISH_LEAD) -> None:
        """Opens `folder`, creating it and a first key when it holds none."""
        self.folder = folder
        self.publish_lead = publish_lead
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._files():
            self.rotate()

    def rotate(self) -> str:
        """Adds a key and drops those long replaced; returns the id of the new key.

        The new key signs once it has been published for `publish_lead` seconds.
        """
        replaced_before = time.time() - RETIRE_AFTER - self.publish_lead
        files = self._files()
        for older, newer in pairwise(files):
            if newer.stat().st_mtime < replaced_before:
                older.unlink()
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
        # The name sorts by age, and the file appears whole or not at all.
        target = self.folder / f"{time.time_ns():020d}.jwk.json"
        draft = target.with_suffix(".draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(key.as_dict(private=True), file)
        draft.replace(target)
        return str(key.kid)

    def signing(self) -> ECKey:
        """The newest key that has been published long enough; failing that, the oldest."""
        published_by = time.time() - self.publish_lead
        files = self._files()
        ripe = [path for path in files if path.stat().st_mtime <= published_by]
        return self._load([ripe[-1] if ripe else files[0]])[0]

    def public(self) -> dict[str, list[dict[str, Any]]]:
        """The JWK set that verifiers read; public parts only."""
        return {"keys": [dict(key.as_dict(private=False)) for key in self._load(self._files())]}

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.jwk.json"))

    @staticmethod
    def _load(paths: Sequence[Path]) -> list[ECKey]:
        return [ECKey.import_key(json.loads(path.read_text())) for path in paths]
