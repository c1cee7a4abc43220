"""A portfolio that does not say whose it is."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote

from waymark.portfolio.v1.share_link_pb2 import SharedPortfolio

from services.portfolio.domain import sharing
from services.portfolio.formats.naming import Naming

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


def anonymised(portfolio: SharedPortfolio) -> SharedPortfolio:
    """Returns a copy without what tells who it is; what names the holder is taken out of texts, and a web
    address that does, as of a skill in the person's own words, is left out."""
    shown, naming = sharing.project(portfolio, FIELDS), Naming(portfolio.holder)
    for entry in shown.entries:
        for field in ("title", "organisation", "place"):
            setattr(entry, field, naming.without(getattr(entry, field)))
        _say_nobody(entry.description, naming)
        if entry.HasField("education"):
            _point_to_nobody(entry.education, "qualification_uri", naming)
        if entry.HasField("work"):
            _point_to_nobody(entry.work, "occupation_uri", naming)
    for claim in shown.skill_claims:
        claim.taxonomy_version = naming.without(claim.taxonomy_version)
        _say_nobody(claim.label, naming)
        _point_to_nobody(claim, "concept_uri", naming)
    return shown


def _say_nobody(texts: MutableMapping[str, str], naming: Naming) -> None:
    for language, text in list(texts.items()):
        texts[language] = naming.without(text)


def _point_to_nobody(message: Any, field: str, naming: Naming) -> None:
    if naming.within(unquote(getattr(message, field))):
        message.ClearField(field)
