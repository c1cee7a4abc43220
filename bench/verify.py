"""`make bench-verify`: how many Open Badges one processor checks in a second, by kind of proof.

The badge is of the usual size and made here. Each check does all of it: proof, issuer, status list, expiry
and shape. Documents of the issuer come from a dictionary, as they come from the service's cache. Beside it,
in the same run: bare Ed25519 over as many hashes, which nobody can do without.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bench.report import Goal, report
from services.portfolio.domain.credentials import (
    contexts,
    controllers,
    data_integrity,
    keys,
    status_list,
    vc_jwt,
)
from services.portfolio.domain.credentials.checking import check
from services.portfolio.domain.credentials.reading import read

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DID, LIST = "did:web:award.example", "https://award.example/status/1"
GOALS = (
    Goal("rdfc_per_s", "≥", 300, "/s"),
    Goal("jcs_per_s", "≥", 300, "/s"),
    Goal("jwt_per_s", "≥", 300, "/s"),
)


def main() -> None:
    """Makes, checks, measures, reports; exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=500, help="checks of each kind of proof")
    checks = parser.parse_args().checks
    seed = keys.new_seed()
    fetch = issuer(seed)
    method = f"{DID}#k"
    suites = {"rdfc": data_integrity.RDFC, "jcs": data_integrity.JCS}
    signed = {
        name: json.dumps(data_integrity.sign_document(badge(), seed, method, suite, now=NOW))
        for name, suite in suites.items()
    }
    signed["jwt"] = vc_jwt.sign_token(badge(), seed, method)
    figures = {f"{name}_per_s": rate(partial(checked, text, fetch), checks) for name, text in signed.items()}
    key = keys.ed25519(keys.from_multikey(keys.multikey(seed)))
    data = bytes(64)
    signature = keys.sign(seed, data)
    figures["bare_ed25519_per_s"] = rate(lambda: key.verify(signature, data), checks * 10)
    sys.exit(0 if report("verify", figures, GOALS) else 1)


def rate(work: Callable[[], object], times: int) -> float:
    """Returns how often `work` can be done in a second of processor time."""
    work()
    started = time.process_time()
    for _ in range(times):
        work()
    return times / (time.process_time() - started)


def checked(text: str, fetch: controllers.Fetch) -> None:
    """Checks a badge, which must pass."""
    verdict = check(read(text.encode()), fetch, lambda _: True, NOW).verdict
    assert verdict.state == verdict.STATE_VALID, verdict


def issuer(seed: bytes) -> controllers.Fetch:
    """Returns an internet that has the issuer's DID document and status list, and nothing else."""
    listed: dict[str, Any] = {
        "@context": [contexts.V2],
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": DID,
        "credentialSubject": {
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": status_list.encoded(range(0, 1000, 7)),
        },
    }
    signed = data_integrity.sign_document(listed, seed, f"{DID}#k", data_integrity.JCS, now=NOW)
    pages = {
        "https://award.example/.well-known/did.json": controllers.did_document(
            DID, {"k": keys.multikey(seed)}
        ),
        LIST: signed,
    }
    kept = {address: json.dumps(page).encode() for address, page in pages.items()}
    return lambda address: kept[address]


def badge() -> dict[str, Any]:
    """Returns an achievement credential of about 1.5 KB."""
    return {
        "@context": [contexts.V2, contexts.OPEN_BADGES],
        "id": "urn:uuid:0198c0de-0000-7000-8000-000000000001",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": DID, "type": ["Profile"], "name": "Award", "url": "https://award.example"},
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2030-01-01T00:00:00Z",
        "name": "Welding",
        "credentialSubject": {
            "id": "urn:uuid:0198c0de-0000-7000-8000-000000000002",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://award.example/welding",
                "type": ["Achievement"],
                "achievementType": "Certificate",
                "name": "Welding",
                "description": "Joins plates of steel by arc, in all positions, and reads drawings. " * 6,
                "criteria": {"narrative": "Has welded ten plates that held under X-ray. " * 4},
            },
        },
        "credentialStatus": {
            "id": f"{LIST}#5",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "5",
            "statusListCredential": LIST,
        },
    }


if __name__ == "__main__":
    main()
