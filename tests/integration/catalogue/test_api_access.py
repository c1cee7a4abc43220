"""API access: who gets a plan, how keys live, and how far processes together let them go."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from waymark.catalogue.v1 import api_access_pb2 as pb
from waymark.catalogue.v1 import api_product_pb2, organisation_pb2

from services.catalogue import metering
from services.catalogue.metering import Meter
from services.catalogue.store import api_usage
from services.platform.db.transaction import transaction
from services.platform.errors import Refusal
from tests.support.api_access import METHOD, Seller
from tests.support.catalogue import Catalogue
from tests.support.portfolio import reason_of
from tests.support.servers import token

PATH = f"/waymark.{METHOD}/ListApiProducts"
Rule = api_product_pb2.ApiEligibilityRule
State = pb.ApiGrant


@pytest.fixture
def seller(catalogue: Catalogue) -> Seller:
    return Seller(lambda make, role, org: catalogue.stub(make, token(role, org=org)))


@pytest.fixture
def meter(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A meter of one process that looks at keys at each call."""
    monkeypatch.setattr(metering, "LOOK_AGAIN", 0.0)
    monkeypatch.setattr(metering, "UNKNOWN_AGAIN", 0.0)
    made = Meter(catalogue.app.settings.database_url)
    yield made
    made.close()


def said(meter: Meter, secret: str, path: str = PATH) -> str:
    try:
        meter.admit(secret, path)
    except Refusal as refusal:
        return refusal.reason_name
    return "passed"


def test_rules_grant_or_refuse_by_partner_type_with_the_reason(seller: Seller) -> None:
    private = seller.organisation("harbour", sector=organisation_pb2.SECTOR_PRIVATE)
    broker = seller.organisation(
        "broker",
        sector=organisation_pb2.SECTOR_PRIVATE,
        roles=[organisation_pb2.ORGANISATION_ROLE_PLATFORM],
    )
    third = seller.organisation("quay", sector=organisation_pb2.SECTOR_THIRD)
    why = {"en": "Platforms sell data on.", "nl": "Platformen verkopen gegevens."}
    product = seller.product(
        "cv-service",
        Rule(role=organisation_pb2.ORGANISATION_ROLE_PLATFORM, effect=Rule.EFFECT_REFUSE, reasons=why),
        Rule(sector=organisation_pb2.SECTOR_PRIVATE, effect=Rule.EFFECT_ALLOW),
    )
    plan = seller.plan(product, 600_000, period=api_product_pb2.ApiPlan.PERIOD_YEAR)
    granted = seller.request(private, plan)
    assert (granted.state, dict(granted.refusal_reasons)) == (State.STATE_GRANTED, {})
    refused = seller.request(broker, plan)
    assert (refused.state, dict(refused.refusal_reasons)) == (State.STATE_REFUSED, why)
    assert "No rule" in seller.request(third, plan).refusal_reasons["en"]
    no_key = pb.CreateApiKeyRequest(parent=refused.name)
    assert reason_of(seller.access(broker).CreateApiKey, no_key) == "WRONG_STATE"
    again = pb.RequestApiGrantRequest(api_grant=pb.ApiGrant(organisation=private, plan=plan))
    assert reason_of(seller.access(private).RequestApiGrant, again) == "API_GRANT_HELD"
    # The rules are data: changed, they let in who asks again.
    anybody = api_product_pb2.SetApiEligibilityRequest(
        name=product, eligibility=[Rule(effect=Rule.EFFECT_ALLOW)]
    )
    seller.products.SetApiEligibility(anybody)
    assert seller.request(broker, plan).state == State.STATE_GRANTED
    listed = seller.access(broker).ListApiGrants(pb.ListApiGrantsRequest()).api_grants
    assert [grant.state for grant in listed] == [State.STATE_GRANTED, State.STATE_REFUSED]
    others = pb.ListApiGrantsRequest(organisation=private)
    assert not seller.access(broker).ListApiGrants(others).api_grants
    assert [grant.name for grant in seller.access("").ListApiGrants(others).api_grants] == [granted.name]


def test_a_partner_cannot_say_itself_of_which_type_it_is(seller: Seller, catalogue: Catalogue) -> None:
    private = seller.organisation("harbour", sector=organisation_pb2.SECTOR_PRIVATE)
    office = seller.organisation("office", parent=private)  # says no sector: it is of the one above it
    why = {"en": "For public bodies."}
    product = seller.product(
        "cv-service",
        Rule(sector=organisation_pb2.SECTOR_PRIVATE, effect=Rule.EFFECT_REFUSE, reasons=why),
        Rule(effect=Rule.EFFECT_ALLOW),
    )
    plan = seller.plan(product, 0)
    own = catalogue.organisations(token("provider", org=private))
    public = organisation_pb2.UpdateOrganisationRequest(
        organisation={"name": private, "sector": "SECTOR_PUBLIC"}, update_mask={"paths": ["sector"]}
    )
    assert reason_of(own.UpdateOrganisation, public) == "PERMISSION_DENIED"
    for partner in (private, office):
        refused = seller.request(partner, plan)
        assert (refused.state, dict(refused.refusal_reasons)) == (State.STATE_REFUSED, why)
    catalogue.organisations().UpdateOrganisation(public)  # control: staff may, and it counts
    assert seller.request(office, plan).state == State.STATE_GRANTED


def test_what_cannot_be_sold_is_refused(seller: Seller) -> None:
    unknown = api_product_pb2.CreateApiProductRequest(
        api_product=api_product_pb2.ApiProduct(display_names={"en": "x"}, methods=["catalogue.v1.NoService"]),
        api_product_id="nothing",
    )
    assert reason_of(seller.products.CreateApiProduct, unknown) == "INVALID_ARGUMENT"
    silent = api_product_pb2.SetApiEligibilityRequest(
        name=seller.product("some"), eligibility=[Rule(effect=Rule.EFFECT_REFUSE)]
    )
    assert reason_of(seller.products.SetApiEligibility, silent) == "INVALID_ARGUMENT"
    plan = seller.plan("apiProducts/some", 100)
    close = api_product_pb2.CloseApiPlanRequest(name=plan)
    assert seller.products.CloseApiPlan(close).closed
    assert reason_of(seller.products.CloseApiPlan, close) == "WRONG_STATE"
    harbour = seller.organisation("harbour")
    late = pb.RequestApiGrantRequest(api_grant=pb.ApiGrant(organisation=harbour, plan=plan))
    assert reason_of(seller.access(harbour).RequestApiGrant, late) == "WRONG_STATE"
    reopen = api_product_pb2.ReopenApiPlanRequest(name=plan)
    assert not seller.products.ReopenApiPlan(reopen).closed
    assert reason_of(seller.products.ReopenApiPlan, reopen) == "WRONG_STATE"
    assert seller.access(harbour).RequestApiGrant(late).state == State.STATE_GRANTED


def test_a_key_is_shown_once_kept_as_digest_rotated_with_an_overlap_and_revoked(
    catalogue: Catalogue, seller: Seller, meter: Meter
) -> None:
    harbour = seller.organisation("harbour")
    sold = seller.sell(harbour, "open")
    first, access = sold.key, seller.access(harbour)
    assert re.fullmatch(r"wmk_[A-Za-z0-9_-]{43}", first.secret)  # 256 bits
    assert first.secret.startswith(first.prefix)
    with transaction(catalogue.app) as tx:
        kept = str(tx.execute(text("SELECT to_jsonb(api_keys) FROM api_keys")).scalar_one())
    assert first.secret not in kept
    once = pb.CreateApiKeyRequest(parent=sold.grant, request_id=str(uuid4()))
    assert access.CreateApiKey(once).secret
    assert reason_of(access.CreateApiKey, once) == "ALREADY_ANSWERED"
    listed = access.ListApiKeys(pb.ListApiKeysRequest(parent=sold.grant)).keys
    assert [(key.prefix, key.secret) for key in listed][:1] == [(first.prefix, "")]
    assert said(meter, first.secret) == "passed"

    rotate = pb.RotateApiKeyRequest(name=first.name)
    second = access.RotateApiKey(rotate)
    assert (said(meter, first.secret), said(meter, second.secret)) == ("passed", "passed")
    rotate = pb.RotateApiKeyRequest(name=second.name)
    rotate.overlap.FromTimedelta(timedelta(0))
    third = access.RotateApiKey(rotate)
    assert (said(meter, second.secret), said(meter, third.secret)) == ("API_KEY_INVALID", "passed")
    access.RevokeApiKey(pb.RevokeApiKeyRequest(name=first.name))
    assert said(meter, first.secret) == "API_KEY_INVALID"
    assert reason_of(access.RotateApiKey, pb.RotateApiKeyRequest(name=first.name)) == "WRONG_STATE"
    assert said(meter, "wmk_guessed") == "API_KEY_INVALID"
    assert said(meter, third.secret, "/waymark.catalogue.v1.SearchService/SearchCourses") == (
        "API_KEY_NOT_FOR_CALL"
    )
    end = pb.EndApiGrantRequest(name=sold.grant, reason="The agreement is over.")
    assert seller.access("").EndApiGrant(end).state == State.STATE_ENDED
    assert said(meter, third.secret) == "API_KEY_INVALID"


def test_offices_have_keys_of_their_own_and_strangers_none(seller: Seller, meter: Meter) -> None:
    head = seller.organisation("agency")
    office = seller.organisation("agency-01", parent=head)
    stranger = seller.organisation("stranger")
    sold = seller.sell(head, "open")
    of_office = seller.key(head, sold.grant, organisation=office, label="Office 1")
    foreign = pb.CreateApiKeyRequest(parent=sold.grant, key=pb.ApiKey(organisation=stranger))
    assert reason_of(seller.access(head).CreateApiKey, foreign) == "INVALID_ARGUMENT"
    plain = pb.CreateApiKeyRequest(parent=sold.grant)
    assert reason_of(seller.access(stranger).CreateApiKey, plain) == "NOT_FOUND"
    for _ in range(3):
        assert said(meter, of_office.secret) == "passed"
    assert said(meter, sold.key.secret) == "passed"
    meter.settle()
    month = f"{api_now(meter):%Y-%m}"
    request = pb.GetApiStatementRequest(name=sold.grant, month=month)
    statement = seller.access(head).GetApiStatement(request)
    assert [(line.organisation, line.label, line.calls) for line in statement.lines] == [
        (office, "Office 1", 3),
        (head, "", 1),
    ]
    assert (statement.calls, statement.refused_calls) == (4, 0)
    chunks = seller.access(head).GetApiStatementFile(
        pb.GetApiStatementFileRequest(name=sold.grant, month=month)
    )
    lines = b"".join(chunk.data for chunk in chunks).decode().splitlines()
    assert lines[0] == "day,key,organisation,calls,refused_calls"
    assert sorted(line.split(",")[2:] for line in lines[1:]) == [
        ["agency", "1", "0"],
        ["agency-01", "3", "0"],
    ]


def test_one_who_guesses_keys_makes_no_process_ask_the_database_each_time(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, state = [], api_usage.state
    monkeypatch.setattr(api_usage, "state", lambda tx: looks.append(1) or state(tx))
    monkeypatch.setattr(metering, "UNKNOWN_AGAIN", 0.5)
    meter = Meter(catalogue.app.settings.database_url)
    assert {said(meter, f"wmk_{number}") for number in range(20)} == {"API_KEY_INVALID"}
    assert len(looks) <= 2
    monkeypatch.setattr(metering, "UNKNOWN_AGAIN", 0.0)  # control
    assert {said(meter, f"wmk_{number}") for number in range(20)} == {"API_KEY_INVALID"}
    assert len(looks) >= 20
    meter.close()


def api_now(meter: Meter) -> Any:
    with transaction(meter._engine) as tx:
        return tx.now


def race(catalogue: Catalogue, secret: str, processes: int, calls: int) -> list[str]:
    """Calls from as many meters at once as there were processes; returns what each call was told."""
    meters = [Meter(catalogue.app.settings.database_url) for _ in range(processes)]
    told: list[str] = []
    threads = [
        threading.Thread(target=lambda meter=each: told.extend(said(meter, secret) for _ in range(calls)))
        for each in meters
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for meter in meters:
        meter.settle()
        meter.close()
    return told


def test_processes_together_never_pass_a_quota_and_count_every_call(
    catalogue: Catalogue, seller: Seller
) -> None:
    harbour = seller.organisation("harbour")
    sold = seller.sell(harbour, "open", 12_345, per_day=300)
    told = race(catalogue, sold.key.secret, processes=3, calls=60)
    assert told.count("passed") == 300  # shares are 3 calls, and all of them are used up
    assert told.count("API_QUOTA_EXCEEDED") == 60
    request = pb.GetApiStatementRequest(name=sold.grant, month=today(catalogue)[:7])
    statement = seller.access(harbour).GetApiStatement(request)
    assert (statement.calls, statement.refused_calls) == (300, 60)
    assert (statement.due.units, statement.due.nanos) == (123, 450_000_000)


def test_control_without_a_share_from_the_database_they_pass_it(
    catalogue: Catalogue, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    harbour = seller.organisation("harbour")
    sold = seller.sell(harbour, "open", per_day=300)
    monkeypatch.setattr(api_usage, "take", lambda tx, grant, quotas: dict(quotas))
    assert race(catalogue, sold.key.secret, processes=3, calls=60).count("passed") == 360


def today(catalogue: Catalogue) -> str:
    with transaction(catalogue.app) as tx:
        return tx.now.date().isoformat()


def test_what_could_not_be_written_is_written_later_and_known_keys_pass_meanwhile(
    catalogue: Catalogue, seller: Seller, meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    harbour = seller.organisation("harbour")
    sold = seller.sell(harbour, "open")
    assert said(meter, sold.key.secret) == "passed"
    with transaction(catalogue.app) as tx:
        tx.execute(text("ALTER TABLE api_usage RENAME TO away"))
        tx.execute(text("ALTER TABLE api_grants RENAME TO gone"))
    assert said(meter, sold.key.secret) == "passed"
    with pytest.raises(Exception, match="api_usage"):
        meter.settle()
    monkeypatch.setattr(metering, "KEPT", 0.0)
    with pytest.raises(Exception, match="api_grants"):
        meter.admit(sold.key.secret, PATH)
    with transaction(catalogue.app) as tx:
        tx.execute(text("ALTER TABLE away RENAME TO api_usage"))
        tx.execute(text("ALTER TABLE gone RENAME TO api_grants"))
    meter.settle()
    request = pb.GetApiStatementRequest(name=sold.grant, month=today(catalogue)[:7])
    assert seller.access(harbour).GetApiStatement(request).calls == 2
