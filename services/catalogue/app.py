"""What one process of the catalogue holds: beside the platform's, the reader of the index."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from services.catalogue.feeding.puller import Puller
from services.catalogue.feeding.reporter import Reporter
from services.catalogue.imports.worker import Importer
from services.catalogue.metering import Meter
from services.catalogue.search.directory import Directory, Reader, Snapshot
from services.catalogue.search.exposure import Exposures
from services.catalogue.search.label_index import Labels, labels_directory
from services.catalogue.search.market import Market
from services.catalogue.search.naming import Naming
from services.catalogue.search.nearest import Nearest
from services.catalogue.shortage_book import ShortageBook
from services.catalogue.skill_book import SkillBook
from services.catalogue.skill_tagging import Finder
from services.catalogue.store import course_usage
from services.catalogue.tally import Tally
from services.platform.app import App
from services.platform.outgoing.addresses import Reach
from services.platform.seals import Seals
from services.platform.settings import Settings
from services.platform.signing import former_public_keys, signing_key

FEEDS = "catalogue-feeds.key"
SHORTAGE_KEY = "shortage-list.pem"


class CatalogueApp(App):
    """`shortage_key` signs shortage lists; `shortage_keys`: public keys by id, former ones too. `seals`: for
    credentials of feeds and secrets of reports. `skill_finder`: of the process that tags courses."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.shortage_key = signing_key(settings, SHORTAGE_KEY)
        former = former_public_keys(settings, SHORTAGE_KEY)
        self.shortage_keys = {self.shortage_key.id: self.shortage_key.public, **former}
        self.skill_finder: Finder | None = None
        self.seals = Seals("feeds", settings.secret(FEEDS, size=32), settings.former_secrets(FEEDS, size=32))

    @cached_property
    def shortages(self) -> ShortageBook:
        """Published shortage lists as answers need them."""
        return ShortageBook(self)

    @cached_property
    def skill_book(self) -> SkillBook:
        """Which skills occupations need."""
        return SkillBook(self)

    @property
    def feeds_reach(self) -> Reach:
        """Where feeds may be fetched: over plain http too, as long as no credentials go with it."""
        return replace(self.settings.reach, schemes=("https", "http"))

    @cached_property
    def puller(self) -> Puller:
        """What is being fetched; only the process that runs jobs fetches anything."""
        return Puller(self)

    @cached_property
    def importer(self) -> Importer:
        """Feeds that this process takes in; every process that runs jobs does."""
        return Importer(self)

    @cached_property
    def reporter(self) -> Reporter:
        """Reports on their way to partners, of the same process."""
        return Reporter(self)

    def close(self) -> None:
        """Gives back every connection."""
        for name in ("puller", "importer", "reporter", "nearest"):
            if self.__dict__.get(name) is not None:
                getattr(self, name).close()
        super().close()

    @cached_property
    def reader(self) -> Reader[Snapshot]:
        """Follows the index on disk."""
        return Reader(Directory(self.settings.index_dir), Snapshot.of)

    @cached_property
    def labels(self) -> Reader[Labels]:
        """Follows the index of labels on disk."""
        return Reader(labels_directory(self.settings.index_dir), Labels)

    @cached_property
    def nearest(self) -> Nearest | None:
        """Finds courses by meaning; None where that is off."""
        return Nearest(self.settings) if self.settings.embeddings_url else None

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

    @cached_property
    def exposures(self) -> Exposures:
        """What this process has shown."""
        return Exposures()

    def forget_indexes(self) -> None:
        """Drops the views of the indexes, one of which turned out damaged, and asks for both anew."""
        self.reader.forget()
        self.labels.forget()
