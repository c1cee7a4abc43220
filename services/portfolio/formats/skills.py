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


def add(found: Read, claim: SkillClaim, language: str, path: str) -> bool:
    """Adds a claim to what was read, as the person's own: whoever else said so does not say it here.

    One that names no concept gets the one of its label; without a label it is told as left: False.
    """
    claim.source = SKILL_SOURCE_SELF
    label = plain(claim.label.get(language, ""))
    if not claim.concept_uri and label:
        claim.concept_uri = f"{OWN}{language.lower()}:{quote(label, safe='')}"
    found.left += fit(claim, path)
    if not claim.concept_uri:
        found.left[f"{path}.concept_uri"] += 1
        return False
    found.portfolio.skill_claims.append(claim)
    return True


class Known:
    """Claims that are there, for what a document brings."""

    def __init__(self, claims: Iterable[SkillClaim]) -> None:
        self._concepts: dict[str, SkillClaim] = {}
        self._labels: dict[str, SkillClaim] = {}
        for claim in claims:
            self.add(claim)

    def add(self, claim: SkillClaim) -> None:
        """Notes one more claim. What others attested says what the person's own would; it stands for it only
        by its label."""
        if claim.source == SKILL_SOURCE_SELF:
            self._concepts.setdefault(claim.concept_uri, claim)
        for label in map(plain, claim.label.values()):
            self._labels.setdefault(label, claim)

    def find(self, claim: SkillClaim) -> SkillClaim | None:
        """Returns the one that is there: by its concept; for a word that names none also by any label."""
        if claim.concept_uri in self._concepts or not claim.concept_uri.startswith(OWN):
            return self._concepts.get(claim.concept_uri)
        labels = sorted(map(plain, claim.label.values()))
        return next((self._labels[label] for label in labels if label in self._labels), None)


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
