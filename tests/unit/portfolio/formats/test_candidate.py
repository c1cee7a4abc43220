"""The Candidate document of Europass, read as its editor and others write it."""

from __future__ import annotations

from collections import Counter

import pytest
from lxml import etree
from waymark.portfolio.v1 import document_pb2 as pb
from waymark.portfolio.v1 import entry_pb2 as entries

from services.portfolio.formats import candidate_reading, candidate_values, markup
from services.portfolio.formats.format import DocumentBrokenError, Read
from services.portfolio.formats.formats import FORMATS
from tests.support.documents import full, read, written

CANDIDATE = FORMATS[pb.DOCUMENT_FORMAT_EUROPASS_CANDIDATE_XML]
HEAD = (
    '<Candidate xmlns="http://www.europass.eu/1.0" xmlns:hr="http://www.hr-xml.org/3" '
    'xmlns:oa="http://www.openapplications.org/oagis/9" xmlns:eures="http://www.europass_eures.eu/1.0">'
)
# As the editor has it: what the schema does not define, and another order, as well.
OF_THE_EDITOR = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{HEAD}
<RenderingInformation><Design><Template>Template3</Template></Design></RenderingInformation>
<hr:DocumentID schemeID="x" schemeName="DocumentIdentifier" schemeVersionID="4.0"/>
<CandidateSupplier><hr:PartyName>Owner</hr:PartyName></CandidateSupplier>
<CandidateProfile languageCode="nl">
  <VoluntaryWorks><VoluntaryWork>
    <Title languageID="nl">Kok</Title><Location>Aalst</Location>
    <Date><StartDate><hr:FormattedDateTime>2020-02-29</hr:FormattedDateTime></StartDate><Ongoing>true</Ongoing></Date>
  </VoluntaryWork></VoluntaryWorks>
  <EducationHistory><EducationOrganizationAttendance>
    <Link>https://school.example/</Link>
    <EducationLevelCode listName="EURES_EQF">EQF-5</EducationLevelCode>
    <EducationDegree>
      <FieldOfStudy typeCode="URI"><MainFieldOfStudy><ProgramConcentration>07</ProgramConcentration></MainFieldOfStudy>
        <SpecificFieldOfStudy><ProgramConcentration>0715</ProgramConcentration></SpecificFieldOfStudy></FieldOfStudy>
      <hr:DegreeName>Lassen</hr:DegreeName><Thesis>Naden</Thesis>
      <OccupationalSkillsCovered>&lt;p&gt;TIG &amp;amp; MIG&lt;/p&gt;&lt;ul&gt;&lt;li&gt;aluminium&lt;/li&gt;&lt;/ul&gt;</OccupationalSkillsCovered>
    </EducationDegree>
    <hr:OrganizationName>Vakschool</hr:OrganizationName>
  </EducationOrganizationAttendance></EducationHistory>
  <hr:ExecutiveSummary>&lt;p&gt;Eerst dit.&lt;/p&gt;&lt;p&gt;Dan dat.&lt;/p&gt;</hr:ExecutiveSummary>
  <EmploymentHistory><EmployerHistory>
    <PositionHistory>
      <PositionTitle typeCode="URI" languageID="http://data.europa.eu/esco/occupation/7212">Lasser</PositionTitle>
      <City>Gent</City><Country>be</Country>
      <eures:EmploymentPeriod>
        <eures:EndDate><hr:FormattedDateTime>2021</hr:FormattedDateTime></eures:EndDate>
        <eures:StartDate><hr:FormattedDateTime>2019-09</hr:FormattedDateTime></eures:StartDate>
        <hr:CurrentIndicator>false</hr:CurrentIndicator>
      </eures:EmploymentPeriod>
    </PositionHistory>
    <PositionHistory><PositionTitle typeCode="FREETEXT">Ploegbaas</PositionTitle></PositionHistory>
    <OrganizationContact><Communication><ChannelCode>Web</ChannelCode><oa:URI>https://werf.example/</oa:URI></Communication>
      <Communication><Address><oa:CityName>Brugge</oa:CityName></Address></Communication></OrganizationContact>
    <hr:IndustryCode>C</hr:IndustryCode><hr:OrganizationName>Werf</hr:OrganizationName>
  </EmployerHistory></EmploymentHistory>
  <PersonQualifications><PersonCompetency>
    <CompetencyID schemeName="NORMAL">ger</CompetencyID><hr:TaxonomyID>language</hr:TaxonomyID>
    <eures:CompetencyDimension><hr:CompetencyDimensionTypeCode>CEF-Speaking-Interaction</hr:CompetencyDimensionTypeCode>
      <eures:Score><hr:ScoreText>B2</hr:ScoreText></eures:Score></eures:CompetencyDimension>
  </PersonCompetency><PersonCompetency>
    <CompetencyID schemeName="FREE_TEXT">Gents</CompetencyID><hr:TaxonomyID>language</hr:TaxonomyID>
  </PersonCompetency></PersonQualifications>
  <Skills><PersonCompetency><hr:TaxonomyID>Digital_Skill</hr:TaxonomyID><hr:CompetencyName>Excel</hr:CompetencyName></PersonCompetency>
    <SkillsGroup><Title>Tekenen</Title><PersonCompetency><hr:TaxonomyID>Digital_Skill</hr:TaxonomyID>
      <hr:CompetencyName>CAD</hr:CompetencyName></PersonCompetency></SkillsGroup></Skills>
  <DigitalSkills><DigitalSkillsGroup><DigitalSkill>Blogs</DigitalSkill></DigitalSkillsGroup></DigitalSkills>
  <OrganisationalSkills><OrganisationalSkill><Title>Plannen</Title><Description>Al jaren.</Description></OrganisationalSkill></OrganisationalSkills>
  <NetworksAndMemberships><NetworkAndMembership><Activity><Title>Lassersgilde</Title></Activity></NetworkAndMembership></NetworksAndMemberships>
  <Others><Title>Varia</Title><Other><Title>Stem</Title><Description>&lt;p&gt;Tenor&lt;/p&gt;</Description></Other></Others>
  <Others><Title>Varia</Title><Other><Title>Fluit</Title></Other></Others>
  <PublicationHistory><Publication><Title>Over naden</Title><Year>2018</Year><DOI><Link>https://doi.example/1</Link></DOI>
    <Journal>Staal</Journal></Publication></PublicationHistory>
  <EmploymentReferences><Referee><oa:FormattedName>Mevrouw X</oa:FormattedName></Referee></EmploymentReferences>
  <Certifications/><Projects/>
  <eures:Licenses><eures:License><hr:LicenseTypeCode>B</hr:LicenseTypeCode></eures:License>
    <eures:License><hr:LicenseTypeCode>C1E</hr:LicenseTypeCode></eures:License></eures:Licenses>
</CandidateProfile>
<CandidatePerson>
  <PrimaryLanguageCode name="NORMAL">nld</PrimaryLanguageCode>
  <GenderCode>male</GenderCode><hr:BirthDate>1980-12-01</hr:BirthDate><NationalityCode>be</NationalityCode>
  <Communication><ChannelCode>Social Media</ChannelCode><UseCode>linkedin</UseCode><oa:URI>https://in.example/</oa:URI></Communication>
  <Communication><UseCode>home</UseCode><Address type="home"><oa:AddressLine>Kaai 3</oa:AddressLine>
    <CountryCode>el</CountryCode><oa:PostalCode>9000</oa:PostalCode><oa:CityName>Gent</oa:CityName></Address></Communication>
  <Communication><oa:DialNumber>470123456</oa:DialNumber><CountryDialing>32</CountryDialing><ChannelCode>Telephone</ChannelCode></Communication>
  <Communication><ChannelCode>Email</ChannelCode><oa:URI>jo@werf.example</oa:URI></Communication>
  <PersonName><hr:FamilyName>Maes</hr:FamilyName><oa:GivenName>Jo</oa:GivenName></PersonName>
</CandidatePerson></Candidate>"""  # noqa: E501
SAID = "CandidateProfile."


def of_profile(inside: str) -> Read:
    """What is read of a document whose profile says this."""
    return read(CANDIDATE, f"{HEAD}<CandidateProfile>{inside}</CandidateProfile></Candidate>".encode())


def test_a_document_of_the_editor_is_read_whatever_its_order() -> None:
    found = read(CANDIDATE, OF_THE_EDITOR.encode())
    holder, made = found.portfolio.holder, list(found.portfolio.entries)
    assert (holder.given_name, holder.family_name, holder.birth_date.year) == ("Jo", "Maes", 1980)
    assert holder.summary == {"nl": "Eerst dit.\nDan dat."}
    contact = holder.contact
    assert (contact.email, contact.phone) == ("jo@werf.example", "+32470123456")
    assert (list(contact.address_lines), contact.locality, contact.postal_code, contact.region_code) == (
        ["Kaai 3"],
        "Gent",
        "9000",
        "GR",
    )
    titles = ["Lasser", "Ploegbaas", "Lassen", "", "Over naden", "Nederlands", "Duits", "Gents", "Kok"]
    assert [each.title for each in made] == [*titles, "Lassersgilde", "Stem", "Fluit"]
    welder, foreman, school, licence, paper, dutch, german, ghent, cook, guild, voice, _ = made
    assert (welder.place, foreman.place, welder.uri) == ("Gent", "Brugge", "https://werf.example/")
    assert (welder.start_date.month, welder.end_date.year) == (9, 2021)
    assert welder.work.occupation_uri == "http://data.europa.eu/esco/occupation/7212"
    assert foreman.organisation == "Werf"
    assert (school.education.eqf_level, school.education.isced_f_code) == (5, "0715")
    assert school.description == {"nl": "TIG & MIG\naluminium"}
    assert school.uri == "https://school.example/"
    assert list(licence.driving_licence.categories) == ["B", "C1E"]
    assert (paper.uri, paper.start_date.year, paper.start_date.month) == ("https://doi.example/1", 2018, 0)
    assert (dutch.language.language_code, dutch.language.native) == ("nl", True)
    assert (german.language.language_code, german.language.spoken_interaction) == (
        "de",
        entries.CEFR_LEVEL_B2,
    )
    assert ghent.language.language_code == "und"
    assert (cook.kind, cook.place, cook.HasField("end_date")) == (
        entries.ENTRY_KIND_VOLUNTEERING,
        "Aalst",
        False,
    )
    assert guild.kind == voice.kind == entries.ENTRY_KIND_INTEREST
    labels = [claim.label["nl"] for claim in found.portfolio.skill_claims]
    assert labels == ["Excel", "CAD", "Blogs", "Plannen"]


def test_what_has_no_place_is_told_by_its_path() -> None:
    found = read(CANDIDATE, OF_THE_EDITOR.encode())
    person_, work = "CandidatePerson.", SAID + "EmploymentHistory.EmployerHistory."
    assert found.left == Counter(
        {
            f"{person_}GenderCode": 1,
            f"{person_}NationalityCode": 1,
            f"{person_}Communication.ChannelCode": 1,
            f"{person_}Communication.UseCode": 1,
            f"{person_}Communication.URI": 1,
            f"{work}PositionHistory.Country": 1,
            f"{work}OrganizationContact": 1,  # in Bruges, where the position was in Ghent
            f"{work}IndustryCode": 1,
            f"{SAID}EducationHistory.EducationOrganizationAttendance.EducationDegree.Thesis": 1,
            f"{SAID}Skills.SkillsGroup.Title": 1,
            f"{SAID}OrganisationalSkills.OrganisationalSkill.Description": 1,
            f"{SAID}NetworksAndMemberships.NetworkAndMembership": 1,  # as an interest
            f"{SAID}Others.Title": 2,
            f"{SAID}PublicationHistory.Publication.Journal": 1,
            f"{SAID}EmploymentReferences.Referee.FormattedName": 1,
        }
    )


def test_every_text_of_a_document_is_carried_or_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost() -> set[str]:
        """Texts that neither are in what was read nor stand where a path says that something was left."""
        found = read(CANDIDATE, OF_THE_EDITOR.encode())
        carried = str(found.portfolio) + str([each.title for each in found.portfolio.entries])
        root = etree.fromstring(OF_THE_EDITOR.encode())
        missing = set()
        for element in root.iter(
            "{*}Title", "{*}Location", "{*}FormattedName", "{*}IndustryCode", "{*}Thesis"
        ):
            path = ".".join(
                etree.QName(each).localname for each in [*reversed([*element.iterancestors()]), element][1:]
            )
            if str(element.text) not in carried and path not in found.left:
                missing.add(path)
        return missing

    assert not lost()
    monkeypatch.setattr(candidate_reading, "_NEAR", {})
    assert not lost()  # a section that nobody reads is told
    monkeypatch.setattr(candidate_reading.Tree, "left", lambda *_: Counter())  # control
    assert f"{SAID}EmploymentReferences.Referee.FormattedName" in lost()


def test_dates_that_are_none_are_told_and_the_rest_is_taken() -> None:
    def employment(start: str, end: str = "", current: str = "") -> str:
        return (
            "<EmploymentHistory><EmployerHistory><PositionHistory><PositionTitle>Cook</PositionTitle>"
            f"<EmploymentPeriod><StartDate>{start}</StartDate><EndDate>{end}</EndDate>"
            f"<CurrentIndicator>{current}</CurrentIndicator></EmploymentPeriod>"
            "</PositionHistory></EmployerHistory></EmploymentHistory>"
        )

    def when(said: str) -> str:
        return f"<hr:FormattedDateTime>{said}</hr:FormattedDateTime>"

    period = SAID + "EmploymentHistory.EmployerHistory.PositionHistory.EmploymentPeriod"
    for start, told in {
        when("2019-02-31"): f"{SAID}EmploymentHistory.start_date",
        when("03/2019"): f"{period}.StartDate.FormattedDateTime",
        "<hr:DateText>two years ago</hr:DateText>": f"{period}.StartDate.DateText",
    }.items():
        found = of_profile(employment(start))
        assert (found.portfolio.entries[0].title, found.portfolio.entries[0].HasField("start_date")) == (
            "Cook",
            False,
        )
        assert found.left == {told: 1}
    day = of_profile(employment(when("2019-02-28T10:00:00"))).portfolio.entries[0].start_date
    assert (day.year, day.month, day.day) == (2019, 2, 28)
    goes_on = of_profile(employment(when("2019"), when("2020"), "true"))
    assert not goes_on.portfolio.entries[0].HasField("end_date")
    assert goes_on.left == {f"{period}.EndDate": 1}
    assert (
        of_profile(employment(when("2019"), when("2020"), "false")).portfolio.entries[0].end_date.year == 2020
    )


def test_levels_of_other_lists_and_second_profiles_are_told() -> None:
    level = '<EducationOrganizationAttendance><EducationLevelCode listName="ISCED">6</EducationLevelCode>'
    iscedic = of_profile(f"<EducationHistory>{level}</EducationOrganizationAttendance></EducationHistory>")
    assert not iscedic.portfolio.entries[0].HasField("education")
    assert iscedic.left[f"{SAID}EducationHistory.EducationOrganizationAttendance.EducationLevelCode"] == 1
    twice = (
        f"{HEAD}<CandidateProfile languageCode='en'/><CandidateProfile languageCode='fr'><Projects><Project>"
    )
    found = read(
        CANDIDATE, f"{twice}<Title>Pont</Title></Project></Projects></CandidateProfile></Candidate>".encode()
    )
    assert found.left == {f"{SAID}languageCode": 1, f"{SAID}Projects.Project.Title": 1}
    overall = (
        "<PersonQualifications><PersonCompetency><CompetencyID>http://x.example/language/DEU</CompetencyID>"
        "<TaxonomyID>language</TaxonomyID><ProficiencyLevel><ScoreText>B2</ScoreText></ProficiencyLevel>"
        "</PersonCompetency></PersonQualifications>"
    )
    (german,) = of_profile(overall).portfolio.entries
    assert (german.language.language_code, german.language.writing) == ("de", entries.CEFR_LEVEL_B2)


HOSTILE = {
    "a file from this machine": '<!DOCTYPE Candidate [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    + HEAD
    + "&x;</Candidate>",
    "entities that unfold": '<!DOCTYPE Candidate [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    + HEAD
    + "&b;</Candidate>",
    "depth": HEAD + "<CandidateProfile>" + "<a>" * 5000 + "</a>" * 5000 + "</CandidateProfile></Candidate>",
    "cut off": HEAD + "<CandidateProfile>",
    "another root": '<SkillsPassport xmlns="http://europass.cedefop.europa.eu/Europass"/>',
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_documents_are_refused(content: str) -> None:
    with pytest.raises(DocumentBrokenError):
        read(CANDIDATE, content.encode())


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = written(CANDIDATE, full())
    assert read(CANDIDATE, content).portfolio.entries  # control
    monkeypatch.setattr(markup, "MAX_BYTES", 1000)
    with pytest.raises(DocumentBrokenError, match="bytes"):
        read(CANDIDATE, content)


def test_a_text_that_is_too_long_is_shortened_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    project = "<Projects><Project><Title>Boat</Title><Description>{}</Description></Project></Projects>"
    found = of_profile(project.format("word " * 3000))
    assert len(found.portfolio.entries[0].description["en"]) <= candidate_values.MAX_TEXT
    assert found.left == {f"{SAID}Projects.Project.Description": 1}
    assert not of_profile(project.format("word " * 30)).left  # control
    summary = "<hr:ExecutiveSummary>{}</hr:ExecutiveSummary>"
    found = of_profile(summary.format("word " * 1500))
    assert len(found.portfolio.holder.summary["en"]) == 5000
    assert found.left == {f"{SAID}ExecutiveSummary": 1}
    assert not of_profile(summary.format("word " * 900)).left  # control


def test_names_in_one_text_are_parted() -> None:
    name = "<PersonName><FormattedName>An Maria Peeters</FormattedName></PersonName>"
    content = f"{HEAD}<CandidatePerson>{name}</CandidatePerson></Candidate>"
    holder = read(CANDIDATE, content.encode()).portfolio.holder
    assert (holder.given_name, holder.family_name) == ("An Maria", "Peeters")


def test_a_language_without_a_code_is_no_other_one_without_a_code() -> None:
    """Both are `und`; what is said of one goes to that one, by its name."""
    in_words = "<CompetencyID schemeName='FREE_TEXT'>{}</CompetencyID><hr:TaxonomyID>language</hr:TaxonomyID>"
    spoken = "".join(
        f"<PersonCompetency>{in_words.format(name)}<eures:CompetencyDimension><hr:CompetencyDimensionTypeCode>"
        "CEF-Understanding-Reading</hr:CompetencyDimensionTypeCode><eures:Score><hr:ScoreText>B2"
        "</hr:ScoreText></eures:Score></eures:CompetencyDimension></PersonCompetency>"
        for name in ("Twents", "gronings")
    )
    grown_up_with = "<PrimaryLanguageCode name='FREE_TEXT'>Gronings</PrimaryLanguageCode>"
    content = (
        f"{HEAD}<CandidatePerson>{grown_up_with}</CandidatePerson><CandidateProfile><PersonQualifications>"
        f"{spoken}</PersonQualifications></CandidateProfile></Candidate>"
    )
    found = read(CANDIDATE, content.encode()).portfolio.entries
    said = {each.title.lower(): (each.language.native, each.language.reading) for each in found}
    b2 = entries.CEFR_LEVEL_B2
    assert said == {"gronings": (True, b2), "twents": (False, b2)}


def test_a_licence_without_a_category_takes_none_from_another() -> None:
    licences = "<hr:LicenseTypeCode>B</hr:LicenseTypeCode>", "<hr:LicenseName></hr:LicenseName>"
    inside = "".join(f"<eures:License>{each}</eures:License>" for each in licences)
    (entry,) = of_profile(f"<eures:Licenses>{inside}</eures:Licenses>").portfolio.entries
    assert list(entry.driving_licence.categories) == ["B"]
