"""Small pictures of images that came without one, made by a job: one at a time, and while nobody waits."""

from __future__ import annotations

from functools import partial

from waymark.portfolio.v1.evidence_pb2 import Evidence

from services.platform.db.transaction import transaction
from services.portfolio.app import PortfolioApp
from services.portfolio.domain import images
from services.portfolio.pictures import drawing
from services.portfolio.store import evidence as store
from services.portfolio.store import locking, posters
from services.portfolio.store.vault import open_vault
from services.portfolio.waiting import each_waiting

MOST_BYTES = 25_000_000  # of an image; it is read into memory


def is_due(evidence: Evidence) -> bool:
    """True for a file of which a picture is to be made once it is stored and, where there is a scanner,
    found clean."""
    of_its_own = evidence.content_type in images.KINDS and evidence.size_bytes <= MOST_BYTES
    return of_its_own and not evidence.has_poster


def preview_the_rest(app: PortfolioApp) -> None:
    """Makes the pictures that are due, each tried once; an image that cannot be read stays without.

    Raises Refusal(UNAVAILABLE) while the store or the key service is away.
    """
    each_waiting(app, partial(store.to_preview, scanned=app.scanner is not None), _preview)


def _preview(app: PortfolioApp, holder: str, evidence_id: str) -> None:
    with transaction(app, read_only=True) as tx:
        evidence = store.EVIDENCE.get(tx, open_vault(tx, app.keys, holder), evidence_id)
    with app.objects.open(store.BUCKET, evidence_id, sha256=evidence.sha256) as stream:
        content = stream.read()
    image = drawing.small(evidence.content_type, content)
    with transaction(app) as tx:
        locking.enter(tx, holder)
        vault = open_vault(tx, app.keys, holder)
        # Nothing is due any more where the holder has set a picture meanwhile, or wants none.
        if store.end_preview(tx, evidence_id) and image:
            posters.write(tx, vault, evidence_id, image)
            store.EVIDENCE.noted(tx, vault, evidence_id, has_poster=True)
