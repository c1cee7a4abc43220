"""What one process of the catalogue holds: beside the platform's, the reader of the index."""

from __future__ import annotations

from functools import cached_property

from services.catalogue.search.directory import Directory, Reader, Snapshot
from services.catalogue.search.exposure import Exposures
from services.catalogue.search.label_index import Labels, labels_directory
from services.catalogue.search.market import Market
from services.catalogue.search.naming import Naming
from services.platform.app import App


class CatalogueApp(App):
    """App of the catalogue."""

    @cached_property
    def reader(self) -> Reader[Snapshot]:
        """Follows the index on disk."""
        return Reader(Directory(self.settings.index_dir), Snapshot.of)

    @cached_property
    def labels(self) -> Reader[Labels]:
        """Follows the index of labels on disk."""
        return Reader(labels_directory(self.settings.index_dir), Labels)

    @cached_property
    def market(self) -> Market:
        """Organisations and shortages as searches need them."""
        return Market(self)

    @cached_property
    def naming(self) -> Naming:
        """Finds the concepts that a phrase names."""
        return Naming()

    @cached_property
    def exposures(self) -> Exposures:
        """What this process has shown."""
        return Exposures()

    def forget_indexes(self) -> None:
        """Drops the views of the indexes, one of which turned out damaged, and asks for both anew."""
        self.reader.forget()
        self.labels.forget()
