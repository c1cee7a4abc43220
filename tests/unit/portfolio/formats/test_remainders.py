"""What a real Europass file says beyond a portfolio is in the file that is written again, leaf by leaf."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1 import entry_pb2 as entries
from waymark.portfolio.v1.cv_pb2 import Cv as Version
from waymark.portfolio.v1.remainder_pb2 import Remainder
from waymark.portfolio.v1.skill_claim_pb2 import SkillClaim

from services.portfolio.documenting import Material, Planning, cv_of, report
from services.portfolio.formats import europass_files, json_resume, markup, remainders
from services.portfolio.formats.format import Cv, Format, Read
from tests.support.documents import NOW, cv, europass_schema, full, read, written
from tests.support.left_in_documents import LEFT
from tests.support.real_data import real_data

XML, JSON = europass_files.XML, europass_files.JSON
FILES = {
    "europass-3.4/Europass_CV_V3.4.0_Example.xml": XML,
    "europass-3.4/Europass_JSON_V3.4.0_ECV_Example.json": JSON,
}
# Which program made which file when: the one that writes it says it of its own.
OF_FILE = (
    *(
        f"DocumentInfo.{each}"
        for each in (
            "DocumentType",
            "Bundle",
            "CreationDate",
            "LastUpdateDate",
            "Generator",
            "Copyright",
            "EuropassLogo",
        )
    ),
    "schemaLocation",
)
Leaves = dict[str, str]


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """What a tree says, by where it says it, items of lists by their number. Of no matter are: blanks; what
    is empty; whether a licence is a text, as by the schema, or an object; that what has an end is over."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{at}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from leaves(each, f"{at}[{number}]")
    elif value not in (None, "") and not at.startswith(OF_FILE):
        at = at.replace("].Licence", "]")
        if not (at.endswith("Period.Current") and value is False):
            yield at, " ".join(str(value).split())


def said(format_: Format, content: bytes) -> Leaves:
    """The leaves of a document, read by nothing that reads portfolios."""
    tree = (
        json.loads(content)["SkillsPassport"]
        if format_ is JSON
        else markup.tree_of(markup.root_of(io.BytesIO(content)), "List")
    )
    return dict(leaves(tree))


def real(name: str) -> tuple[bytes, Read]:
    content = real_data(f"portfolio/{name}").read_bytes()
    return content, read(FILES[name], content)


def again(found: Read) -> Cv:
    """A CV of what was read."""
    for number, each in enumerate(found.remainders):
        each.name = f"holders/h/remainders/{number}"
    return Cv(found.portfolio, "en", NOW, remainders=tuple(found.remainders))


def left_out(made: Cv) -> set[str]:
    assert XML.left_out
    return {path for _, path in XML.left_out(made)}


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_comes_out_as_it_came_in(name: str) -> None:
    content, found = real(name)
    made = again(found)
    assert said(FILES[name], written(FILES[name], made)) == said(FILES[name], content)
    assert not left_out(made)
    # Control: without what was set aside, what the portfolio has no place for is missing, all of it.
    bare = said(FILES[name], written(FILES[name], replace(made, remainders=())))
    missing = said(FILES[name], content).keys() - bare.keys()
    assert len(missing) >= LEFT[name].total()


@pytest.mark.parametrize("name", FILES)
def test_all_that_is_told_as_left_is_set_aside(name: str) -> None:
    _, found = real(name)
    assert not found.left - remainders.told(found.remainders)


def test_what_is_put_back_is_valid_by_the_schema() -> None:
    schema = europass_schema()
    _, found = real("europass-3.4/Europass_CV_V3.4.0_Example.xml")
    made = again(found)
    schema.assertValid(etree.fromstring(written(XML, made)))
    other = replace(full(), remainders=made.remainders)  # of somebody with everything of their own
    schema.assertValid(etree.fromstring(written(XML, other)))
    # Nobody points to a file that is not there any more.
    some = tuple(each for each in made.remainders if each.parts[0].path != "Attachment")
    assert len(some) == len(made.remainders) - 2
    without = replace(made, remainders=some)
    schema.assertValid(etree.fromstring(written(XML, without)))
    assert {path.rpartition(".")[2] for path in left_out(without)} == {"Documentation"}


def test_what_belongs_to_an_entry_is_where_the_entry_is() -> None:
    content, found = real("europass-3.4/Europass_CV_V3.4.0_Example.xml")
    made = again(found)
    sector = "LearnerInfo.WorkExperience[{}].Employer.Sector.Code"
    first = entries.Entry(name="x", kind=entries.ENTRY_KIND_WORK, title="Fisher")
    made.portfolio.entries.insert(0, first)
    told = said(XML, written(XML, made))
    assert (told.get(sector.format(1)), told.get(sector.format(0))) == ("Q", None)
    made.portfolio.entries[1].kind = entries.ENTRY_KIND_EDUCATION  # another kind: another section
    assert "LearnerInfo.WorkExperience.Employer.Sector" in left_out(made)
    assert "Q" not in said(XML, written(XML, made)).values()
    del made.portfolio.entries[1]
    assert "LearnerInfo.WorkExperience.Employer.Sector" in left_out(made)
    assert "Q" in said(XML, content).values()  # control


def test_a_label_goes_with_what_it_labels() -> None:
    _, found = real("europass-3.4/Europass_CV_V3.4.0_Example.xml")
    made = again(found)
    by_kind = {each.kind: each for each in made.portfolio.entries}
    by_kind[entries.ENTRY_KIND_EDUCATION].education.eqf_level = 7
    contact = made.portfolio.holder.contact
    contact.phone, contact.region_code = "+32 3 555 01 23", "BE"
    told = said(XML, written(XML, made))
    assert told["LearnerInfo.Education[0].Level.Code"] == "7"
    assert not {"EQF 6", "United Kingdom", "Mobile Number"} & set(told.values())
    start = "LearnerInfo.Identification.ContactInfo"
    assert told[f"{start}.Telephone[1].Use.Label"] == "Workplace"
    assert left_out(made) == {
        "LearnerInfo.Education.Level.Label",
        f"{start}.Address.Contact.Country.Label",
        f"{start}.Telephone.Use",
    }
    contact.phone = ""
    told = said(XML, written(XML, made))
    assert told[f"{start}.Telephone[0].Use.Label"] == "Workplace"


def test_the_word_of_the_portfolio_counts() -> None:
    _, found = real("europass-3.4/Europass_CV_V3.4.0_Example.xml")
    made = again(found)
    made.portfolio.holder.summary["en"] = "Fights"
    made.portfolio.skill_claims.append(SkillClaim(concept_uri="urn:x:a", label={"en": "kicking"}))
    made.portfolio.entries[0].description["en"] = "Teaches"
    made.portfolio.entries[-2].kind = entries.ENTRY_KIND_PROJECT  # was a course, and counted as a certificate
    told = said(XML, written(XML, made))
    assert told["LearnerInfo.Headline.Description.Label"] == "Fights"
    assert told["LearnerInfo.Headline.Type.Code"] == "personal_statement"
    assert "LearnerInfo.Headline.Type.Label" not in told
    assert told["LearnerInfo.Skills.JobRelated.Description"] == "<ul><li>kicking</li></ul>"
    assert told["LearnerInfo.WorkExperience[0].Activities"] == "Teaches"
    assert told["LearnerInfo.Achievement[3].Title.Code"] == "projects"
    assert left_out(made) == {
        "LearnerInfo.Headline",
        "LearnerInfo.Skills.JobRelated.Description",
        "LearnerInfo.WorkExperience.Activities",
        "LearnerInfo.Achievement.Title.Code",
    }
    request = pb.ExportDocumentRequest(format=pb.DOCUMENT_FORMAT_EUROPASS_XML)
    material = Material(made.portfolio, Version(), frozenset(), Planning(), made.remainders)
    named = {
        each.field
        for each in report(request, cv_of(material, request, NOW))
        if "/remainders/" in each.resource
    }
    assert named == left_out(made)


def test_what_is_too_large_is_left_out_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = {"MimeType": "image/jpeg", "Data": "A" * remainders.ROOM}
    learner = {"Identification": {"Photo": photo}, "Skills": {"Other": {"Description": "Sings"}}}
    content = json.dumps({"SkillsPassport": {"LearnerInfo": learner}}).encode()

    def kept() -> list[str]:
        return [part.path for each in read(JSON, content).remainders for part in each.parts]

    other, photo_ = "LearnerInfo.Skills.Other", "LearnerInfo.Identification.Photo"
    assert kept() == [other]
    monkeypatch.setattr(remainders, "ROOM", 1 << 20)  # control
    assert kept() == [photo_, other]
    monkeypatch.setattr(remainders, "MOST", 1)
    assert kept() == [other]


def test_an_import_keeps_each_thing_of_a_person_apart() -> None:
    """So that one can be deleted and the others kept."""
    _, found = real("europass-3.4/Europass_CV_V3.4.0_Example.xml")
    of_person = [each for each in found.remainders if not each.entry]
    assert {len(each.parts) for each in of_person} == {1}
    paths = [each.parts[0].path for each in of_person]
    start = "LearnerInfo.Identification.Demographics."
    assert paths.count(f"{start}Nationality") == 3
    assert paths.count(f"{start}Gender") == 1
    by_entry = [each.entry for each in found.remainders if each.entry]
    assert len(by_entry) == len(set(by_entry))


RESUME = {
    "basics": {
        "name": "An Peeters",
        "label": "Welder",
        "image": "https://peeters.example/an.png",
        "url": "https://peeters.example/",
        "location": {"city": "Ghent", "countryCode": "BE", "region": "East Flanders"},
        "profiles": [{"network": "Mastodon", "username": "an"}, {"network": "GitHub", "username": "anp"}],
    },
    "work": [
        {
            "name": "Yard",
            "position": "Welder",
            "startDate": "2019-04",
            "location": "Ghent",
            "description": "Ships",
        },
        {"name": "Dock", "position": "Rigger", "startDate": "2015", "summary": "Rigs", "keywords": ["up"]},
    ],
    "education": [
        {"institution": "VTI", "area": "Metal", "startDate": "2011", "score": "A", "courses": ["MIG", "TIG"]}
    ],
    "awards": [{"title": "Best seam", "date": "2020-05-01", "awarder": "Yard", "jury": "three"}],
    "skills": [{"name": "Welding", "level": "Wizardly"}, {"name": "Rigging", "level": "Advanced"}],
    "references": [{"name": "Jo", "reference": "Good seams."}],
    "meta": {"theme": "even"},
}


def test_a_resume_comes_out_with_what_it_says_beyond_a_portfolio() -> None:
    def resume(content: bytes) -> Leaves:
        told = leaves({key: each for key, each in json.loads(content).items() if key != "$schema"})
        return {at: text for at, text in told if ".waymark." not in at}

    content = json.dumps(RESUME).encode()
    made = again(read(json_resume.FORMAT, content))
    missing = resume(content).items() - resume(written(json_resume.FORMAT, made)).items()
    # An award is a certificate here, and what is left of one stays out, and is told.
    assert {at.partition("[")[0] for at, _ in missing} == {"awards"}
    assert [path for _, path in json_resume.left_out(made)] == ["awards.jury"]
    bare = resume(written(json_resume.FORMAT, replace(made, remainders=())))  # control
    lost = {at for at in resume(content).keys() - bare.keys() if not at.startswith("awards")}
    assert {"basics.label", "basics.profiles[1].username", "work[1].keywords[0]", "meta.theme"} <= lost
    made.portfolio.skill_claims[0].label["en"] = "Brazing"  # what was said of another skill
    assert "Wizardly" not in resume(written(json_resume.FORMAT, made)).values()


WORDS = st.sampled_from(
    ["Description", "Label", "Data", "text", "id", "TelephoneList", "Telephone", "a.b", ""]
)
TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(WORDS, below, max_size=2),
    max_leaves=6,
)
PLACES = st.sampled_from(
    [
        "Identification.ContactInfo.Telephone",
        "Identification.Photo",
        "Headline",
        "WorkExperience",
        "Education",
        "Skills",
        "Skills.Driving",
        "Skills.Driving.Description",
        "Skills.Linguistic.ForeignLanguage",
        "Achievement",
        "Nonsense",
    ]
)


@settings(max_examples=200, deadline=None)
@given(said_at=st.dictionaries(PLACES, TREES, max_size=3))
def test_nothing_that_is_set_aside_breaks_a_document(said_at: dict[str, Any]) -> None:
    tree: dict[str, Any] = {}
    for place, value in said_at.items():
        *way, key = place.split(".")
        node = tree
        for step in way:
            node = below if isinstance(below := node.setdefault(step, {}), dict) else {}
        node[key] = value
    found = read(JSON, json.dumps({"SkillsPassport": {"LearnerInfo": tree}}).encode())
    for own in (found.portfolio, full().portfolio, cv().portfolio):
        made = written(JSON, Cv(own, "en", NOW, remainders=tuple(found.remainders)))
        read(JSON, made)


def test_xml_of_any_names_comes_out_again() -> None:
    strange = (
        b'<SkillsPassport><LearnerInfo extra="1"><low big="2">words</low><Skills><Computer a="b">words<Deep/>'
        b"</Computer></Skills></LearnerInfo></SkillsPassport>"
    )
    found = read(XML, strange)
    assert said(XML, strange).items() <= said(XML, written(XML, again(found))).items()


def test_others_than_europass_3_4_leave_nothing() -> None:
    assert not read(XML, written(XML, full())).remainders
    assert Remainder() not in read(JSON, written(JSON, full())).remainders
