"""Skills as documents name them: by a word, where a portfolio has a concept."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from waymark.portfolio.v1.skill_claim_pb2 import SKILL_SOURCE_SELF, SkillClaim, SkillLevel

from services.portfolio.domain.sameness import plain
from services.portfolio.formats.fitting import fit
from services.portfolio.formats.format import Read

# Concept of a skill that no taxonomy named: one of a person's own words, the same for the same word.
OWN = "urn:waymark:skill:"


def add(found: Read, claim: SkillClaim, language: str, path: str) -> None:
    """Adds a claim to what was read, as the person's own: whoever else said so does not say it here.

    One that names no concept gets the one of its label; without a label it is told as left.
    """
    claim.source = SKILL_SOURCE_SELF
    label = plain(claim.label.get(language, ""))
    if not claim.concept_uri and label:
        claim.concept_uri = f"{OWN}{language.lower()}:{quote(label, safe='')}"
    found.left += fit(claim, path)
    if claim.concept_uri:
        found.portfolio.skill_claims.append(claim)
    else:
        found.left[f"{path}.concept_uri"] += 1


class Known:
    """Claims that are there, for what a document brings."""

    def __init__(self, claims: Iterable[SkillClaim]) -> None:
        self._concepts: set[str] = set()
        self._labels: set[str] = set()
        for claim in claims:
            self.add(claim)

    def add(self, claim: SkillClaim) -> None:
        """Notes one more claim. What others attested says what the person's own would; it stands for it only
        by its label."""
        if claim.source == SKILL_SOURCE_SELF:
            self._concepts.add(claim.concept_uri)
        self._labels.update(map(plain, claim.label.values()))

    def has(self, claim: SkillClaim) -> bool:
        """Returns whether it is there: by its concept; a word that names none also by any label."""
        if claim.concept_uri in self._concepts:
            return True
        own = claim.concept_uri.startswith(OWN)
        return own and any(plain(label) in self._labels for label in claim.label.values())


def level_word(level: int) -> str:
    """`Foundation` to `Expert`; "" for none."""
    name = SkillLevel.Name(level)  # type: ignore[arg-type]
    return name.removeprefix("SKILL_LEVEL_").capitalize() if level else ""


def level_of(word: str) -> int:
    """Returns the level of a word of `level_word` or of one that is used alike, 0 for any other."""
    word = _ALIKE.get(word.lower(), word)
    return dict(SkillLevel.items()).get(f"SKILL_LEVEL_{word.upper()}", 0)


_ALIKE = {
    "beginner": "foundation",
    "basic": "foundation",
    "intermediate": "independent",
    "master": "expert",
}
