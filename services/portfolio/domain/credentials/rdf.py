"""What a JSON-LD document says as sorted statements (RDFC-1.0), the form that `eddsa-rdfc-2022` signs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pyoxigraph import BlankNode, CanonicalizationAlgorithm, Dataset, Quad, RdfFormat, parse, serialize

from services.portfolio.domain.credentials.contexts import UNDEFINED, Contexts, bound, kept

_BASE = "https://undefined.waymark.invalid/"  # under which relative addresses come out, to be found
_NAMES = "context id type value language direction list set graph index included none nest json reverse"
_KEYWORDS = frozenset(f"@{name}" for name in re.findall("[a-z]+", _NAMES))
MOST_STATEMENTS = 20_000
# Nodes without an id that look alike are told apart by trying every order, which takes for ever with many.
MOST_ALIKE = 5
MOST_ALIKE_IN_ALL = 40


class TermsUndefinedError(Exception):
    """The document says things that no context defines; no signature over its statements covers them."""


class DocumentRefusedError(Exception):
    """The document is not JSON-LD, or takes too long to bring into canonical form."""


def statements(document: dict[str, Any], contexts: Contexts | None = None) -> bytes:
    """Returns the canonical N-Quads of a document.

    Raises ContextUnknownError, TermsUndefinedError, DocumentRefusedError.
    """
    _check_keywords(document)
    text = json.dumps(bound(document, kept() if contexts is None else contexts))
    try:
        quads = list(parse(text, format=RdfFormat.JSON_LD, base_iri=_BASE))
    except (SyntaxError, ValueError) as error:
        raise DocumentRefusedError("is no JSON-LD") from error
    _check_size(quads)
    dataset = Dataset(quads)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    written = serialize(dataset, format=RdfFormat.N_QUADS)
    assert written is not None
    if UNDEFINED.encode() in written or _BASE.encode() in written:
        raise TermsUndefinedError
    return b"".join(sorted(written.splitlines(keepends=True)))


def _check_keywords(value: Any) -> None:
    """Keys that only look like keywords are left out by JSON-LD without a word."""
    if isinstance(value, dict):
        if any(key.startswith("@") and key not in _KEYWORDS for key in value):
            raise TermsUndefinedError
        for key, item in value.items():
            if key != "@context":
                _check_keywords(item)
    elif isinstance(value, list):
        for item in value:
            _check_keywords(item)


def _check_size(quads: Sequence[Quad]) -> None:
    if len(quads) > MOST_STATEMENTS:
        raise DocumentRefusedError("says too much")
    told: dict[BlankNode, list[str]] = {}
    for quad in quads:
        for place, node in enumerate((quad.subject, quad.object, quad.graph_name)):
            if isinstance(node, BlankNode):
                told.setdefault(node, []).append(_seen_from(quad, place, node))
    alike = Counter(tuple(sorted(lines)) for lines in told.values())
    several = [count for count in alike.values() if count > 1]
    if sum(several) > MOST_ALIKE_IN_ALL or max(several, default=0) > MOST_ALIKE:
        raise DocumentRefusedError("has too many nodes that look alike")


def _seen_from(quad: Quad, place: int, node: BlankNode) -> str:
    parts = (quad.subject, quad.predicate, quad.object, quad.graph_name)
    shown = (
        ("_:a" if part == node else "_:z") if isinstance(part, BlankNode) else str(part) for part in parts
    )
    return f"{place} {' '.join(shown)}"
