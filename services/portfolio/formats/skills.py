"""Skills as documents name them: by a word, where a portfolio has a concept."""

from __future__ import annotations

from urllib.parse import quote

from waymark.portfolio.v1.skill_claim_pb2 import SKILL_SOURCE_SELF, SkillClaim, SkillLevel

from services.portfolio.formats.fitting import fit
from services.portfolio.formats.format import Read

# Concept of a skill that no taxonomy named: one of a person's own words, the same for the same word.
OWN = "urn:waymark:skill:"


def add(found: Read, claim: SkillClaim, language: str, path: str) -> None:
    """Adds a claim to what was read, as the person's own: whoever else said so does not say it here.

    One that names no concept gets the one of its label; without a label it is told as left.
    """
    claim.source = SKILL_SOURCE_SELF
    label = " ".join(claim.label.get(language, "").lower().split())
    if not claim.concept_uri and label:
        claim.concept_uri = f"{OWN}{language.lower()}:{quote(label, safe='')}"
    found.left += fit(claim, path)
    if claim.concept_uri:
        found.portfolio.skill_claims.append(claim)
    else:
        found.left[f"{path}.concept_uri"] += 1


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
