"""The names of concepts by scheme and language, made when first asked for and kept."""

from __future__ import annotations

import threading
from collections import OrderedDict

from sqlalchemy import Connection
from waymark.errors.v1 import reason_pb2

from services.catalogue.domain.naming import Names
from services.catalogue.store import taxonomies
from services.platform.errors import Refusal

KEPT = 4  # languages of schemes at a time: ESCO's skills take 60 MiB each


class Naming:
    """Threads share it. Whoever comes while names are made (2 to 3 s for ESCO's skills) waits for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, str, int], Names] = OrderedDict()

    def names(self, connection: Connection, scheme: str, language: str) -> tuple[str, Names]:
        """Returns the version of a scheme in use with its names; made anew once labels are added.

        Raises:
            Refusal(NOT_FOUND): there is no such scheme, or it has no labels in this language.
        """
        version = taxonomies.in_use(connection).get(scheme, "")
        row = taxonomies.find_version(connection, scheme, version)
        if row is None or language not in row.languages:
            raise Refusal(
                reason_pb2.REASON_NOT_FOUND,
                f"No imported version of {scheme} has labels in the language {language!r}.",
            )
        key = scheme, language, version, row.label_count
        with self._lock:
            if key not in self._kept:
                self._kept[key] = Names(taxonomies.named(connection, scheme, version, language), language)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return version, self._kept[key]
