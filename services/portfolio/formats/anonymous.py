"""A portfolio that does not say whose it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from waymark.portfolio.v1.holder_pb2 import Holder
from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio

from services.portfolio.domain import sharing

# What is shown; whatever is added to the contract stays hidden until it is named here. No date is, because
# dates of schools and first jobs tell the age.
FIELDS = (
    "entries.kind",
    "entries.title",
    "entries.organisation",
    "entries.place",
    "entries.description",
    "entries.education",
    "entries.work",
    "entries.language",
    "entries.driving_licence.categories",
    "skill_claims.concept_uri",
    "skill_claims.taxonomy_version",
    "skill_claims.label",
    "skill_claims.level",
    "skill_claims.source",
)
HIDDEN = "…"


def anonymised(portfolio: SharedPortfolio) -> SharedPortfolio:
    """Returns a copy without what tells who it is; names and addresses are taken out of texts."""
    shown = sharing.project(portfolio, FIELDS)
    own = sorted(_own(portfolio.holder), key=len, reverse=True)
    if not own:
        return shown
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, own))})(?!\w)", re.IGNORECASE)
    for entry in shown.entries:
        for field in ("title", "organisation", "place"):
            setattr(entry, field, pattern.sub(HIDDEN, getattr(entry, field)))
        for language, text in list(entry.description.items()):
            entry.description[language] = pattern.sub(HIDDEN, text)
    return shown


def _own(holder: Holder) -> Iterator[str]:
    """Yields what names the person: names and their parts of two letters and more, e-mail, telephone."""
    for name in (holder.given_name, holder.family_name):
        yield from (part for part in {name, *name.split()} if len(part) > 1)
    yield from filter(None, (holder.contact.email, holder.contact.phone))
