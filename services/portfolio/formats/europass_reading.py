"""Reads the tree of a Europass CV; CVs of 3.x are alike in what is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from google.type.date_pb2 import Date
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.entry_pb2 import EducationDetail, Entry, LanguageDetail
from waymark.portfolio.v1.holder_pb2 import Contact, Holder
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.portfolio.formats import languages, skills
from services.portfolio.formats.europass import ACHIEVEMENTS, COUNTRIES, STATEMENT, kind_of
from services.portfolio.formats.fitting import fit
from services.portfolio.formats.format import Read
from services.portfolio.formats.remainders import set_aside
from services.portfolio.formats.texts import MAX_TEXT, as_markup, of_markup, primary
from services.portfolio.formats.trees import Tree

_OF_UNION = {union: iso for iso, union in COUNTRIES.items()}
# What whoever writes a file says of it.
_OF_FILE = (
    "DocumentType",
    "Bundle",
    "CreationDate",
    "LastUpdateDate",
    "XSDVersion",
    "Generator",
    "Copyright",
    "EuropassLogo",
)
_MARKUP = 40_000  # characters of a text with its tags
_LIST = re.compile(r"<ul>(?:<li>([^<>]|<br/>)*</li>)+</ul>")
_ITEM = re.compile(r"<li>(.*?)</li>")


def read_tree(root: dict[str, Any], language: str) -> Read:
    """Reads a `SkillsPassport`; `language`: of its texts when it names none, or names it without region and
    writing, for which it has no place."""
    tree, found = Tree(root), Read()
    said = tree.text("Locale", 35) or tree.text("locale", 35)
    if said and said.lower() != primary(language):
        language = said
    tree.take("schemaLocation")
    tree.again("PrintingPreferences")
    info = tree.tree("DocumentInfo")
    info.again("Comment")
    info.take(*_OF_FILE)
    learner = tree.tree("LearnerInfo")
    holder = _holder(learner.tree("Identification"), learner.tree("Headline"), language)
    found.left += fit(holder, "LearnerInfo.Identification")
    if holder.ListFields():
        found.portfolio.holder.CopyFrom(holder)
    made = _items(learner, "WorkExperience", _work, language)
    made += _items(learner, "Education", _education, language)
    _read_skills(learner.tree("Skills"), found, made, language)
    made += _items(learner, "Achievement", _achievement, language)
    for entry in made:
        found.left += fit(entry, "LearnerInfo")
    found.portfolio.entries.extend(made)
    found.left += tree.left()
    found.remainders = set_aside(tree.rests())
    return found


def _items(tree: Tree, key: str, read: Callable[[Tree, str], Entry], language: str) -> list[Entry]:
    """Reads a list of entries, each named by its place."""
    made = []
    for number, item in enumerate(tree.trees(key)):
        entry = read(item, language)
        entry.name = item.owner = f"{key}/{number}"
        made.append(entry)
    return made


def _holder(identification: Tree, headline: Tree, language: str) -> Holder:
    name, demographics = identification.tree("PersonName"), identification.tree("Demographics")
    holder = Holder(given_name=name.text("FirstName"), family_name=name.text("Surname"))
    if born := _date(demographics.tree("Birthdate")):
        holder.birth_date.CopyFrom(born)
    contact = _contact(identification.tree("ContactInfo"))
    if contact.ListFields():
        holder.contact.CopyFrom(contact)
    headline.as_one()
    kind = headline.tree("Type")
    code = kind.text("Code")
    kind.goes_with("Code")
    if code != STATEMENT:
        kind.leave("Code", code)
    elif said := headline.tree("Description").text("Label", 5000):
        holder.summary[language] = said
    return holder


def _contact(info: Tree) -> Contact:
    address = info.tree("Address").tree("Contact")
    country = address.tree("Country")
    country.as_one()
    code = country.text("Code")
    if code:
        _in_words(country)
    phones = info.trees("Telephone")
    for phone in phones[:1]:
        phone.goes_with("Contact")
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
    level.as_one()
    if (code := level.text("Code")) in set("12345678"):
        entry.education.CopyFrom(EducationDetail(eqf_level=int(code)))
        _in_words(level)
    elif code:
        level.leave("Code", code)
    _common(item, entry, item.tree("Organisation"), language)
    return entry


def _achievement(item: Tree, language: str) -> Entry:
    title = item.tree("Title")
    code = title.text("Code")
    if code not in ACHIEVEMENTS.values():
        title.leave("Code", code)
    entry = Entry(kind=kind_of(code), title=title.text("Label"))
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
        website.again("Use")  # `business`, always
        website.goes_with("Contact")
    _describe(entry, item, "Activities", language)


def _describe(entry: Entry, item: Tree, key: str, language: str) -> None:
    markup = item.text(key, _MARKUP)
    text = of_markup(markup)
    if text:
        entry.description[language] = text[:MAX_TEXT]
    if len(text) > MAX_TEXT:
        item.leave(key, markup)
    elif as_markup(text) != markup:
        item.again(key)  # with paragraphs and lists, while it says what the entry says


def _read_skills(tree: Tree, found: Read, made: list[Entry], language: str) -> None:
    linguistic = tree.tree("Linguistic")
    made += _items(linguistic, "MotherTongue", partial(_language, native=True), language)
    made += _items(linguistic, "ForeignLanguage", partial(_language, native=False), language)
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


def _in_words(tree: Tree) -> None:
    """Takes the label beside a code: it says the same, and goes where the code does."""
    tree.again("Label")
    tree.goes_with("Code")


def _date(tree: Tree) -> Date | None:
    """Returns a date of JSON (`{"Year": 1940}`) or XML (`year="1940" month="--03" day="---10"`)."""
    parts = [
        (tree.text(key, 8) or tree.text(key.lower(), 8)).lstrip("-").partition(".")[0]
        for key in ("Year", "Month", "Day")
    ]
    if not all(part.isascii() and (part.isdigit() or not part) for part in parts) or not parts[0]:
        tree.leave_all()
        return None
    year, month, day = (int(part or 0) for part in parts)
    return Date(year=year, month=month, day=day)
