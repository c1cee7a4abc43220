"""Whether a credential is signed, and by whom: the checks of proof and issuer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from waymark.portfolio.v1 import credential_pb2 as pb

from services.portfolio.domain.credentials import data_integrity, vc_jwt
from services.portfolio.domain.credentials.contexts import ContextUnknownError
from services.portfolio.domain.credentials.controllers import (
    Fetch,
    Found,
    KeyMissingError,
    UnreachableError,
    find,
    keys_of,
)
from services.portfolio.domain.credentials.fields import id_of
from services.portfolio.domain.credentials.findings import Finding, failed, passed, unknown
from services.portfolio.domain.credentials.keys import KeyUnusableError, from_jwk
from services.portfolio.domain.credentials.rdf import DocumentRefusedError, TermsUndefinedError
from services.portfolio.domain.credentials.reading import Read
from services.portfolio.domain.credentials.vc_jwt import Token

MOST_PROOFS = 5
_PROOF, _ISSUER = pb.CHECK_KIND_PROOF, pb.CHECK_KIND_ISSUER
Trusted = Callable[[str], bool]


class Proven(NamedTuple):
    """What came of the proofs, and the keys that made those that hold."""

    check: pb.Check
    keys: Sequence[Found]


def prove(read: Read, fetch: Fetch) -> Proven:
    """Verifies every proof of a kind that is verified here; each of them must hold."""
    try:
        return _token(read.token, fetch) if read.token else _proofs(read, fetch)
    except KeyMissingError:
        return _none(pb.CHECK_FINDING_KEY_MISSING)
    except TermsUndefinedError:
        return _none(pb.CHECK_FINDING_TERMS_UNDEFINED)
    except DocumentRefusedError:
        return _none(pb.CHECK_FINDING_SIGNATURE_WRONG)
    except ContextUnknownError:
        return Proven(unknown(_PROOF, pb.CHECK_FINDING_CONTEXT_UNKNOWN, "@context"), ())
    except UnreachableError:
        return Proven(unknown(_PROOF, pb.CHECK_FINDING_KEY_UNREACHABLE, "proof.verificationMethod"), ())


def check_issuer(issuer: str, proven: Proven, fetch: Fetch, trusted: Trusted) -> pb.Check:
    """Checks that the keys of the proofs are the issuer's, and the issuer a trusted one."""
    if not issuer or not proven.keys:
        return unknown(_ISSUER, pb.CHECK_FINDING_KEY_NOT_OF_ISSUER)
    try:
        own = all(_is_of(found, issuer, fetch) for found in proven.keys)
    except (UnreachableError, KeyMissingError):
        return unknown(_ISSUER, pb.CHECK_FINDING_KEY_NOT_OF_ISSUER)
    if not own:
        return failed(_ISSUER, pb.CHECK_FINDING_KEY_NOT_OF_ISSUER, "issuer")
    return passed(_ISSUER) if trusted(issuer) else unknown(_ISSUER, pb.CHECK_FINDING_ISSUER_UNKNOWN, "issuer")


def _is_of(found: Found, issuer: str, fetch: Fetch) -> bool:
    if found.controller == issuer:
        return True
    # Named by another way than the issuer's own address: it counts when the issuer's document has it.
    return found.key.thumbprint() in {key.thumbprint() for key in keys_of(issuer, fetch)}


def _proofs(read: Read, fetch: Fetch) -> Proven:
    proofs = data_integrity.proofs_of(read.document)
    if not proofs:
        return _none(pb.CHECK_FINDING_PROOF_MISSING)
    known = [proof for proof in proofs if data_integrity.supported(proof)]
    if not known or len(known) > MOST_PROOFS:
        return Proven(unknown(_PROOF, pb.CHECK_FINDING_PROOF_UNSUPPORTED, "proof"), ())
    keys = [find(str(proof.get("verificationMethod", "")), fetch) for proof in known]
    pairs = zip(known, keys, strict=True)
    if not all(data_integrity.holds(read.document, proof, found.key) for proof, found in pairs):
        return _none(pb.CHECK_FINDING_SIGNATURE_WRONG)
    return Proven(passed(_PROOF), keys)


def _token(token: Token, fetch: Fetch) -> Proven:
    if token.header.get("alg") not in vc_jwt.ALGORITHMS:
        return Proven(unknown(_PROOF, pb.CHECK_FINDING_PROOF_UNSUPPORTED, "alg"), ())
    try:
        found = _key_of(token, fetch)
    except KeyMissingError:
        if "x5c" not in token.header:
            raise
        # A seal by a certificate (JAdES): who it is of, the trusted lists of the Union would tell.
        return Proven(unknown(_PROOF, pb.CHECK_FINDING_PROOF_UNSUPPORTED, "x5c"), ())
    if token.contradicts or not vc_jwt.holds(token, found.key):
        return _none(pb.CHECK_FINDING_SIGNATURE_WRONG)
    return Proven(passed(_PROOF), [found])


def _key_of(token: Token, fetch: Fetch) -> Found:
    """Returns the key that the header names. An address of keys in it (`jku`, `x5u`) is not looked at."""
    kid = token.header.get("kid")
    if isinstance(kid, str) and kid:
        issuer = id_of(token.credential.get("issuer"))
        return find(kid if ":" in kid else f"{issuer}#{kid.removeprefix('#')}", fetch)
    try:
        return Found(from_jwk(token.header.get("jwk")), "")
    except KeyUnusableError as error:
        raise KeyMissingError("jwk") from error


def _none(finding: Finding) -> Proven:
    return Proven(failed(_PROOF, finding, "proof"), ())
