"""The files the journey takes: samples written for this project, or real ones from a folder beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.cli.exits import ExitCode, Failure

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
OCCUPATION = "7212"  # ISCO-08: welders and flame cutters; short in both lists, taught by the sample partner
REGION = "BE2"
PLACE = "BE211"


@dataclass(frozen=True)
class Taxonomy:
    """Files of the classification and the version they hold."""

    version: str
    occupations: Path
    groups: Path
    labels: Path | None = None  # names in another language, for lists that give names only

    @property
    def files(self) -> tuple[Path, ...]:
        """All files there are."""
        return tuple(path for path in (self.groups, self.occupations, self.labels) if path)


@dataclass(frozen=True)
class Data:
    """Files of one walk.

    `partner_feed` is the accredited partner's CSV, `other_feed` another provider's XCRI-CAP 1.2 without
    accreditation, `large_feed` a real one of a national provider (None on samples).
    """

    taxonomy: Taxonomy
    shortage_draft: Path
    shortage_list: Path
    names_only: bool
    partner_feed: Path
    other_feed: Path
    large_feed: Path | None
    programme: Path
    facts_out_of_work: Path = SAMPLES / "facts" / "out-of-work.json"
    facts_in_work: Path = SAMPLES / "facts" / "in-work.json"

    @classmethod
    def find(cls, folder: Path | None) -> Data:
        """The files below `folder`, or the samples when it is None; raises Failure naming a missing one."""
        found = cls._samples() if folder is None else cls._real(folder)
        wanted = (*found.taxonomy.files, found.shortage_draft, found.shortage_list, found.partner_feed)
        for path in (*wanted, found.other_feed, found.programme, found.large_feed):
            if path and not path.is_file():
                raise Failure(
                    ExitCode.USAGE,
                    f"{path} is missing.",
                    remedy="Give --data a folder with taxonomy/, shortage/ and feeds/, or leave it out.",
                )
        return found

    @classmethod
    def _samples(cls) -> Data:
        taxonomy = Taxonomy(
            version="sample-1",
            occupations=SAMPLES / "taxonomy" / "occupations_en.csv",
            groups=SAMPLES / "taxonomy" / "ISCOGroups_en.csv",
        )
        return cls(
            taxonomy=taxonomy,
            shortage_draft=SAMPLES / "shortage" / "with-mistakes.csv",
            shortage_list=SAMPLES / "shortage" / "shortage-list.csv",
            names_only=False,
            partner_feed=SAMPLES / "feeds" / "harbour-crafts.csv",
            other_feed=SAMPLES / "feeds" / "quayside-evening-school.xml",
            large_feed=None,
            programme=SAMPLES / "programmes" / "shortage-training.json",
        )

    @classmethod
    def _real(cls, folder: Path) -> Data:
        esco = folder / "taxonomy" / "esco-1.1.1"
        taxonomy = Taxonomy(
            version="1.1.1",
            occupations=esco / "occupations_en.csv",
            groups=esco / "ISCOGroups_en.csv",
            labels=SAMPLES / "taxonomy" / "isco08_labels_nl.csv",
        )
        vdab = folder / "shortage" / "vdab-bottleneck-occupations-2026.csv"
        samples = cls._samples()
        return cls(
            taxonomy=taxonomy,
            shortage_draft=vdab,
            shortage_list=vdab,
            names_only=True,
            partner_feed=samples.partner_feed,
            other_feed=samples.other_feed,
            large_feed=folder / "feeds" / "xcri-cap-1.2" / "ou-conversion.xml",
            programme=samples.programme,
        )
