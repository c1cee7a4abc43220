"""What is issued here: achievements as Open Badges 3.0, lists of what was taken back, DID documents."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from waymark.portfolio.v1 import issued_credential_pb2 as pb

from services.portfolio.domain.credentials import controllers, status_list
from services.portfolio.domain.credentials.contexts import BADGE_EXTENSIONS, OPEN_BADGES, V2
from services.portfolio.domain.credentials.data_integrity import JCS, RDFC, sign_document
from services.portfolio.domain.credentials.vc_jwt import sign_token

PURPOSES = {
    "revocation": pb.IssuedCredential.STATE_REVOKED,
    "suspension": pb.IssuedCredential.STATE_SUSPENDED,
}
LIST_LIFE = timedelta(days=1)  # how long a copy of a status list may be used
_TTL = 300_000  # milliseconds after which a copy should be fetched anew
_SCHEMA = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"


class Issuer(NamedTuple):
    """An awarding body as its credentials show it. `origin`: address of this service, without a slash."""

    origin: str
    id: str
    display_name: str
    url: str

    @property
    def name(self) -> str:
        """Resource name."""
        return f"credentialIssuers/{self.id}"

    @property
    def did(self) -> str:
        """The DID that its documents are found by."""
        return controllers.did_web(self.origin, "v1", "credentialIssuers", self.id)

    def method(self, multikey: str) -> str:
        """How proofs name one of its keys."""
        return f"{self.did}#{multikey}"

    def address(self, path: str) -> str:
        """Returns where a resource of it is."""
        return f"{self.origin}/v1/{self.name}/{path}"

    @property
    def profile(self) -> dict[str, Any]:
        """What its credentials say of it."""
        profile: dict[str, Any] = {"id": self.did, "type": ["Profile"], "name": self.display_name}
        return {**profile, "url": self.url} if self.url else profile


class Signer(NamedTuple):
    """The current key of an awarding body: its secret seed, and how others find its public half."""

    seed: bytes
    method: str


class Place(NamedTuple):
    """Bit of a credential in the status lists."""

    list: int
    bit: int


def achievement_credential(
    issuer: Issuer, issued: pb.IssuedCredential, place: Place, holder: str
) -> dict[str, Any]:
    """Returns what is issued, not signed yet.

    It names nobody: of the holder it has a salted hash, by which a holder can show that it is theirs.
    """
    salt = secrets.token_urlsafe(16)
    subject = {
        "type": ["AchievementSubject"],
        "identifier": [
            {
                "type": "IdentityObject",
                "hashed": True,
                "identityHash": identity_hash(holder, salt),
                "identityType": "ext:holder",
                "salt": salt,
            }
        ],
        "achievement": _achievement(issuer, issued.achievement),
    }
    credential: dict[str, Any] = {
        "@context": [V2, OPEN_BADGES, BADGE_EXTENSIONS],
        "id": f"{issuer.address('issuedCredentials')}/{issued.name.rsplit('/', 1)[-1]}:page",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": issuer.profile,
        "name": issued.achievement.title,
        "validFrom": _written(issued.valid_from.ToDatetime(UTC)),
        "credentialSubject": subject,
        "credentialStatus": [_entry(issuer, place, purpose) for purpose in PURPOSES],
        "credentialSchema": [{"id": _SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
    }
    if issued.HasField("valid_until"):
        credential["validUntil"] = _written(issued.valid_until.ToDatetime(UTC))
    return credential


def endorsement(issuer: Issuer, claim: str, comment: str, now: datetime) -> dict[str, Any]:
    """Returns the endorsement of a skill claim (by its id), not signed yet. `comment`: who says what."""
    return {
        "@context": [V2, OPEN_BADGES],
        "id": f"urn:uuid:{uuid.uuid4()}",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "issuer": issuer.profile,
        "name": "Attestation of a skill",
        "validFrom": _written(now),
        "credentialSubject": {
            "id": f"urn:uuid:{claim}",
            "type": ["EndorsementSubject"],
            "endorsementComment": comment,
        },
    }


def identity_hash(holder: str, salt: str) -> str:
    """Returns what stands for a holder in a credential: `sha256$` and the hash of id and salt."""
    return "sha256$" + hashlib.sha256(f"{holder}{salt}".encode()).hexdigest()


def proven(credential: dict[str, Any], signer: Signer, now: datetime) -> dict[str, Any]:
    """Returns the credential with a Data Integrity proof of each suite."""
    once = sign_document(credential, signer.seed, signer.method, RDFC, now=now)
    return sign_document(once, signer.seed, signer.method, JCS, now=now)


def as_token(credential: dict[str, Any], signer: Signer) -> str:
    """Returns the credential as JWT."""
    return sign_token(credential, signer.seed, signer.method)


def status_credential(
    issuer: Issuer, signer: Signer, number: int, purpose: str, taken: Iterable[int], now: datetime
) -> dict[str, Any]:
    """Returns a signed status list in which the bits of what was taken back are set."""
    address = list_address(issuer, number, purpose)
    credential = {
        "@context": [V2],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer.did,
        "validFrom": _written(now),
        "validUntil": _written(now + LIST_LIFE),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "ttl": _TTL,
            "encodedList": status_list.encoded(taken),
        },
    }
    return sign_document(credential, signer.seed, signer.method, RDFC, now=now)


def list_address(issuer: Issuer, number: int, purpose: str) -> str:
    """Returns where a status list is."""
    return issuer.address(f"statusLists/{number}-{purpose}")


def new_place(issued: int) -> Place:
    """Returns a bit for one more credential after so many, by chance, so that it tells no order.

    A list is left when half of its bits are used: another try then finds a free one soon.
    """
    half = status_list.ENTRIES // 2
    return Place(issued // half + 1, secrets.randbelow(status_list.ENTRIES))


def _entry(issuer: Issuer, place: Place, purpose: str) -> dict[str, Any]:
    address = list_address(issuer, place.list, purpose)
    return {
        "id": f"{address}#{place.bit}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(place.bit),
        "statusListCredential": address,
    }


def _achievement(issuer: Issuer, achievement: pb.Achievement) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": achievement.id,
        "type": ["Achievement"],
        "name": achievement.title,
        "description": achievement.description,
        "criteria": {"narrative": achievement.criteria},
        "creator": issuer.profile,
    }
    if achievement.achievement_type:
        shown["achievementType"] = achievement.achievement_type
    if achievement.skill_uris:
        shown["alignment"] = [
            {"type": ["Alignment"], "targetName": uri, "targetUrl": uri} for uri in achievement.skill_uris
        ]
    return shown


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
