"""A Candidate document of Europass that says much that a portfolio has no place for; its elements are those
of the Commission's schema documentation 3.0.0, and of the editor."""

from __future__ import annotations

HEAD = (
    '<Candidate xmlns="http://www.europass.eu/1.0" xmlns:hr="http://www.hr-xml.org/3" '
    'xmlns:oa="http://www.openapplications.org/oagis/9" xmlns:eures="http://www.europass_eures.eu/1.0">'
)


def _period(start: str, end: str = "", prefix: str = "") -> str:
    def date(name: str, said: str) -> str:
        told = f"<hr:FormattedDateTime>{said}</hr:FormattedDateTime>"
        return f"<{prefix}{name}>{told}</{prefix}{name}>" if said else ""

    ongoing = "hr:CurrentIndicator" if prefix else "Ongoing"
    current = "false" if end else "true"
    return f"{date('StartDate', start)}{date('EndDate', end)}<{ongoing}>{current}</{ongoing}>"


RICH = f"""<?xml version="1.0" encoding="UTF-8"?>{HEAD}
<hr:DocumentID schemeName="DocumentIdentifier" schemeVersionID="4.0"/>
<CandidateSupplier><hr:PartyName>Owner</hr:PartyName><PersonContact><PersonName><oa:GivenName>Jo</oa:GivenName>
  <hr:FamilyName>Maes</hr:FamilyName></PersonName></PersonContact><hr:PrecedenceCode>1</hr:PrecedenceCode></CandidateSupplier>
<hr:PositionSeekingStatusCode>Active</hr:PositionSeekingStatusCode>
<CandidatePerson>
  <PersonName legalNameIndicator="true"><hr:FormattedName>Jo Maes</hr:FormattedName><oa:GivenName>Jo</oa:GivenName>
    <hr:FamilyName prefix="van">Maes</hr:FamilyName></PersonName>
  <Communication><ChannelCode>Email</ChannelCode><UseCode>personal</UseCode><oa:URI>jo@werf.example</oa:URI></Communication>
  <Communication><ChannelCode>Email</ChannelCode><UseCode>business</UseCode><oa:URI>maes@werf.example</oa:URI></Communication>
  <Communication><ChannelCode>Telephone</ChannelCode><UseCode>mobile</UseCode><CountryDialing>32</CountryDialing>
    <oa:DialNumber>470123456</oa:DialNumber><CountryCode>be</CountryCode></Communication>
  <Communication><ChannelCode>Telephone</ChannelCode><UseCode>work</UseCode><CountryDialing>32</CountryDialing>
    <oa:DialNumber>91234567</oa:DialNumber></Communication>
  <Communication><ChannelCode>Social Media</ChannelCode><UseCode>linkedin</UseCode><oa:URI>https://in.example/jo</oa:URI></Communication>
  <Communication><ChannelCode>InstantMessage</ChannelCode><UseCode>other</UseCode><OtherTitle>Matrix</OtherTitle><oa:URI>@jo:m.example</oa:URI></Communication>
  <Communication><UseCode>home</UseCode><Address type="home" currentAddressIndicator="true"><oa:AddressLine>Kaai 3</oa:AddressLine>
    <oa:CityName>Gent</oa:CityName><oa:CountrySubDivisionCode>BE234</oa:CountrySubDivisionCode><CountryCode>be</CountryCode>
    <oa:PostalCode>9000</oa:PostalCode></Address></Communication>
  <hr:BirthDate>1980-12-01</hr:BirthDate>
  <GenderCode>male</GenderCode><NationalityCode>be</NationalityCode><NationalityCode>nl</NationalityCode>
  <PrimaryLanguageCode name="NORMAL">nld</PrimaryLanguageCode>
  <Attachment><oa:EmbeddedData filename="photo.png">iVBORw0KGgo=</oa:EmbeddedData></Attachment>
</CandidatePerson>
<CandidateProfile languageCode="nl">
  <hr:ID schemeID="Test-0001"/>
  <CandidatePositionPreferences><hr:DesiredSalary currency="EUR">3000</hr:DesiredSalary></CandidatePositionPreferences>
  <hr:ExecutiveSummary>&lt;p&gt;Eerst &lt;b&gt;dit&lt;/b&gt;.&lt;/p&gt;&lt;p&gt;Dan dat.&lt;/p&gt;</hr:ExecutiveSummary>
  <EmploymentHistory>
    <EmployerHistory>
      <hr:OrganizationName>Werf</hr:OrganizationName>
      <OrganizationContact><Communication><ChannelCode>Web</ChannelCode><oa:URI>https://werf.example/</oa:URI></Communication>
        <Communication><Address><oa:CityName>Gent</oa:CityName><CountryCode>be</CountryCode></Address></Communication></OrganizationContact>
      <hr:IndustryCode>C</hr:IndustryCode><hr:EmploymentType>permanent</hr:EmploymentType>
      <PositionHistory><PositionTitle typeCode="URI" languageID="http://data.europa.eu/esco/occupation/7212" name="ESCO">Lasser</PositionTitle>
        <eures:EmploymentPeriod>{_period("2010-03", "2015", "eures:")}</eures:EmploymentPeriod>
        <oa:Description>&lt;ul&gt;&lt;li&gt;naden&lt;/li&gt;&lt;li&gt;platen&lt;/li&gt;&lt;/ul&gt;</oa:Description>
        <City>Gent</City><Country>be</Country></PositionHistory>
      <PositionHistory><PositionTitle typeCode="FREETEXT">Ploegbaas</PositionTitle>
        <eures:EmploymentPeriod>{_period("2015", "", "eures:")}</eures:EmploymentPeriod>
        <City>Gent</City><Country>be</Country><Team>zes</Team></PositionHistory>
    </EmployerHistory>
    <EmployerHistory><hr:OrganizationName>Dok</hr:OrganizationName>
      <PositionHistory><PositionTitle typeCode="FREETEXT">Leerjongen</PositionTitle>
        <eures:EmploymentPeriod><eures:StartDate><hr:DateText>kort na school</hr:DateText></eures:StartDate></eures:EmploymentPeriod>
        <Department>Romp</Department></PositionHistory><hr:IndustryCode>H</hr:IndustryCode></EmployerHistory>
  </EmploymentHistory>
  <EducationHistory><EducationOrganizationAttendance>
    <hr:OrganizationName>Vakschool</hr:OrganizationName>
    <OrganizationContact><Communication><Address><oa:CityName>Aalst</oa:CityName><CountryCode>be</CountryCode></Address></Communication></OrganizationContact>
    <hr:ProgramName>Metaal</hr:ProgramName>
    <EducationLevelCode listName="EURES_EQF" name="Niveau 5">EQF-5</EducationLevelCode>
    <AttendancePeriod>{_period("1998-09", "2002-06")}</AttendancePeriod>
    <EducationDegree><hr:DegreeName>Lassen</hr:DegreeName><FinalGrade>onderscheiding</FinalGrade>
      <FieldOfStudy typeCode="URI"><MainFieldOfStudy><ProgramConcentration>07</ProgramConcentration></MainFieldOfStudy>
        <SpecificFieldOfStudy><ProgramConcentration>0715</ProgramConcentration></SpecificFieldOfStudy></FieldOfStudy>
      <OccupationalSkillsCovered>&lt;p&gt;TIG &amp;amp; MIG&lt;/p&gt;</OccupationalSkillsCovered>
      <Thesis>Naden</Thesis><NumberOfCredits>60</NumberOfCredits></EducationDegree>
  </EducationOrganizationAttendance></EducationHistory>
  <eures:Licenses>
    <eures:License><hr:LicenseTypeCode name="auto">B</hr:LicenseTypeCode><hr:LicenseName>Rijbewijs</hr:LicenseName>
      <IssuingAuthority><oa:Name>Gent</oa:Name></IssuingAuthority></eures:License>
    <eures:License><hr:LicenseTypeCode>C1E</hr:LicenseTypeCode><hr:LicenseName>Rijbewijs</hr:LicenseName><Restriction>bril</Restriction></eures:License>
  </eures:Licenses>
  <Certifications><Certification><hr:CertificationTypeCode>ISO</hr:CertificationTypeCode><hr:CertificationName>ISO 9606</hr:CertificationName>
    <IssuingAuthority><oa:Name>Instituut</oa:Name><CountryCode>be</CountryCode></IssuingAuthority>
    <FirstIssuedDate><hr:FormattedDateTime>2019-05-01</hr:FormattedDateTime></FirstIssuedDate><CertificationNumber>C-17</CertificationNumber>
    </Certification></Certifications>
  <PublicationHistory><Publication><Title>Over naden</Title><Year>2018</Year><DOI><Link>https://doi.example/1</Link></DOI>
    <Journal>Staal</Journal><Authors>J. Maes</Authors></Publication></PublicationHistory>
  <PersonQualifications>
    <PersonCompetency><CompetencyID schemeName="NORMAL">deu</CompetencyID><hr:TaxonomyID>language</hr:TaxonomyID>
      <eures:CompetencyDimension><hr:CompetencyDimensionTypeCode>CEF-Speaking-Interaction</hr:CompetencyDimensionTypeCode>
        <eures:Score><hr:ScoreText>B2</hr:ScoreText></eures:Score><Certificate>Goethe</Certificate></eures:CompetencyDimension>
      <eures:CompetencyDimension><hr:CompetencyDimensionTypeCode>Dialect</hr:CompetencyDimensionTypeCode>
        <eures:Score><hr:ScoreText>goed</hr:ScoreText></eures:Score></eures:CompetencyDimension></PersonCompetency>
    <PersonCompetency><CompetencyID schemeID="esco">http://data.europa.eu/esco/skill/weld</CompetencyID><hr:TaxonomyID schemeVersionID="1.1">other</hr:TaxonomyID>
      <hr:CompetencyName>TIG-lassen</hr:CompetencyName><Evidence>proefstuk</Evidence></PersonCompetency>
  </PersonQualifications>
  <EmploymentReferences><Referee><oa:FormattedName>Mevrouw X</oa:FormattedName><Communication><ChannelCode>Email</ChannelCode>
    <oa:URI>x@werf.example</oa:URI></Communication></Referee></EmploymentReferences>
  <CreativeWorks><CreativeWork><Title>Poort</Title><Description>In staal.</Description><Medium>staal</Medium></CreativeWork></CreativeWorks>
  <Projects><Project><Title>Brug</Title><Date>{_period("2011")}</Date><Role>lasser</Role></Project></Projects>
  <SocialAndPoliticalActivities><SocialAndPoliticalActivity><Title>Wijkraad</Title><Location>Gent</Location></SocialAndPoliticalActivity></SocialAndPoliticalActivities>
  <Skills><PersonCompetency><hr:TaxonomyID>Digital_Skill</hr:TaxonomyID><hr:CompetencyName>Excel</hr:CompetencyName></PersonCompetency>
    <SkillsGroup><Title>Tekenen</Title><PersonCompetency><hr:TaxonomyID>Digital_Skill</hr:TaxonomyID><hr:CompetencyName>CAD</hr:CompetencyName></PersonCompetency>
      <PersonCompetency><hr:TaxonomyID>Digital_Skill</hr:TaxonomyID><hr:CompetencyName>BIM</hr:CompetencyName></PersonCompetency></SkillsGroup></Skills>
  <DigitalSkills><DigitalSkillsGroup><DigitalSkill>Blogs</DigitalSkill></DigitalSkillsGroup></DigitalSkills>
  <OrganisationalSkills><OrganisationalSkill><Title>Plannen</Title><Description>Al jaren.</Description></OrganisationalSkill></OrganisationalSkills>
  <NetworksAndMemberships><NetworkAndMembership><Activity><Title>Lassersgilde</Title><Role>penning</Role></Activity></NetworkAndMembership></NetworksAndMemberships>
  <CourseCertifications><CourseCertification><Title>EHBO</Title><Date>{_period("2020")}</Date></CourseCertification></CourseCertifications>
  <VoluntaryWorks><VoluntaryWork><Title languageID="nl">Kok</Title><Date>{_period("2020")}</Date><Location>Aalst</Location></VoluntaryWork></VoluntaryWorks>
  <HobbiesAndInterests><HobbyOrInterest><Title>Zeilen</Title><Level>hoog</Level></HobbyOrInterest></HobbiesAndInterests>
  <Others><Title>Varia</Title><Other><Title>Stem</Title><Description>&lt;p&gt;Tenor&lt;/p&gt;</Description></Other>
    <Other><Title>Fluit</Title></Other></Others>
  <Others><Title>Nog</Title><Other><Title>Dans</Title></Other></Others>
</CandidateProfile>
<RenderingInformation><Design><Template>Template3</Template><Color>Blue</Color><SectionsOrder><Section><Title>work-experience</Title></Section>
  <Section><Title>creative-works</Title></Section></SectionsOrder></Design></RenderingInformation>
</Candidate>"""  # noqa: E501
