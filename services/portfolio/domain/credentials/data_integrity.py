"""Data Integrity proofs (W3C VC-DI-EDDSA): made and verified over statements or JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature

from services.portfolio.domain.credentials import jcs
from services.portfolio.domain.credentials.contexts import Contexts
from services.portfolio.domain.credentials.fields import many
from services.portfolio.domain.credentials.keys import Key, KeyUnusableError, ed25519, sign
from services.portfolio.domain.credentials.multiformats import MultibaseError, base58, from_multibase
from services.portfolio.domain.credentials.rdf import statements

RDFC, JCS = "eddsa-rdfc-2022", "eddsa-jcs-2022"
_TYPE, _TYPE_2020, _RDFC_DRAFT = "DataIntegrityProof", "Ed25519Signature2020", "eddsa-2022"
PURPOSE = "assertionMethod"

Canonical = Callable[[dict[str, Any]], bytes]


def proofs_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the proofs of a document that are written as such, supported or not."""
    return [proof for proof in many(document.get("proof")) if isinstance(proof, dict)]


def supported(proof: Mapping[str, Any]) -> bool:
    """True for a proof that `holds` can verify."""
    suite = _suite(proof)
    return suite in (RDFC, JCS) and proof.get("proofPurpose") == PURPOSE and "previousProof" not in proof


def sign_document(
    document: Mapping[str, Any],
    seed: bytes,
    method: str,
    suite: str,
    *,
    now: datetime,
    contexts: Contexts | None = None,
) -> dict[str, Any]:
    """Returns the document with one more proof by the key of `seed`, which others find under `method`.

    `suite`: RDFC or JCS. Raises ContextUnknownError, TermsUndefinedError, ValueError.
    """
    proof = {
        "type": _TYPE,
        "cryptosuite": suite,
        "created": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": method,
        "proofPurpose": PURPOSE,
    }
    if suite == JCS:
        proof["@context"] = document["@context"]
    proof["proofValue"] = base58(sign(seed, signed_data(document, proof, contexts)))
    before = proofs_of(document)
    return {**document, "proof": [*before, proof] if before else proof}


def holds(
    document: Mapping[str, Any], proof: Mapping[str, Any], key: Key, contexts: Contexts | None = None
) -> bool:
    """True when `proof` is the signature of `key` over the document.

    Raises ContextUnknownError, TermsUndefinedError, DocumentRefusedError.
    """
    try:
        signature = from_multibase(str(proof.get("proofValue", "")))
        ed25519(key).verify(signature, signed_data(document, proof, contexts))
    except (InvalidSignature, MultibaseError, KeyUnusableError):
        return False
    return True


def signed_data(
    document: Mapping[str, Any], proof: Mapping[str, Any], contexts: Contexts | None = None
) -> bytes:
    """Returns what a proof signs: the hash of its own options, then that of the document without proofs."""
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if _suite(proof) == JCS:
        return _hashes(options, _as_proven(unsigned, options), jcs.canonical)
    options["@context"] = unsigned.get("@context")
    return _hashes(options, unsigned, lambda part: statements(part, contexts))


def _as_proven(document: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the document under the contexts of its proof, when its own begin with them."""
    if "@context" not in options:
        return document
    own, proven = _listed(document.get("@context")), _listed(options["@context"])
    # One that does not begin with them keeps its own, which then do not hash to what was signed.
    return {**document, "@context": options["@context"]} if own[: len(proven)] == proven else document


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _hashes(options: dict[str, Any], document: dict[str, Any], canonical: Canonical) -> bytes:
    return hashlib.sha256(canonical(options)).digest() + hashlib.sha256(canonical(document)).digest()


def _suite(proof: Mapping[str, Any]) -> str:
    """Returns the suite a proof is verified by; what drafts called it before counts."""
    if proof.get("type") == _TYPE_2020:
        return RDFC
    if proof.get("type") != _TYPE:
        return ""
    suite = str(proof.get("cryptosuite", ""))
    return RDFC if suite == _RDFC_DRAFT else suite
