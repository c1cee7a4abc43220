"""What one process of the catalogue holds: beside the platform's, the reader of the index."""

from __future__ import annotations

from functools import cached_property

from services.catalogue.metering import Meter
from services.catalogue.search.directory import Directory, Reader
from services.catalogue.search.market import Market
from services.catalogue.search.naming import Naming
from services.catalogue.shortage_book import ShortageBook
from services.platform.app import App
from services.platform.settings import Settings
from services.platform.signing import former_public_keys, signing_key

SHORTAGE_KEY = "shortage-list.pem"


class CatalogueApp(App):
    """`shortage_key` signs shortage lists; `shortage_keys`: public keys by id, former ones too."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.shortage_key = signing_key(settings, SHORTAGE_KEY)
        former = former_public_keys(settings, SHORTAGE_KEY)
        self.shortage_keys = {self.shortage_key.id: self.shortage_key.public, **former}

    @cached_property
    def shortages(self) -> ShortageBook:
        """Published shortage lists as answers need them."""
        return ShortageBook(self)

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
    def naming(self) -> Naming:
        """Finds the concepts that a phrase names."""
        return Naming()
