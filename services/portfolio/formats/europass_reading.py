"""Reads the tree of a Europass CV; CVs of 3.x are alike in what is read."""

from __future__ import annotations

import re
from typing import Any

from google.type.date_pb2 import Date
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import EducationDetail, Entry, LanguageDetail
from waymark.portfolio.v1.holder_pb2 import Contact, Holder
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.portfolio.formats import languages, skills
from services.portfolio.formats.europass import ACHIEVEMENTS, COUNTRIES, STATEMENT
from services.portfolio.formats.fitting import fit
from services.portfolio.formats.format import Read
from services.portfolio.formats.texts import MAX_TEXT, of_markup, primary
from services.portfolio.formats.trees import Tree

_OF_UNION = {union: iso for iso, union in COUNTRIES.items()}
_MARKUP = 40_000  # characters of a text with its tags
_LIST = re.compile(r"<ul>(?:<li>([^<>]|<br/>)*</li>)+</ul>")
_ITEM = re.compile(r"<li>(.*?)</li>")
# What stands where only a label tells, by the nearest kind; the code itself is then told as left.
_NEAR = {
    "presentations": entries.ENTRY_KIND_PUBLICATION,
    "citations": entries.ENTRY_KIND_PUBLICATION,
    "conferences": entries.ENTRY_KIND_PUBLICATION,
    "memberships": entries.ENTRY_KIND_INTEREST,
    "references": entries.ENTRY_KIND_INTEREST,
    "signature_equivalent": entries.ENTRY_KIND_INTEREST,
}
_KINDS = {code: kind for kind, code in ACHIEVEMENTS.items()}


def read_tree(root: dict[str, Any], language: str) -> Read:
    """Reads a `SkillsPassport`; `language`: of its texts when it names none, or names it without region and
    writing, for which it has no place."""
    tree, found = Tree(root), Read()
    said = tree.text("Locale", 35) or tree.text("locale", 35)
    if said and said.lower() != primary(language):
        language = said
    tree.take("DocumentInfo", "PrintingPreferences", "schemaLocation")  # of the file, not of the person
    learner = tree.tree("LearnerInfo")
    holder = _holder(learner.tree("Identification"), learner.tree("Headline"), language)
    found.left += fit(holder, "LearnerInfo.Identification")
    if holder.ListFields():
        found.portfolio.holder.CopyFrom(holder)
    made = [_work(each, language) for each in learner.trees("WorkExperience")]
    made += [_education(each, language) for each in learner.trees("Education")]
    _read_skills(learner.tree("Skills"), found, made, language)
    made += [_achievement(each, language) for each in learner.trees("Achievement")]
    for entry in made:
        found.left += fit(entry, "LearnerInfo")
    found.portfolio.entries.extend(made)
    found.left += tree.left()
    return found


def _holder(identification: Tree, headline: Tree, language: str) -> Holder:
    name, demographics = identification.tree("PersonName"), identification.tree("Demographics")
    holder = Holder(given_name=name.text("FirstName"), family_name=name.text("Surname"))
    if born := _date(demographics.tree("Birthdate")):
        holder.birth_date.CopyFrom(born)
    contact = _contact(identification.tree("ContactInfo"))
    if contact.ListFields():
        holder.contact.CopyFrom(contact)
    kind = headline.tree("Type")
    code = kind.text("Code")
    if code != STATEMENT:
        kind.leave("Code", code)
    elif said := headline.tree("Description").text("Label", 5000):
        holder.summary[language] = said
    return holder


def _contact(info: Tree) -> Contact:
    address = info.tree("Address").tree("Contact")
    country = address.tree("Country")
    code = country.text("Code")
    if code:
        country.take("Label")  # says the same in words
    phones = info.trees("Telephone")
    lines = [address.text("AddressLine", 1600), address.text("AddressLine2", 1600)]
    return Contact(
        email=info.tree("Email").text("Contact"),
        phone=phones[0].text("Contact") if phones else "",
        address_lines=[part.strip() for line in lines for part in line.split("\n") if part.strip()],
        postal_code=address.text("PostalCode"),
        locality=address.text("Municipality"),
        region_code=_OF_UNION.get(code, code),
    )


def _work(item: Tree, language: str) -> Entry:
    entry = Entry(kind=entries.ENTRY_KIND_WORK, title=item.tree("Position").text("Label"))
    _common(item, entry, item.tree("Employer"), language)
    return entry


def _education(item: Tree, language: str) -> Entry:
    entry = Entry(kind=entries.ENTRY_KIND_EDUCATION, title=item.text("Title"))
    level = item.tree("Level")
    if (code := level.text("Code")) in set("12345678"):
        entry.education.CopyFrom(EducationDetail(eqf_level=int(code)))
        level.take("Label")
    elif code:
        level.leave("Code", code)
    _common(item, entry, item.tree("Organisation"), language)
    return entry


def _achievement(item: Tree, language: str) -> Entry:
    title = item.tree("Title")
    code = title.text("Code")
    kind = _KINDS.get(code)
    if kind is None:
        kind = _NEAR.get(code, entries.ENTRY_KIND_CERTIFICATE)
        title.leave("Code", code)
    entry = Entry(kind=kind, title=title.text("Label"))
    _describe(entry, item, "Description", language)
    return entry


def _common(item: Tree, entry: Entry, organisation: Tree, language: str) -> None:
    period = item.tree("Period")
    for field, date in (("start_date", period.tree("From")), ("end_date", period.tree("To"))):
        if day := _date(date):
            getattr(entry, field).CopyFrom(day)
    period.take("Current")  # an end says it, or that there is none
    entry.organisation = organisation.text("Name")
    info = organisation.tree("ContactInfo")
    entry.place = info.tree("Address").tree("Contact").text("Municipality", 200)
    website = info.tree("Website")
    entry.uri = website.text("Contact", 2000)
    if entry.uri:
        website.take("Use")  # `business`, always
    _describe(entry, item, "Activities", language)


def _describe(entry: Entry, item: Tree, key: str, language: str) -> None:
    markup = item.text(key, _MARKUP)
    text = of_markup(markup)
    if len(text) > MAX_TEXT:
        item.leave(key, markup)
    if text:
        entry.description[language] = text[:MAX_TEXT]


def _read_skills(tree: Tree, found: Read, made: list[Entry], language: str) -> None:
    linguistic = tree.tree("Linguistic")
    made += [_language(each, language, native=True) for each in linguistic.trees("MotherTongue")]
    made += [_language(each, language, native=False) for each in linguistic.trees("ForeignLanguage")]
    categories = tree.tree("Driving").tree("Description").texts("Licence")
    if categories:
        licence = Entry(kind=entries.ENTRY_KIND_DRIVING_LICENCE)
        licence.driving_licence.categories.extend(dict.fromkeys(categories))
        made.append(licence)
    related = tree.tree("JobRelated")
    said = related.text("Description", 400_000)
    if not _LIST.fullmatch(said):
        related.leave("Description", said)  # prose of a person names no skill that could be claimed
        return
    for item in _ITEM.findall(said):
        claim = SkillClaim(label={language: of_markup(item)})
        skills.add(found, claim, language, "LearnerInfo.Skills.JobRelated")


def _language(item: Tree, language: str, *, native: bool) -> Entry:
    said = item.tree("Description")
    code, label = said.text("Code", 35), said.text("Label")
    detail = LanguageDetail(language_code=code or languages.code_of(label, language), native=native)
    levels = item.tree("ProficiencyLevel")
    for skill in languages.SKILLS:
        key = skill.title().replace("_", "")
        name = levels.text(key)
        if level := languages.level_of(name):
            setattr(detail, skill, level)
        elif name:
            levels.leave(key, name)
    return Entry(kind=entries.ENTRY_KIND_LANGUAGE, title=label, language=detail)


def _date(tree: Tree) -> Date | None:
    """Returns a date of JSON (`{"Year": 1940}`) or XML (`year="1940" month="--03" day="---10"`)."""
    parts = [
        (tree.text(key, 8) or tree.text(key.lower(), 8)).lstrip("-").partition(".")[0]
        for key in ("Year", "Month", "Day")
    ]
    if not all(part.isascii() and (part.isdigit() or not part) for part in parts) or not parts[0]:
        return None
    year, month, day = (int(part or 0) for part in parts)
    return Date(year=year, month=month, day=day)
