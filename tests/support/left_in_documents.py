"""What the real documents say that a portfolio has no place for: each path, how often, and nothing else."""

from __future__ import annotations

from collections import Counter

_TOLD = {
    "europass-3.4/Europass_CV_V3.4.0_Example.xml": """
        Attachment.Description 1
        Attachment.Metadata.key 1
        Attachment.Metadata.value 1
        Attachment.MimeType 2
        Attachment.Name 2
        Attachment.id 2
        LearnerInfo.Achievement.Title.Code 1
        LearnerInfo.Documentation.ReferenceTo.idref 2
        LearnerInfo.Education.Documentation.ReferenceTo.idref 2
        LearnerInfo.Education.Field.Code 1
        LearnerInfo.Education.Field.Label 1
        LearnerInfo.Education.Organisation.ContactInfo.Address.Contact.Country.Code 1
        LearnerInfo.Education.Organisation.ContactInfo.Address.Contact.Country.Label 1
        LearnerInfo.Headline.Description.Label 1
        LearnerInfo.Headline.Type.Code 1
        LearnerInfo.Headline.Type.Label 1
        LearnerInfo.Identification.ContactInfo.InstantMessaging.Contact 1
        LearnerInfo.Identification.ContactInfo.InstantMessaging.Use.Code 1
        LearnerInfo.Identification.ContactInfo.InstantMessaging.Use.Label 1
        LearnerInfo.Identification.ContactInfo.Telephone.Contact 1
        LearnerInfo.Identification.ContactInfo.Telephone.Use.Code 2
        LearnerInfo.Identification.ContactInfo.Telephone.Use.Label 2
        LearnerInfo.Identification.ContactInfo.Website.Contact 2
        LearnerInfo.Identification.ContactInfo.Website.Use.Code 1
        LearnerInfo.Identification.ContactInfo.Website.Use.Label 2
        LearnerInfo.Identification.Demographics.Gender.Code 1
        LearnerInfo.Identification.Demographics.Gender.Label 1
        LearnerInfo.Identification.Demographics.Nationality.Code 2
        LearnerInfo.Identification.Demographics.Nationality.Label 3
        LearnerInfo.Identification.Photo.Metadata.key 1
        LearnerInfo.Identification.Photo.Metadata.value 1
        LearnerInfo.Identification.Photo.MimeType 1
        LearnerInfo.Skills.Communication.Description 1
        LearnerInfo.Skills.Computer.Description 1
        LearnerInfo.Skills.Computer.ProficiencyLevel.Communication 1
        LearnerInfo.Skills.Computer.ProficiencyLevel.ContentCreation 1
        LearnerInfo.Skills.Computer.ProficiencyLevel.Information 1
        LearnerInfo.Skills.Computer.ProficiencyLevel.ProblemSolving 1
        LearnerInfo.Skills.Computer.ProficiencyLevel.Safety 1
        LearnerInfo.Skills.Computer.VerifiedBy.Certificate.Title 1
        LearnerInfo.Skills.JobRelated.Description 1
        LearnerInfo.Skills.Linguistic.ForeignLanguage.VerifiedBy.Certificate.Title 2
        LearnerInfo.Skills.Organisational.Description 1
        LearnerInfo.Skills.Other.Description 1
        LearnerInfo.WorkExperience.Documentation.ReferenceTo.idref 1
        LearnerInfo.WorkExperience.Employer.ContactInfo.Address.Contact.Country.Code 1
        LearnerInfo.WorkExperience.Employer.ContactInfo.Address.Contact.Country.Label 1
        LearnerInfo.WorkExperience.Employer.Sector.Code 1
        LearnerInfo.WorkExperience.Employer.Sector.Label 1
    """,
    "europass-3.4/Europass_JSON_V3.4.0_ECV_Example.json": """
        Attachment.Data 1
        Attachment.Description 1
        Attachment.Id 1
        Attachment.Metadata.Key 2
        Attachment.Metadata.Value 2
        Attachment.MimeType 1
        Attachment.Name 1
        LearnerInfo.Education.Field.Code 2
        LearnerInfo.Education.Field.Label 2
        LearnerInfo.Education.Organisation.ContactInfo.Address.Contact.Country.Code 2
        LearnerInfo.Education.Organisation.ContactInfo.Address.Contact.Country.Label 2
        LearnerInfo.Headline.Description.Label 1
        LearnerInfo.Headline.Type.Code 1
        LearnerInfo.Headline.Type.Label 1
        LearnerInfo.Identification.ContactInfo.InstantMessaging.Contact 2
        LearnerInfo.Identification.ContactInfo.InstantMessaging.Use.Code 2
        LearnerInfo.Identification.ContactInfo.InstantMessaging.Use.Label 2
        LearnerInfo.Identification.ContactInfo.Telephone.Contact 1
        LearnerInfo.Identification.ContactInfo.Telephone.Use.Code 2
        LearnerInfo.Identification.ContactInfo.Website.Contact 1
        LearnerInfo.Identification.Demographics.Gender.Code 1
        LearnerInfo.Identification.Demographics.Gender.Label 1
        LearnerInfo.Identification.Demographics.Nationality.Code 1
        LearnerInfo.Identification.Demographics.Nationality.Label 1
        LearnerInfo.Identification.Photo.Data 1
        LearnerInfo.Identification.Photo.Metadata.Key 2
        LearnerInfo.Identification.Photo.Metadata.Value 2
        LearnerInfo.Identification.Photo.MimeType 1
        LearnerInfo.ReferenceTo.idref 1
        LearnerInfo.Skills.Communication.Description 1
        LearnerInfo.Skills.Computer.Description 1
        LearnerInfo.Skills.Computer.ProficiencyLevel.Communication 1
        LearnerInfo.Skills.Computer.ProficiencyLevel.ContentCreation 1
        LearnerInfo.Skills.Computer.ProficiencyLevel.Information 1
        LearnerInfo.Skills.Computer.ProficiencyLevel.ProblemSolving 1
        LearnerInfo.Skills.Computer.ProficiencyLevel.Safety 1
        LearnerInfo.Skills.Computer.VerifiedBy.Certificate.Title 3
        LearnerInfo.Skills.JobRelated.Description 1
        LearnerInfo.Skills.Linguistic.ForeignLanguage.Certificate.Title 2
        LearnerInfo.Skills.Organisational.Description 1
        LearnerInfo.Skills.Other.Description 1
        LearnerInfo.WorkExperience.Employer.ContactInfo.Address.Contact.AddressLine 3
        LearnerInfo.WorkExperience.Employer.ContactInfo.Address.Contact.Country.Code 3
        LearnerInfo.WorkExperience.Employer.ContactInfo.Address.Contact.Country.Label 3
        LearnerInfo.WorkExperience.Employer.ContactInfo.Address.Contact.PostalCode 3
        LearnerInfo.WorkExperience.Employer.Sector.Code 2
        LearnerInfo.WorkExperience.Employer.Sector.Label 3
    """,
    "leap2a/2010-10-16_Mahara_v1-3_leap2a.xml": """
        ability.content 3
        achievement.end_date 1
        achievement.link.is_part_of 1
        achievement.link.supported_by 1
        activity.end_date 1
        activity.link.is_part_of 3
        activity.link.supports 1
        affiliation 1
        entry 5
        entry.content.markup 1
        person.link.related 1
        person.persondata.gender 1
        person.persondata.id 1
        person.persondata.other 4
        person.persondata.preferred_given_name 1
        person.persondata.website 3
        person.spatial 1
        person.title 1
        publication.category 1
        publication.link.is_part_of 1
        publication.myrole 1
        resource.link.is_part_of 1
        resource.link.related 1
        selection 9
        selection.link.has_part 10
        selection.view.externalfeed 1
        selection.view.externalvideo 1
    """,
    "leap2a/test_valid_leap2a.xml": """
        activity.category 1
        activity.link.has_part 1
        activity.link.is_part_of 1
        activity.link.reflected_on_by 1
        activity.summary 1
        entry 3
        meeting 1
        person 1
        person.link.attends 1
    """,
}
LEFT = {
    name: Counter({path: int(count) for path, count in map(str.split, told.strip().split("\n"))})
    for name, told in _TOLD.items()
}
