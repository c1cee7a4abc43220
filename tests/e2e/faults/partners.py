"""What is agreed with a partner, and what it says of itself, on a running stack, to be asked for."""

from __future__ import annotations

from typing import Any

from services.cli.demo import catalogue
from services.cli.demo.catalogue_rows import c01_taxonomy_change, figures, ground
from services.cli.demo.journey import Journey
from tests.support.traffic import Callers, Person
from tests.support.waiting import eventually

NAMES = {"en": "x"}


def fill(
    callers: Callers, journey: Journey, provider: Person, employer: Person, caseworker: Person
) -> set[str]:
    """Makes one of each, with all that can be read of it, for the provider's organisation, and an application
    of the employer's too; returns the names that the journal does not have."""
    owner = callers.person("catalogue_manager")
    _agree(callers, journey, owner, provider)
    details = {"name": f"{provider.organisation}/contactDetails", "phone": "+3230000000"}
    provider.surely("UpdateContactDetails", contact_details=details)
    provider.surely("CreateUpload", size_bytes=1, content_type="text/csv", sha256="0" * 64)
    wish = {
        "display_name": "Yard",
        "legal_ids": {"vat": "BE0123456789"},
        "sector": "SECTOR_PRIVATE",
        "roles": ["ORGANISATION_ROLE_PARTNER"],
    }
    provider.surely("CreatePartnerApplication", partner_application=wish)
    refused = employer.surely("CreatePartnerApplication", partner_application=wish).name
    owner.surely("RefusePartner", name=refused, reason="PARTNER_REFUSAL_REASON_NO_NEED")
    employer.surely("FileAppeal", appeal={"subject": refused, "reason": "x"})
    assessment = {"occupation": "7212", "nuts_code": "BE2", "severity": 0}
    caseworker.surely("CreateAssessment", assessment=assessment)
    access = _access(owner, provider)
    alike = look_alike(journey, provider)
    held = _held_once(callers, owner, provider, alike)
    source = figures.register(journey)
    imported = figures.take_in(journey, source, figures.FOLDER / "figures.csv")
    uri = c01_taxonomy_change.tagged_course(journey)["occupations"][0]["uri"]
    change = c01_taxonomy_change.propose(journey, uri)
    return {imported["name"], source, change["name"], held, *access, *alike}


def _agree(callers: Callers, journey: Journey, owner: Person, provider: Person) -> None:
    """Agrees with the provider's organisation on something with a target, reviews it and hears feedback."""
    monitor, second = (callers.person("catalogue_manager") for _ in range(2))
    agreement: dict[str, Any] = {
        "display_names": NAMES,
        "parties": [ground.office(journey), provider.organisation],
        "models": ["PARTNERSHIP_MODEL_AGILE"],
        "form": "AGREEMENT_FORM_INFORMAL",
        "selection_procedure": "SELECTION_PROCEDURE_CO_OPTION",
        "owner": owner.subject,
        "monitor": monitor.subject,
    }
    name = owner.surely("CreateAgreement", agreement=agreement).name
    target: dict[str, Any] = {
        "display_names": NAMES,
        "kind": "KIND_COUNTED",
        "unit": "people",
        "value": 10,
        "start_date": {"year": 2026, "month": 1, "day": 1},
        "due_date": {"year": 2036, "month": 1, "day": 1},
    }
    aimed = owner.surely("CreateAgreementTarget", parent=name, target=target).name
    second.surely("ActivateAgreement", name=name)
    review = {"verdict": "VERDICT_KEEP", "values": [{"target": aimed, "current": 5}]}
    monitor.surely("RecordAgreementReview", parent=name, review=review)
    provider.surely("GiveAgreementFeedback", parent=name, feedback={"rating": 4})


def _held_once(callers: Callers, owner: Person, provider: Person, courses: set[str]) -> str:
    """Holds the provider's own of these courses back and lets it go at once; returns the name of the hold."""
    found = [owner.surely("GetCourse", name=each) for each in sorted(courses)]
    course = next(each.name for each in found if each.organisation == provider.organisation)
    subject = {"subject": course, "reason": "REASON_SAFETY"}
    hold = owner.surely("PlaceQualityHold", quality_hold=subject)
    provider.surely("FileAppeal", appeal={"subject": hold.name, "reason": "x"})
    callers.person("catalogue_manager").surely("LiftQualityHold", name=hold.name, outcome="OUTCOME_MENDED")
    return str(hold.name)


def look_alike(journey: Journey, provider: Person) -> set[str]:
    """Courses of another partner that look like the provider's; returns the names of two."""
    manager = journey.person(catalogue.ROLE, "Mila")
    twin = catalogue.onboard(journey, manager, "twin", "Harbour Twin")
    source = catalogue.new_source(manager, twin, "FEED_FORMAT_CSV_TEMPLATE")
    catalogue.run_feed(journey, source, journey.data.partner_feed, dry=False)
    eventually(lambda: provider.surely("ListCourseLinks").course_links)
    return set(provider.surely("ListCourseLinks").course_links[0].courses)


def _access(owner: Person, provider: Person) -> set[str]:
    """Sells the provider access; returns the names of the grant and its key."""
    product = {
        "display_names": NAMES,
        "methods": ["catalogue.v1.SearchService"],
        "eligibility": [{"effect": "EFFECT_ALLOW"}],
    }
    sold = f"p-{provider.organisation.rpartition('/')[2]}"[:60]
    owner.surely("CreateApiProduct", api_product=product, api_product_id=sold)
    price = {"currency_code": "EUR", "units": 1}
    plan = {"display_names": NAMES, "price": price, "period": "PERIOD_MONTH", "per_day": 5}
    made = owner.surely("CreateApiPlan", parent=f"apiProducts/{sold}", plan=plan, plan_id="plan").name
    asked = {"organisation": provider.organisation, "plan": made}
    grant = provider.surely("RequestApiGrant", api_grant=asked).name
    return {grant, provider.surely("CreateApiKey", parent=grant, key={"label": "site"}).name}
