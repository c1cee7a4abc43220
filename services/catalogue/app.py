"""What one process of the catalogue holds: beside the platform's, the reader of the index."""

from __future__ import annotations

from functools import cached_property

from services.catalogue.metering import Meter
from services.catalogue.search.directory import Directory, Reader
from services.catalogue.search.market import Market
from services.catalogue.search.naming import Naming
from services.catalogue.store import course_usage
from services.catalogue.tally import Tally
from services.platform.app import App


class CatalogueApp(App):
    """App of the catalogue."""

    @cached_property
    def reader(self) -> Reader:
        """Follows the index on disk."""
        return Reader(Directory(self.settings.index_dir))

    @cached_property
    def market(self) -> Market:
        """Organisations and shortages as searches need them."""
        return Market(self)

    @cached_property
    def meter(self) -> Meter:
        """Lets calls with an API key pass, and counts them."""
        return Meter(self.settings.database_url)

    @cached_property
    def views(self) -> Tally[str]:
        """Counts how often courses are looked at, by id."""
        return Tally(course_usage.add_views)

    @cached_property
    def naming(self) -> Naming:
        """Finds the concepts that a phrase names."""
        return Naming()
