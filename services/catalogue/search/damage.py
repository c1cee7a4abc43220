"""Tells a damaged index from every other failure: only what Tantivy raises when it is asked counts.

An error of our own must never look like damage, else whoever brings it about has the index built anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import tantivy

Given = ParamSpec("Given")
Answered = TypeVar("Answered")


class IndexDamaged(Exception):
    """The index cannot be read; it has to be rebuilt."""


def is_damage(error: BaseException) -> bool:
    """True for what Tantivy raises when it meets files it cannot read; a panic of it is no Exception."""
    return isinstance(error, ValueError | OSError) or type(error).__module__ == "pyo3_runtime"


def told(call: Callable[Given, Answered]) -> Callable[Given, Answered]:
    """Returns a call of Tantivy that raises IndexDamaged where it meets damage."""

    def asked(*given: Given.args, **named: Given.kwargs) -> Answered:
        try:
            return call(*given, **named)
        except BaseException as error:
            if not is_damage(error):
                raise
            raise IndexDamaged(str(error)) from error

    return asked


class _Guarded:
    def __init__(self, searcher: tantivy.Searcher) -> None:
        self.search = told(searcher.search)
        self.aggregate = told(searcher.aggregate)
        self.doc = told(searcher.doc)
        self.doc_freq = told(searcher.doc_freq)
        self.terms_with_prefix = told(searcher.terms_with_prefix)


def guarded(searcher: tantivy.Searcher) -> tantivy.Searcher:
    """Returns the searcher, as far as searches ask it, with damage told as IndexDamaged."""
    return cast(tantivy.Searcher, _Guarded(searcher))
