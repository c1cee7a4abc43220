"""What a Candidate document of Europass says is in the one that is written again, leaf by leaf.

No document of the portal is at hand: the two that are read here are made, one as its editor has them, one of
the elements of the schema documentation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from waymark.portfolio.v1 import cv_pb2
from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1 import entry_pb2 as entries

from services.portfolio.documenting import Material, Planning, cv_of, report
from services.portfolio.formats import candidate_aside, remainders
from services.portfolio.formats.format import Cv, Read
from services.portfolio.formats.formats import FORMATS
from tests.support.candidates import HEAD, RICH
from tests.support.documents import NOW, full, read, written
from tests.unit.portfolio.formats.test_candidate import OF_THE_EDITOR

NUMBER = pb.DOCUMENT_FORMAT_EUROPASS_CANDIDATE_XML
CANDIDATE = FORMATS[NUMBER]
DOCUMENTS = {"rich": RICH, "of the editor": OF_THE_EDITOR}
# Of whom and by which program a document is: the one that writes it says it of its own.
OF_THE_FILE = ("DocumentID", "CandidateSupplier", "CandidateProfile/ID", "@schemaLocation")
EMPLOYER = "CandidateProfile/EmploymentHistory/EmployerHistory/"
# What is said more: an employer once for each position, with the address on the web that the entry has, and
# its town; a degree as the programme, a language by its name, and which sections there are.
ADDED = (
    EMPLOYER,
    "EducationOrganizationAttendance/ProgramName=Lassen",
    "PublicationHistory/Publication/Link=https://doi.example/1",
    "PersonCompetency/CompetencyName=",
    "SectionsOrder/Section/Title=",
)
MERGED = {"CandidateProfile/Others/Title=Varia": 1}  # two sections of one title are one
Leaves = Counter[str]


def leaves(content: bytes | str) -> Leaves:
    """What a document says, by the names that lead there. Of no matter are blanks, order and namespaces."""
    found: Leaves = Counter()
    for element in etree.fromstring(content if isinstance(content, bytes) else content.encode()).iter("{*}*"):
        up = [etree.QName(each).localname for each in (element, *element.iterancestors())]
        at = "/".join(up[-2::-1])
        found.update(f"{at}@{etree.QName(key).localname}={value}" for key, value in element.items())
        if said := " ".join((element.text or "").split()):
            found[f"{at}={said}"] += 1
    return Counter({at: count for at, count in found.items() if not at.startswith(OF_THE_FILE)})


def again(found: Read, language: str = "nl") -> Cv:
    """A CV of what was read."""
    for number, each in enumerate(found.remainders):
        each.name = f"holders/h/remainders/{number}"
    return Cv(found.portfolio, language, NOW, remainders=tuple(found.remainders))


def of(content: str) -> tuple[Read, Cv]:
    found = read(CANDIDATE, content.encode())
    return found, again(found)


def left_out(made: Cv) -> list[str]:
    assert CANDIDATE.left_out
    return [path for _, path in CANDIDATE.left_out(made)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_comes_out_as_it_came_in(name: str) -> None:
    found, made = of(DOCUMENTS[name])
    assert not left_out(made)
    before, after = leaves(DOCUMENTS[name]), leaves(written(CANDIDATE, made))
    assert before - after == (MERGED if name == "of the editor" else {})
    assert not {at for at in after - before if not any(added in at for added in ADDED)}
    bare = leaves(written(CANDIDATE, replace(made, remainders=())))  # control
    assert len(before - bare) > 30
    assert read(CANDIDATE, written(CANDIDATE, made)).portfolio == found.portfolio


def test_all_that_is_told_as_left_is_set_aside() -> None:
    found, _ = of(RICH)
    kept = remainders.told(found.remainders)
    for path in found.left:
        above = [path.rsplit(".", up)[0] for up in range(1, path.count("."))]
        assert kept[path] >= found.left[path] or any(kept[each] > found.left[each] for each in above), path


def test_a_document_of_ours_leaves_nothing() -> None:
    assert not read(CANDIDATE, written(CANDIDATE, full())).remainders


def test_elements_stand_where_they_stood() -> None:
    _, made = of(RICH)
    root = etree.fromstring(written(CANDIDATE, made))

    def names(path: str) -> list[str]:
        (first, *_) = root.iterfind(path)
        return list(dict.fromkeys(etree.QName(each).localname for each in first))

    assert names(".//{*}EmployerHistory") == [
        *("OrganizationName", "OrganizationContact", "IndustryCode", "EmploymentType", "PositionHistory"),
        "Link",
    ]
    person = ["PersonName", "Communication", "BirthDate", "GenderCode", "NationalityCode"]
    assert names("{*}CandidatePerson") == [*person, "PrimaryLanguageCode", "Attachment"]
    assert names(".//{*}Address")[:2] == ["AddressLine", "CityName"]
    assert [names(".//{*}EducationDegree")[at] for at in (0, 1, -1)] == [
        *("DegreeName", "FinalGrade"),
        "NumberOfCredits",
    ]


def test_what_is_said_of_an_entry_goes_with_it() -> None:
    _, made = of(RICH)
    by_title = {each.title: each for each in made.portfolio.entries}
    apprentice = by_title["Leerjongen"]
    made.portfolio.entries.remove(apprentice)
    made.portfolio.entries.insert(0, entries.Entry(name="x", kind=entries.ENTRY_KIND_WORK, title="Visser"))
    told = leaves(written(CANDIDATE, made))
    assert (told[f"{EMPLOYER}IndustryCode=C"], told[f"{EMPLOYER}IndustryCode=H"]) == (2, 0)
    assert {path.rpartition(".")[2] for path in left_out(made)} == {
        *("EmploymentPeriod", "Department", "IndustryCode")
    }
    licence = by_title["Rijbewijs"].driving_licence
    licence.categories.remove("C1E")
    told = leaves(written(CANDIDATE, made))
    assert told["CandidateProfile/Licenses/License/IssuingAuthority/Name=Gent"] == 1
    assert not any("bril" in at for at in told)
    assert "CandidateProfile.Licenses.License.Restriction" in left_out(made)


def test_the_word_of_the_portfolio_counts() -> None:
    _, made = of(RICH)
    holder, by_title = made.portfolio.holder, {each.title: each for each in made.portfolio.entries}
    holder.family_name, holder.contact.phone = "Peeters", "+3290000000"
    holder.contact.locality = "Brugge"
    holder.summary["nl"] = "Last"
    welder, foreman = by_title["Lasser"], by_title["Ploegbaas"]
    welder.description["nl"], welder.place, welder.uri = "Alles", "Brugge", "https://nieuw.example/"
    foreman.end_date.year = 2020  # goes on no more
    by_title["Lassersgilde"].description["nl"] = "Sinds kort"
    by_title["Poort"].kind = entries.ENTRY_KIND_PROJECT
    made.portfolio.entries.remove(by_title["Dans"])
    skills = {each.label["nl"]: each for each in made.portfolio.skill_claims}
    skills["TIG-lassen"].label["nl"] = "Solderen"
    made.portfolio.skill_claims.remove(skills["CAD"])
    told = leaves(written(CANDIDATE, made))
    text = "\n".join(told)
    for gone in (
        "FormattedName=Jo",
        "mobile",
        "BE234",
        "<b>dit",
        "<ul>",
        "https://werf.example/=",
        "penning",
    ):
        assert gone not in text, gone
    for gone in ("CreativeWork", "Title=Nog", "proefstuk", "CAD", "true=Ploegbaas"):
        assert gone not in text.replace("creative-works", ""), gone
    assert told[f"{EMPLOYER}PositionHistory/Country=be"] == 1  # of the position that is still in Ghent
    assert told[f"{EMPLOYER}PositionHistory/EmploymentPeriod/CurrentIndicator=true"] == 0
    assert told["CandidateProfile/Skills/SkillsGroup/PersonCompetency/CompetencyName=BIM"] == 1
    assert (
        told["CandidateProfile/NetworksAndMemberships/NetworkAndMembership/Activity/Title=Lassersgilde"] == 0
    )
    assert told["CandidateProfile/HobbiesAndInterests/HobbyOrInterest/Title=Lassersgilde"] == 1
    assert told["CandidatePerson/GenderCode=male"] == 1  # control
    assert titles(made) == titles(replace(made, remainders=()))
    named = report_of(made)
    assert named == left_out(made)
    assert {"CandidateProfile.Others", "CandidateProfile.CreativeWorks", "CandidateProfile.Skills"} <= set(
        named
    )


def titles(made: Cv) -> Counter[str]:
    """What is read of a document again."""
    found = read(CANDIDATE, written(CANDIDATE, made)).portfolio
    labels = (label for each in found.skill_claims for label in each.label.values())
    return Counter((*(each.title for each in found.entries), *labels))


def report_of(made: Cv) -> list[str]:
    """What is said, where the document is written, of what was set aside and stays out."""
    request = pb.ExportDocumentRequest(format=NUMBER, language_code="nl")
    material = Material(made.portfolio, cv_pb2.Cv(), frozenset(), Planning(), made.remainders)
    told = report(request, cv_of(material, request, NOW))
    return [each.field for each in told if "/remainders/" in each.resource]


def test_what_is_too_much_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = "CandidatePerson.Attachment"
    content = RICH.replace("iVBORw0KGgo=", "A" * 2000)
    assert remainders.told(of(content)[0].remainders)[photo] == 1
    monkeypatch.setattr(remainders, "ROOM", 2000)
    found, _ = of(content)
    assert (remainders.told(found.remainders)[photo], found.left[photo]) == (0, 1)
    assert found.remainders


def test_what_a_document_has_twice_does_not_hide_what_is_there() -> None:
    """Of two names, or two sections of one kind, none is read: what is put back makes no second one."""
    names = "<PersonName><x>1</x></PersonName>" * 2
    project = "<Project>{}</Project>"
    twice = f"<Projects>{project.format('<Title>x</Title>')}</Projects>" * 2
    content = f"{HEAD}<CandidatePerson>{names}</CandidatePerson><CandidateProfile>{twice}</CandidateProfile>"
    found, made = of(f"{content}</Candidate>")
    assert not found.portfolio.entries
    assert found.left == {"CandidatePerson.PersonName.x": 2, "CandidateProfile.Projects.Project.Title": 2}
    made.portfolio.holder.given_name = "Jo"
    made.portfolio.entries.add(name="e", kind=entries.ENTRY_KIND_PROJECT, title="Brug")
    back = read(CANDIDATE, written(CANDIDATE, made)).portfolio
    assert (back.holder.given_name, [each.title for each in back.entries]) == ("Jo", ["Brug"])
    inside = project.format("<Activity><Title>x</Title></Activity>")
    marked = f"<Projects a='1'>{inside}{project.format('<Title>y</Title>')}</Projects>"
    _, made = of(f"{HEAD}<CandidateProfile>{marked}</CandidateProfile></Candidate>")
    assert titles(made) == {"x": 1, "y": 1}


def test_a_hostile_document_is_looked_at_for_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is said of an employer is said of each position: what is looked at would be their product."""
    job = f"<PositionHistory><PositionTitle>x</PositionTitle></PositionHistory>{'<A>1</A>' * 9}"
    work = f"<EmploymentHistory><EmployerHistory>{job * 9}</EmployerHistory></EmploymentHistory>"
    content = f"{HEAD}<CandidateProfile>{work}</CandidateProfile></Candidate>"
    path = "CandidateProfile.EmploymentHistory.EmployerHistory.A"
    found, _ = of(content)
    assert remainders.told(found.remainders)[path] == 9 * 81
    monkeypatch.setattr(candidate_aside, "_LOOKED_AT", 100)
    found, _ = of(content)
    assert remainders.told(found.remainders)[path] <= 100
    assert found.left[path] == 81


def test_a_group_has_a_short_heading(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept with each of its items."""
    items = "<Other><Title>a</Title></Other><Other><Title>b</Title></Other>"
    long = f"<Others><Title>{'word ' * 1000}</Title>{items}</Others>"
    content = f"{HEAD}<CandidateProfile>{long}</CandidateProfile></Candidate>"
    found, made = of(content)
    assert (found.left["CandidateProfile.Others.Title"], "word" in str(found.remainders)) == (1, False)
    assert leaves(written(CANDIDATE, made))["CandidateProfile/Others/Other/Title=b"] == 1
    monkeypatch.setattr(candidate_aside, "_HEADING", 9000)  # control
    assert str(of(content)[0].remainders).count("word") == 2000


def test_profiles_in_other_languages_are_told_and_not_kept() -> None:
    """They say again, in another language, what an entry says that may be gone by then."""
    other = "<CandidateProfile languageCode='fr'><Hint>x</Hint></CandidateProfile></Candidate>"
    found, _ = of(RICH.replace("</Candidate>", other))
    assert found.left["CandidateProfile.Hint"] == 1
    assert found.remainders == of(RICH)[0].remainders


PIECES = st.sampled_from(
    [
        "<Title>x</Title>",
        "<Activity><Title>x</Title></Activity>",
        "<hr:LicenseTypeCode a='1'>B</hr:LicenseTypeCode>",
        "<PositionHistory><PositionTitle>x</PositionTitle><Date/></PositionHistory>",
        "<PositionHistory>y</PositionHistory>",
        "<CompetencyID>x</CompetencyID><hr:TaxonomyID>language</hr:TaxonomyID>",
        "<hr:CompetencyName>x</hr:CompetencyName>",
        "<OrganizationContact><Communication><ChannelCode>Web</ChannelCode></Communication></OrganizationContact>",
        "<Communication><Address><a.b>c</a.b></Address></Communication>",
        "<PersonCompetency><hr:CompetencyName>y</hr:CompetencyName></PersonCompetency>",
        "<Other>y</Other>",
        "<DigitalSkill>z</DigitalSkill>",
        "<x xmlns='relative'>1</x><!-- c --><?pi x?>",
        "text",
    ]
)
ITEMS = st.sampled_from(
    [
        "EmployerHistory",
        "License",
        "Project",
        "PersonCompetency",
        "Other",
        "SkillsGroup",
        "CreativeWork",
        "a.b",
    ]
)
SECTIONS = st.sampled_from(
    [
        "EmploymentHistory",
        "Licenses",
        "Projects",
        "PersonQualifications",
        "Others",
        "Skills",
        "CreativeWorks",
        "x",
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    said=st.lists(st.tuples(SECTIONS, st.lists(st.tuples(ITEMS, st.lists(PIECES, max_size=3)), max_size=3))),
    of_person=st.lists(PIECES, max_size=3),
)
def test_nothing_that_is_set_aside_breaks_a_document(
    said: list[tuple[str, list[tuple[str, list[str]]]]], of_person: list[str]
) -> None:
    def within(name: str, inside: Iterable[str]) -> str:
        return f"<{name}>{''.join(inside)}</{name}>"

    sections = (within(section, (within(*item) for item in items)) for section, items in said)
    person = within("CandidatePerson", of_person)
    found, made = of(f"{HEAD}{person}{within('CandidateProfile', sections)}</Candidate>")
    back, bare = titles(replace(made, language="en")), titles(replace(made, language="en", remainders=()))
    assert not bare - back
    read(CANDIDATE, written(CANDIDATE, replace(full(), remainders=tuple(found.remainders))))
