"""Has texts embedded: by the server that WAYMARK_EMBEDDINGS_URL names, in the form of the OpenAI API."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from http.client import HTTPResponse
from typing import Literal
from urllib.parse import urlsplit

from services.platform.outgoing.addresses import Reach
from services.platform.outgoing.calling import CallError, answered

LARGEST = 16 * 1024 * 1024  # bytes of an answer
DEEPEST = 2000  # numbers of a vector, as many as an index of pgvector takes
Vector = list[float]


class EmbeddingError(Exception):
    """The server for embeddings gave no vectors; says why, and nothing of what was asked."""


class Embedder:
    """The server for embeddings. It gets the words of searches, so nothing here keeps or logs them."""

    def __init__(self, url: str, model: str) -> None:
        self._url, self._model = f"{url}/embeddings", model
        # The operator's own choice, so it may well be inside.
        self._reach = Reach(("https", "http"), frozenset({(urlsplit(url).hostname or "").lower()}))

    def embed(
        self, texts: Sequence[str], purpose: Literal["query", "passage"], seconds: float
    ) -> list[Vector]:
        """Returns a vector for each text, all of one length, within `seconds`; raises EmbeddingError.

        `purpose`: many models embed what is searched for other than what is found; a server that knows no
        such difference leaves it out.
        """
        body = {"model": self._model, "input": list(texts), "input_type": purpose, "encoding_format": "float"}
        content = json.dumps(body).encode()
        headers = {"content-type": "application/json", "content-length": str(len(content))}
        try:
            with answered(
                self._reach, "POST", self._url, headers, content, silence=seconds, seconds=seconds
            ) as response:
                if response.status != 200:
                    raise EmbeddingError(f"HTTP {response.status}")
                told = _body(response)
        except CallError as error:
            raise EmbeddingError(error.code) from error
        return _vectors(told, len(texts))


def _body(response: HTTPResponse) -> bytes:
    told = bytearray()
    while part := response.read1(65536):
        told += part
        if len(told) > LARGEST:
            raise EmbeddingError("too long an answer")
    return bytes(told)


def _vectors(told: bytes, count: int) -> list[Vector]:
    try:
        data = sorted(json.loads(told)["data"], key=lambda each: int(each["index"]))
        found = [[float(number) for number in each["embedding"]] for each in data]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EmbeddingError("an answer in another form") from error
    sizes = {len(vector) for vector in found}
    if len(found) != count or len(sizes) != 1 or not 0 < max(sizes) <= DEEPEST:
        raise EmbeddingError(f"not one vector of 1 to {DEEPEST} numbers for each text")
    if not all(math.isfinite(number) for vector in found for number in vector):
        raise EmbeddingError("numbers that are none")
    return found
