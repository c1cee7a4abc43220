"""Agreements: what the form demands, who drafts, activates, owns and monitors, and who may read."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from waymark.catalogue.v1 import agreement_pb2 as pb
from waymark.catalogue.v1 import events_pb2
from waymark.catalogue.v1.organisation_pb2 import (
    ORGANISATION_ROLE_PUBLIC_EMPLOYMENT_SERVICE,
    CreateOrganisationRequest,
    Organisation,
)

from services.catalogue.api import agreements as api
from services.catalogue.domain import agreement as domain
from services.platform.db.transaction import transaction
from tests.integration.catalogue.agreements import active, calls, drafted, given
from tests.integration.catalogue.outbox import events
from tests.support.catalogue import MANAGER, Catalogue, day
from tests.support.portfolio import reason_of
from tests.support.refusals import fields_refused
from tests.support.servers import token

Agreement = pb.Agreement


@pytest.fixture
def two(catalogue: Catalogue) -> tuple[str, str]:
    return catalogue.organisation("pes"), catalogue.organisation("harbour")


def test_from_draft_to_end(catalogue: Catalogue, two: tuple[str, str]) -> None:
    third = catalogue.organisation("union")
    draft = drafted(catalogue, *two, third)
    assert (draft.state, list(draft.parties)) == (Agreement.STATE_DRAFT, [*two, third])
    change = pb.UpdateAgreementRequest(
        agreement=given(*two, third, name=draft.name, etag=draft.etag, standards=["ISO 29993"]),
        update_mask=FieldMask(paths=["standards"]),
    )
    changed = calls(catalogue).UpdateAgreement(change)
    assert (list(changed.standards), changed.models) == (["ISO 29993"], draft.models)
    assert reason_of(calls(catalogue).UpdateAgreement, change) == "ETAG_STALE"
    start = pb.ActivateAgreementRequest(name=draft.name)
    assert reason_of(calls(catalogue).ActivateAgreement, start) == "SAME_PERSON"
    second = calls(catalogue, catalogue.second)
    running = second.ActivateAgreement(start)
    assert running.state == Agreement.STATE_ACTIVE
    assert running.HasField("start_date")
    assert not running.HasField("end_date")
    assert reason_of(second.ActivateAgreement, start) == "WRONG_STATE"
    change.agreement.etag, change.agreement.standards[:] = running.etag, ["ISO 21001"]
    assert reason_of(calls(catalogue).UpdateAgreement, change) == "WRONG_STATE"
    end = pb.EndAgreementRequest(name=draft.name, reason=pb.AGREEMENT_END_REASON_MUTUAL)
    ended = calls(catalogue).EndAgreement(end)
    assert (ended.state, ended.end_reason) == (Agreement.STATE_ENDED, pb.AGREEMENT_END_REASON_MUTUAL)
    assert reason_of(calls(catalogue).EndAgreement, end) == "WRONG_STATE"
    told = events(catalogue, events_pb2.AgreementChanged)
    assert [(event.active, list(event.parties)) for event in told] == [
        (True, [*two, third]),
        (False, [*two, third]),
    ]
    assert told[0].version < told[1].version


def test_the_form_demands_fields_and_the_refusal_names_each(
    catalogue: Catalogue, two: tuple[str, str]
) -> None:
    draft = drafted(catalogue, *two, form=pb.AGREEMENT_FORM_LEGALLY_BINDING)
    start = pb.ActivateAgreementRequest(name=draft.name)
    second = calls(catalogue, catalogue.second)
    assert reason_of(second.ActivateAgreement, start) == "AGREEMENT_INCOMPLETE"
    assert fields_refused(second.ActivateAgreement, start) == [
        "agreement.volumes",
        "agreement.standards",
        "agreement.end_date",
    ]
    whole = given(
        *two,
        name=draft.name,
        form=pb.AGREEMENT_FORM_LEGALLY_BINDING,
        volumes=[pb.AgreementVolume(what="places a year", quantity=120)],
        standards=["ISO 29993"],
        end_date=day("2099-12-31"),
    )
    calls(catalogue).UpdateAgreement(pb.UpdateAgreementRequest(agreement=whole))
    running = second.ActivateAgreement(start)
    assert [(each.what, each.quantity) for each in running.volumes] == [("places a year", 120)]


def test_control_without_the_check_half_an_agreement_comes_into_force(
    catalogue: Catalogue, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "check_complete", lambda form, present: None)
    running = active(catalogue, *two, form=pb.AGREEMENT_FORM_LEGALLY_BINDING)
    assert running.state == Agreement.STATE_ACTIVE


@pytest.mark.parametrize(
    "changes",
    [
        {"monitor": MANAGER.upper()},
        {"start_date": day("2026-02-01"), "end_date": day("2026-01-31")},
        {"models": []},
        {"form": 0},
        {"selection_procedure": 0},
        {"parties": ["organisations/pes"]},
        {"parties": ["organisations/pes"] * 2},
        {"owner": "Mila"},
    ],
)
def test_what_is_no_agreement(catalogue: Catalogue, two: tuple[str, str], changes: Any) -> None:
    request = pb.CreateAgreementRequest(agreement=given(*two, **{"parties": two, **changes}))
    assert reason_of(calls(catalogue).CreateAgreement, request) == "INVALID_ARGUMENT"


def test_an_unknown_party(catalogue: Catalogue, two: tuple[str, str]) -> None:
    request = pb.CreateAgreementRequest(agreement=given(two[0], "organisations/nobody"))
    assert reason_of(calls(catalogue).CreateAgreement, request) == "NOT_FOUND"


GUARDS = {
    "agreement_monitor_apart": "UPDATE agreements SET monitor = owner",
    "agreement_second_person": "UPDATE agreements SET activated_by = drafted_by",
    "agreement_activated_whole": "UPDATE agreements SET activated_by = NULL, activate_time = NULL",
}


@pytest.mark.parametrize("guard", GUARDS)
def test_the_database_holds_it_too_and_without_its_guard_does_not(
    catalogue: Catalogue, two: tuple[str, str], guard: str
) -> None:
    active(catalogue, *two)

    def breach() -> None:
        with transaction(catalogue.app) as tx:
            tx.execute(text(GUARDS[guard]))

    with pytest.raises(IntegrityError, match=guard):
        breach()
    with transaction(catalogue.app) as tx:  # control
        tx.execute(text(f"ALTER TABLE agreements DROP CONSTRAINT {guard}"))
    breach()


def test_with_the_code_off_the_database_still_keeps_monitor_and_owner_apart(
    catalogue: Catalogue, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "faults", lambda *given: [])
    request = pb.CreateAgreementRequest(agreement=given(*two, monitor=MANAGER.upper()))
    assert reason_of(calls(catalogue).CreateAgreement, request) == "INTERNAL"


def test_parties_read_their_own_only(catalogue: Catalogue, two: tuple[str, str]) -> None:
    other = catalogue.organisation("other")
    own, foreign = active(catalogue, *two), drafted(catalogue, two[0], other)
    partner = calls(catalogue, token("provider", org=two[1]))
    assert partner.GetAgreement(pb.GetAgreementRequest(name=own.name)).name == own.name
    assert reason_of(partner.GetAgreement, pb.GetAgreementRequest(name=foreign.name)) == "NOT_FOUND"
    assert [a.name for a in partner.ListAgreements(pb.ListAgreementsRequest()).agreements] == [own.name]
    request = pb.ListAgreementsRequest(party=other)
    assert not partner.ListAgreements(request).agreements
    assert [a.name for a in calls(catalogue).ListAgreements(request).agreements] == [foreign.name]
    request = pb.ListAgreementsRequest(page_size=1)
    first = calls(catalogue).ListAgreements(request)
    request.page_token = first.next_page_token
    rest = calls(catalogue).ListAgreements(request)
    assert [a.name for a in (*first.agreements, *rest.agreements)] == [foreign.name, own.name]
    drafts = pb.ListAgreementsRequest(state=Agreement.STATE_DRAFT)
    assert [a.name for a in calls(catalogue).ListAgreements(drafts).agreements] == [foreign.name]


def test_the_last_day_ends_it(catalogue: Catalogue, two: tuple[str, str]) -> None:
    running = active(catalogue, *two, start_date=day("2026-01-01"), end_date=day("2099-12-31"))
    api.end_those_over(catalogue.app)
    with transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE agreements SET start_date = NULL, end_date = current_date"))
    api.end_those_over(catalogue.app)
    read = pb.GetAgreementRequest(name=running.name)
    assert calls(catalogue).GetAgreement(read).state == Agreement.STATE_ACTIVE
    with transaction(catalogue.app) as tx:
        tx.execute(text("UPDATE agreements SET end_date = current_date - 1"))
    api.end_those_over(catalogue.app)
    api.end_those_over(catalogue.app)
    ended = calls(catalogue).GetAgreement(read)
    assert (ended.state, ended.end_reason) == (domain.State.ENDED, pb.AGREEMENT_END_REASON_TERM)
    assert [event.active for event in events(catalogue, events_pb2.AgreementChanged)] == [True, False]


def test_who_changes_a_draft_does_not_put_it_in_force(catalogue: Catalogue, two: tuple[str, str]) -> None:
    draft = drafted(catalogue, *two)
    second = calls(catalogue, catalogue.second)
    second.UpdateAgreement(pb.UpdateAgreementRequest(agreement=given(*two, name=draft.name, standards=["x"])))
    start = pb.ActivateAgreementRequest(name=draft.name)
    assert reason_of(second.ActivateAgreement, start) == "SAME_PERSON"
    assert calls(catalogue).ActivateAgreement(start).state == Agreement.STATE_ACTIVE


def test_in_force_it_can_be_handed_over(catalogue: Catalogue, two: tuple[str, str]) -> None:
    running = active(catalogue, *two, volumes=[pb.AgreementVolume(what="places", quantity=3)])
    new, update = str(uuid.uuid4()), calls(catalogue).UpdateAgreement
    running.owner = new.upper()
    handed = update(pb.UpdateAgreementRequest(agreement=running))
    assert (handed.owner, handed.etag != running.etag) == (new, True)
    handed.monitor = new
    assert fields_refused(update, pb.UpdateAgreementRequest(agreement=handed)) == ["agreement.monitor"]
    handed.monitor = running.monitor
    handed.volumes[0].quantity = 2
    assert reason_of(update, pb.UpdateAgreementRequest(agreement=handed)) == "WRONG_STATE"


def test_a_repeat_takes_effect_once(catalogue: Catalogue, two: tuple[str, str]) -> None:
    request = pb.CreateAgreementRequest(
        agreement=given(*two), request_id="0198c5f0-7a51-7cc3-9d0a-3a1b2c3d4e61"
    )
    create = calls(catalogue).CreateAgreement
    assert create(request).name == create(request).name
    assert len(calls(catalogue).ListAgreements(pb.ListAgreementsRequest()).agreements) == 1


def test_where_the_catalogue_knows_the_pes_it_or_an_office_of_it_is_a_party(catalogue: Catalogue) -> None:
    for name in ("one", "two"):
        catalogue.organisation(name)
    early = drafted(catalogue, "organisations/one", "organisations/two")
    pes = Organisation(display_name="PES", roles=[ORGANISATION_ROLE_PUBLIC_EMPLOYMENT_SERVICE])
    made = CreateOrganisationRequest(organisation=pes, organisation_id="pes")
    pes_name = catalogue.organisations().CreateOrganisation(made).name
    office = Organisation(display_name="Office", parent=pes_name)
    made = CreateOrganisationRequest(organisation=office, organisation_id="office")
    catalogue.organisations().CreateOrganisation(made)
    without = pb.CreateAgreementRequest(agreement=given("organisations/one", "organisations/two"))
    assert fields_refused(calls(catalogue).CreateAgreement, without) == ["agreement.parties"]
    activate = pb.ActivateAgreementRequest(name=early.name)
    second = calls(catalogue, catalogue.second)
    assert fields_refused(second.ActivateAgreement, activate) == ["agreement.parties"]
    for party in (pes_name, "organisations/office"):
        assert active(catalogue, party, "organisations/two").state == pb.Agreement.STATE_ACTIVE
