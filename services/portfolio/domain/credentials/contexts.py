"""JSON-LD contexts, of which all are kept here: what a credential means is decided by no address of others.

`bound` puts the definitions that a document uses in the place of the addresses. The others are left out,
because reading them costs ten times what everything else costs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from functools import cache
from importlib import resources
from typing import Any

V1 = "https://www.w3.org/2018/credentials/v1"
V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
_PURL = "https://purl.imsglobal.org/spec/ob/v3p0/"
BADGE_EXTENSIONS = f"{_PURL}extensions.json"
_FILES = {
    V1: "credentials-v1",
    V2: "credentials-v2",
    "https://w3id.org/security/data-integrity/v1": "data-integrity-v1",
    "https://w3id.org/security/suites/ed25519-2020/v1": "ed25519-2020",
    f"{_PURL}context.json": "ob-3.0.0",
    f"{_PURL}context-3.0.1.json": "ob-3.0.1",
    f"{_PURL}context-3.0.2.json": "ob-3.0.2",
    OPEN_BADGES: "ob-3.0.3",
    BADGE_EXTENSIONS: "ob-extensions",
    "https://imsglobal.github.io/openbadges-specification/context.json": "ob-3.0.0",
    "https://imsglobal.github.io/openbadges-specification/extensions.json": "ob-extensions",
}
BADGE_CONTEXTS = frozenset(url for url, file in _FILES.items() if re.match(r"ob-\d", file))
# Terms that no context defines get this address, by which they are found: they would else vanish unsigned.
UNDEFINED = "urn:waymark:undefined:"
_SENTINEL = {"@vocab": UNDEFINED}


class Context:
    """The terms of one context, and what else each of them is defined by."""

    def __init__(self, terms: dict[str, Any]) -> None:
        self.terms = terms
        self.named = {term: frozenset(_words(definition)) for term, definition in terms.items()}


Contexts = Mapping[str, Context]


class ContextUnknownError(Exception):
    """A document names a context that is not kept here, or one that is none. The text is its address."""


@cache
def kept() -> Contexts:
    """Returns the contexts kept here, by address."""
    folder = resources.files(__package__) / "contexts"
    files = {
        file: Context(json.loads((folder / f"{file}.json").read_bytes())["@context"])
        for file in set(_FILES.values())
    }
    return {url: files[file] for url, file in _FILES.items()}


def bound(document: dict[str, Any], contexts: Contexts) -> dict[str, Any]:
    """Returns the document with what it uses of its contexts in their place.

    Raises ContextUnknownError.
    """
    words = set(_words(document))
    _complete(words, [contexts[url] for url in words & contexts.keys()])
    found: dict[str, Any] = _bound(document, contexts, words)
    return found


def _complete(words: set[str], contexts: list[Context]) -> None:
    """Adds the terms that what is named already is defined by."""
    fresh = set(words)
    while fresh:
        named = (context.named[term] for context in contexts for term in fresh & context.named.keys())
        fresh = set().union(*named) - words
        words |= fresh


def _bound(value: Any, contexts: Contexts, words: Set[str]) -> Any:
    if isinstance(value, list):
        return [_bound(item, contexts, words) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: [_SENTINEL, *_resolved(item, contexts, words)]
        if key == "@context"
        else _bound(item, contexts, words)
        for key, item in value.items()
    }


def _resolved(context: Any, contexts: Contexts, words: Set[str]) -> list[Any]:
    if isinstance(context, list):
        return [each for item in context for each in _resolved(item, contexts, words)]
    if isinstance(context, str):
        if context not in contexts:
            raise ContextUnknownError(context)
        return [_pruned(contexts[context].terms, words)]
    if not isinstance(context, dict) or "@import" in context or "@base" in context:
        raise ContextUnknownError("@context")
    return [context]


def _pruned(context: dict[str, Any], words: Set[str]) -> dict[str, Any]:
    """Returns a context without the terms that nothing names."""
    return {
        term: _narrowed(definition, words)
        for term, definition in context.items()
        if term in words or term.startswith("@")
    }


def _narrowed(definition: Any, words: Set[str]) -> Any:
    scoped = definition.get("@context") if isinstance(definition, dict) else None
    if not isinstance(scoped, dict):
        return definition
    return {**definition, "@context": _pruned(scoped, words)}


def _words(value: Any) -> Iterator[str]:
    """Yields every key and text of a document or definition, and what may be a prefix of one."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from (key, key.partition(":")[0])
            yield from _words(item)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, str):
        yield from (value, value.partition(":")[0])
