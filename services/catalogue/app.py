"""What one process of the catalogue holds: beside the platform's, the reader of the index."""

from __future__ import annotations

import os
from functools import cached_property
from threading import BoundedSemaphore

from services.catalogue.search.directory import Directory, Reader
from services.catalogue.search.market import Market
from services.platform.app import App


class CatalogueApp(App):
    """App of the catalogue."""

    @cached_property
    def reader(self) -> Reader:
        """Follows the index on disk."""
        return Reader(Directory(self.settings.index_dir))

    @cached_property
    def turns(self) -> BoundedSemaphore:
        """As many searches at a time as there are processors. More would share them, each wait for the
        interpreter at every step into the index, and all be answered later."""
        return BoundedSemaphore(processors())

    @cached_property
    def market(self) -> Market:
        """Organisations and shortages as searches need them."""
        return Market(self)


def processors() -> int:
    """Returns how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
