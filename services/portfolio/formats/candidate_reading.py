"""Reads the Candidate document of Europass (HR-XML 3): elements by their names, in any order.

What has no place in a portfolio is told by its path.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, BinaryIO

from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import Entry
from waymark.portfolio.v1.holder_pb2 import Holder
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.portfolio.domain.sameness import plain
from services.portfolio.formats import candidate, candidate_back, languages, markup, skills
from services.portfolio.formats.candidate_aside import keep
from services.portfolio.formats.candidate_entries import (
    certifications,
    education,
    employments,
    licences,
    listed,
    publications,
)
from services.portfolio.formats.candidate_person import language_of, mother_tongues, person
from services.portfolio.formats.candidate_values import MOST_MARKUP, Made, each, first, text_of
from services.portfolio.formats.fitting import fit
from services.portfolio.formats.format import DocumentBrokenError, Format, Read
from services.portfolio.formats.texts import of_markup
from services.portfolio.formats.trees import Tree

# Sections without a kind of their own, by the nearest kind; which section it was is then told.
_NEAR = {
    "CourseCertifications": ("CourseCertification", entries.ENTRY_KIND_CERTIFICATE),
    "CreativeWorks": ("CreativeWork", entries.ENTRY_KIND_PUBLICATION),
    "ConferencesAndSeminars": ("ConferenceAndSeminar", entries.ENTRY_KIND_PUBLICATION),
    "NetworksAndMemberships": ("NetworkAndMembership", entries.ENTRY_KIND_INTEREST),
    "SocialAndPoliticalActivities": ("SocialAndPoliticalActivity", entries.ENTRY_KIND_INTEREST),
}
# Sections of skills that have a title; what is told of each in prose claims nothing.
_TITLED_SKILLS = {
    "CommunicationAndInterpersonalSkills": "CommunicationAndInterpersonalSkill",
    "ManagementAndLeadershipSkills": "ManagementAndLeadershipSkill",
    "OrganisationalSkills": "OrganisationalSkill",
}
_OF_THE_FILE = (
    "DocumentID",
    "AlternateDocumentID",
    "CandidateSupplier",
    "RenderingInformation",
    "schemaLocation",
    "majorVersionID",
    "minorVersionID",
)
_PROFILE = "CandidateProfile"
_SUMMARY = 5_000  # characters


def read(file: BinaryIO, language: str) -> Read:
    """Reads a document; `language`: of its texts when it names none. Raises DocumentBrokenError."""
    return read_root(markup.root_of(file), language)


def read_root(root: Any, language: str) -> Read:
    """The same of its root element."""
    if markup.local(root) != candidate.ROOT:
        raise DocumentBrokenError(f"no {candidate.ROOT}")
    tree = Tree(markup.tree_of(root))
    tree.take(*_OF_THE_FILE)
    profiles, owner = tree.trees(_PROFILE), tree.tree("CandidatePerson")
    profile = profiles[0] if profiles else Tree({})  # others say the same in other languages, and are told
    language = profile.text("languageCode", 35) or language
    found = Read()
    holder = person(owner)
    _note_summary(holder, profile, language)
    found.left += fit(holder, "CandidatePerson")
    if holder.ListFields():
        found.portfolio.holder.CopyFrom(holder)
    tongues = mother_tongues(owner, language)
    made = _read_profile(profile, found, tongues, language)
    found.left += tree.left()
    found.left = _tidy(found.left)
    keep(root, made, found, language)
    return found


def _note_summary(holder: Holder, profile: Tree, language: str) -> None:
    said = text_of(profile, "ExecutiveSummary", MOST_MARKUP)
    summary = of_markup(said)
    if len(summary) > _SUMMARY:
        profile.leave("ExecutiveSummary", said)
    if summary:
        holder.summary[language] = summary[:_SUMMARY]


def _read_profile(profile: Tree, found: Read, tongues: list[Entry], language: str) -> list[Made]:
    """Adds what a profile says to what was found; returns of which elements it was made."""
    profile.take("ID")
    spoken, claims = _competencies(profile, tongues, language)
    made = {
        "EmploymentHistory": [*employments(profile, language)],
        "EducationHistory": [*education(profile, language)],
        "Licenses": [*licences(profile)],
        "Certifications": [*certifications(profile, language)],
        "PublicationHistory": [*publications(profile, language)],
        "PersonQualifications": [*map(Made, tongues), *spoken],
    }
    for section, (one, kind) in candidate.LISTED.items():
        made[section] = [*listed(profile.tree(section), one, kind, language)]
    for section, (one, kind) in _NEAR.items():
        made[section] = [*listed(profile.tree(section), one, kind, language)]
        found.left[f"{_PROFILE}.{section}.{one}"] += len(made[section])
    # A section of the person's own, whose title is left and so told.
    others = each(profile, "Others")
    made["Others"] = [
        item for other in others for item in listed(other, "Other", entries.ENTRY_KIND_INTEREST, language)
    ]
    for section, several in made.items():
        for entry in {id(item.part): item.part for item in several}.values():
            found.left += fit(entry, f"{_PROFILE}.{section}")
            entry.name = f"entry/{len(found.portfolio.entries)}"
            found.portfolio.entries.append(entry)
    claims += _skills(profile, language)
    for number, (path, claim) in enumerate(claims):
        claim.part.name = f"skill/{number}"
        skills.add(found, claim.part, language, f"{_PROFILE}.{path}")
    return [item for several in made.values() for item in several] + [claim for _, claim in claims]


def _competencies(
    profile: Tree, tongues: list[Entry], language: str
) -> tuple[list[Made], list[tuple[str, Made]]]:
    """Returns languages and, with their paths, skills; the levels of a mother tongue go to it."""
    spoken: list[Made] = []
    claims: list[tuple[str, Made]] = []
    for item in each(profile.tree("PersonQualifications"), "PersonCompetency"):
        taxonomy = first(item, "TaxonomyID")
        if taxonomy.text("text").casefold() == "language":
            entry = language_of(item, language)
            native = next((one for one in tongues if _tongue(one) == _tongue(entry)), None)
            if native is not None:
                entry.language.native = True
                native.MergeFrom(entry)
            spoken.append(Made(entry if native is None else native, item.element))
        else:
            version = taxonomy.text("schemeVersionID", 100)
            claims.append(("PersonQualifications", Made(_claim(item, version, language), item.element)))
    return spoken, claims


def _tongue(entry: Entry) -> tuple[str, str]:
    """Returns which language an entry is about: its code, and its name where it has none."""
    code = entry.language.language_code
    return code, plain(entry.title) if code == languages.UNKNOWN else ""


def _claim(item: Tree, version: str, language: str) -> SkillClaim:
    """Returns a skill of a competency: its concept where its id is an address, and its name or id."""
    identifier, name = text_of(item, "CompetencyID", 2000), text_of(item, "CompetencyName", 500)
    concept = identifier if ":" in identifier and " " not in identifier else ""
    claim = SkillClaim(concept_uri=concept, taxonomy_version=version)
    if label := name or ("" if concept else identifier[:500]):
        claim.label[language] = label
    proficiency = first(item, "ProficiencyLevel")
    word = text_of(proficiency, "ScoreText")
    claim.level = skills.level_of(word)  # type: ignore[assignment]  # one of the levels, as a number
    if not claim.level:
        proficiency.leave("ScoreText", word)
    return claim


def _skills(profile: Tree, language: str) -> list[tuple[str, Made]]:
    """Returns, with their paths, the skills of all sections but PersonQualifications."""
    found: list[tuple[str, Made]] = []
    section = profile.tree("Skills")
    for group in [section, *each(section, "SkillsGroup")]:
        for item in each(group, "PersonCompetency"):
            item.take("TaxonomyID")  # Digital_Skill, always
            found.append(("Skills", Made(_claim(item, "", language), item.element)))
    for group in each(profile.tree("DigitalSkills"), "DigitalSkillsGroup"):
        for item in each(group, "DigitalSkill"):
            if word := item.text("text", 500):
                found.append(("DigitalSkills", Made(SkillClaim(label={language: word}), item.element)))
    for name, one in _TITLED_SKILLS.items():
        for item in each(profile.tree(name), one):
            if word := text_of(item, "Title", 500):
                found.append((name, Made(SkillClaim(label={language: word}), item.element)))
    return found


def _tidy(left: Counter[str]) -> Counter[str]:
    """Returns paths of elements where they end in the text of one."""
    tidied: Counter[str] = Counter()
    for path, count in left.items():
        tidied[path.removesuffix(".text")] += count
    return tidied


FORMAT = Format("application/xml", candidate_back.write, read, left_out=candidate_back.left_out)
