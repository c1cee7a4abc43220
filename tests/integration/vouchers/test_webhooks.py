"""Back offices are told of events: signed, at least once, tried for days, and never in anybody's way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from waymark.vouchers.v1 import events_pb2
from waymark.vouchers.v1 import webhook_pb2 as pb

from services.platform.db.transaction import transaction
from services.platform.db.wire import send
from services.platform.outgoing.webhooks import WAITS
from services.vouchers import jobs, webhooks
from services.vouchers.domain.webhooks import GIVEN_UP_LIMIT
from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.canary import everything
from tests.support.receivers import Receiver, receiver, verified
from tests.support.refusals import reason_of
from tests.support.vouchers import NO_EVIDENCE, World, request_id
from tests.support.waiting import eventually

ISSUED = "waymark.vouchers.v1.VoucherIssued"
ACCEPTED = "waymark.vouchers.v1.RedemptionAccepted"
Delivery, Endpoint = pb.WebhookDelivery, pb.WebhookEndpoint


@pytest.fixture
def office() -> Iterator[Receiver]:
    """A back office that listens."""
    with receiver() as found:
        yield found


def register(world: World, url: str, *types: str) -> Any:
    """Registers an endpoint; returns it with its secret."""
    endpoint = Endpoint(url=url, event_types=types or (ISSUED,))
    return world.system.webhooks.CreateWebhookEndpoint(
        pb.CreateWebhookEndpointRequest(webhook_endpoint=endpoint, request_id=request_id())
    )


def deliver(world: World) -> None:
    """Runs the job and waits for what it started."""
    jobs.deliver_webhooks(world.app)
    world.app.webhooks.wait()


def log(world: World, endpoint: Any, state: int = 0) -> list[Any]:
    """Returns what an endpoint was told, newest first."""
    request = pb.ListWebhookDeliveriesRequest(parent=endpoint.webhook_endpoint.name, state=state)
    return list(world.auditor.webhooks.ListWebhookDeliveries(request).deliveries)


def read(world: World, endpoint: Any) -> Any:
    """Reads an endpoint."""
    request = pb.GetWebhookEndpointRequest(name=endpoint.webhook_endpoint.name)
    return world.auditor.webhooks.GetWebhookEndpoint(request)


def make_due(world: World) -> None:
    """Lets the wait of every delivery be over: the database's clock cannot be turned."""
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE webhook_deliveries SET next_at = now() WHERE state = 1"))


def test_what_is_subscribed_comes_signed_and_says_what_the_event_says(world: World, office: Receiver) -> None:
    endpoint = register(world, office.url, ISSUED, ACCEPTED)
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    redemption = world.accepted(learner, voucher)
    deliver(world)
    assert sorted(body["type"] for body in office.bodies()) == [ACCEPTED, ISSUED]
    headers, body = next(each for each in office.got if ISSUED.encode() in each[1])
    assert verified(endpoint.secret, headers, body)
    assert not verified("whsec_" + "A" * 43 + "=", headers, body)  # control: another secret's is not it
    assert not verified(endpoint.secret, headers, body + b" ")
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    said = next(each for each in office.bodies() if each["type"] == ISSUED)
    assert said["data"]["voucher"] == voucher
    assert said["data"]["value"] == {"currencyCode": "EUR", "units": "1000"}
    assert datetime.fromisoformat(said["timestamp"]).date() == world.today
    accepted = next(each for each in office.bodies() if each["type"] == ACCEPTED)
    assert accepted["data"]["ref"]["redemption"] == redemption.name
    found = log(world, endpoint)
    assert {each.state for each in found} == {Delivery.STATE_DELIVERED}
    assert {each.message_id for each in found} == {headers["webhook-id"] for headers, _ in office.got}
    assert {(each.attempts, each.last_status) for each in found} == {(1, 204)}
    deliver(world)
    assert len(office.got) == 2
    one = world.system.webhooks.GetWebhookDelivery(pb.GetWebhookDeliveryRequest(name=found[0].name))
    assert one == found[0]


def test_a_refused_call_tells_nobody_and_neither_does_another_event(world: World, office: Receiver) -> None:
    endpoint = register(world, office.url)
    programme = world.programme(fund=50_000, **NO_EVIDENCE)
    world.apply(world.learner(), programme)  # too little money, so no voucher
    with suppress(StopIteration), transaction(world.app) as tx:
        tx.publish(events_pb2.VoucherIssued(voucher="vouchers/none"))
        send(tx.connection, tx.closing.take())  # as far as the database goes, all but the commit
        raise StopIteration
    deliver(world)
    assert not office.got
    assert not log(world, endpoint)


def test_a_failure_is_tried_again_after_a_wait_with_the_same_id_and_body(
    world: World, office: Receiver
) -> None:
    endpoint = register(world, office.url)
    office.answers = [500, 503]
    world.voucher()
    deliver(world)
    (waiting,) = log(world, endpoint, Delivery.STATE_PENDING)
    assert (waiting.attempts, waiting.last_status, waiting.last_error) == (1, 500, "STATUS")
    wait = waiting.next_attempt_time.ToDatetime() - waiting.create_time.ToDatetime()
    assert WAITS[0] <= wait < WAITS[0] + timedelta(seconds=5)
    deliver(world)  # not due yet
    assert len(office.got) == 1
    for _ in range(2):
        make_due(world)
        deliver(world)
    (done,) = log(world, endpoint)
    assert (done.state, done.attempts, done.last_status, done.last_error) == (2, 3, 204, "")
    assert len({headers["webhook-id"] for headers, _ in office.got}) == 1
    assert len({body for _, body in office.got}) == 1
    assert all(verified(endpoint.secret, *each) for each in office.got)


def give_up(world: World) -> None:
    """Makes the next attempt of every delivery the last."""
    with transaction(world.app) as tx:
        statement = "UPDATE webhook_deliveries SET attempts = :last, next_at = now() WHERE state = 1"
        tx.execute(text(statement), {"last": len(WAITS)})


def failed_events(world: World) -> list[Any]:
    """Returns what the outbox says of endpoints that were given up."""
    with transaction(world.app) as tx:
        found = tx.execute(text("SELECT payload FROM outbox WHERE type LIKE '%WebhookEndpointFailed'"))
        return [events_pb2.WebhookEndpointFailed.FromString(bytes(row.payload)) for row in found]


def test_an_endpoint_that_fails_again_and_again_is_told_no_more_and_can_be_enabled(
    world: World, office: Receiver
) -> None:
    office.status = 500
    endpoint = register(world, office.url)
    programme = world.programme(fund=2_000_000, **NO_EVIDENCE)
    for _ in range(GIVEN_UP_LIMIT):
        world.voucher(programme)
    deliver(world)
    assert read(world, endpoint).state == Endpoint.STATE_ENABLED
    for _ in range(3):
        give_up(world)
        deliver(world)
    found = read(world, endpoint)
    assert (found.state, found.given_up) == (Endpoint.STATE_FAILED, GIVEN_UP_LIMIT)
    assert {each.state for each in log(world, endpoint)} == {Delivery.STATE_FAILED}
    (told,) = failed_events(world)
    assert (told.webhook_endpoint, told.given_up) == (found.name, GIVEN_UP_LIMIT)
    world.voucher(programme)
    assert len(log(world, endpoint)) == GIVEN_UP_LIMIT  # nothing is kept for it meanwhile
    again = pb.RedeliverWebhookDeliveryRequest(name=log(world, endpoint)[0].name)
    assert refused(lambda: world.system.webhooks.RedeliverWebhookDelivery(again)) == "WRONG_STATE"
    enabled = world.system.webhooks.EnableWebhookEndpoint(pb.EnableWebhookEndpointRequest(name=found.name))
    assert (enabled.state, enabled.given_up) == (Endpoint.STATE_ENABLED, 0)
    office.status, before = 200, len(office.got)
    redelivered = world.system.webhooks.RedeliverWebhookDelivery(again)
    assert (redelivered.state, redelivered.attempts) == (Delivery.STATE_PENDING, 0)
    deliver(world)
    assert len(office.got) == before + 1
    assert office.got[-1][0]["webhook-id"] == redelivered.message_id
    world.voucher(programme)
    deliver(world)
    assert len(office.got) == before + 2


def test_one_success_ends_the_row_and_gone_ends_at_once(world: World, office: Receiver) -> None:
    endpoint = register(world, office.url)
    programme = world.programme(fund=2_000_000, **NO_EVIDENCE)
    office.answers = [500]
    world.voucher(programme)
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE webhook_endpoints SET given_up = 4"))
    deliver(world)
    make_due(world)
    deliver(world)
    assert read(world, endpoint).given_up == 0
    office.status = 410
    world.voucher(programme)
    deliver(world)
    assert read(world, endpoint).state == Endpoint.STATE_FAILED
    assert len(failed_events(world)) == 1


def test_a_rotated_secret_signs_beside_the_former_one_for_a_while(world: World, office: Receiver) -> None:
    first = register(world, office.url)
    rotate = pb.RotateWebhookSecretRequest(
        name=first.webhook_endpoint.name, overlap_hours=2, request_id=request_id()
    )
    second = world.system.webhooks.RotateWebhookSecret(rotate)
    assert second.secret != first.secret
    until = second.webhook_endpoint.former_secret_expire_time.ToDatetime()
    assert timedelta(minutes=110) < until - datetime.now(UTC).replace(tzinfo=None) <= timedelta(hours=2)
    assert refused(lambda: world.system.webhooks.RotateWebhookSecret(rotate)) == "ALREADY_ANSWERED"
    programme = world.programme(fund=2_000_000, **NO_EVIDENCE)
    world.voucher(programme)
    deliver(world)
    assert verified(first.secret, *office.got[0])
    assert verified(second.secret, *office.got[0])
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE webhook_endpoints SET former_until = now()"))
    world.voucher(programme)
    deliver(world)
    assert not verified(first.secret, *office.got[1])
    assert verified(second.secret, *office.got[1])


def test_secrets_are_kept_sealed_and_shown_to_nobody_again(world: World, office: Receiver) -> None:
    request = pb.CreateWebhookEndpointRequest(
        webhook_endpoint=Endpoint(url=office.url, event_types=[ISSUED]), request_id=request_id()
    )
    made = world.system.webhooks.CreateWebhookEndpoint(request)
    assert refused(lambda: world.system.webhooks.CreateWebhookEndpoint(request)) == "ALREADY_ANSWERED"
    kept = everything(world.app.engine)
    assert office.url in kept  # control: what is not sealed is found
    assert made.secret.removeprefix("whsec_") not in kept
    listed = world.auditor.webhooks.ListWebhookEndpoints(pb.ListWebhookEndpointsRequest())
    assert [each.name for each in listed.webhook_endpoints] == [made.webhook_endpoint.name]
    assert made.secret not in str(listed)


def test_a_receiver_that_does_not_answer_stands_in_nobodys_way(world: World, office: Receiver) -> None:
    office.open.clear()
    register(world, office.url)
    programme = world.programme(fund=2_000_000, **NO_EVIDENCE)
    for _ in range(6):
        world.voucher(programme)
    began = time.monotonic()
    jobs.deliver_webhooks(world.app)  # other jobs run in the same thread
    assert time.monotonic() - began < 2
    with receiver() as other:
        quick = register(world, other.url)
        world.voucher(programme)  # neither does a grant wait, nor another receiver
        while not other.got:
            jobs.deliver_webhooks(world.app)
            assert time.monotonic() - began < 8
        assert len(office.got) < 2 * webhooks.EACH
        office.open.set()
        world.app.webhooks.wait()
        deliver(world)
        assert {each.state for each in log(world, quick)} == {Delivery.STATE_DELIVERED}
    assert len(office.got) == 7


def test_a_burst_goes_out_in_one_round(world: World, office: Receiver) -> None:
    endpoint = register(world, office.url)
    with transaction(world.app) as tx:
        for number in range(60):
            tx.publish(events_pb2.VoucherIssued(voucher=f"vouchers/{number}"))
    deliver(world)
    eventually(lambda: len(log(world, endpoint, Delivery.STATE_DELIVERED)) == 50, 10)  # a page
    world.app.webhooks.wait()
    assert len(office.got) == len({headers["webhook-id"] for headers, _ in office.got}) == 60


def test_what_a_dead_process_had_claimed_is_sent_when_its_lease_is_over(
    world: World, office: Receiver
) -> None:
    endpoint = register(world, office.url)
    world.voucher()
    with transaction(world.app) as tx:  # claims, and dies
        assert len(webhooks.webhooks.claim(tx, [], 3, 3, webhooks.LEASE)) == 1
    deliver(world)
    assert not office.got
    make_due(world)
    deliver(world)
    assert len(office.got) == 1
    assert log(world, endpoint)[0].attempts == 2


def test_no_more_is_claimed_than_there_are_threads(world: World, office: Receiver) -> None:
    office.open.clear()
    for _ in range(1 + webhooks.THREADS // webhooks.EACH):
        register(world, office.url)
    with transaction(world.app) as tx:
        for number in range(webhooks.EACH):
            tx.publish(events_pb2.VoucherIssued(voucher=f"vouchers/{number}"))
    assert world.app.webhooks.round() == webhooks.THREADS
    assert world.app.webhooks.round() == 0
    office.open.set()
    world.app.webhooks.wait()
    assert len(office.got) == webhooks.EACH * (1 + webhooks.THREADS // webhooks.EACH)


def test_a_process_that_ends_claims_nothing_more(world: World, office: Receiver) -> None:
    endpoint = register(world, office.url)
    world.voucher()
    world.app.webhooks.close()
    deliver(world)
    (left,) = log(world, endpoint)
    assert (left.attempts, office.got) == (0, [])  # another process need not wait for a lease


def test_what_cannot_be_registered_is_refused_with_the_place(world: World) -> None:
    for url in (
        "ftp://hooks.example.org/",
        "https://10.0.0.1/",
        "http://169.254.169.254/",
        "https://x.local/",
    ):
        assert refused(lambda url=url: register(world, url)) == "WEBHOOK_URL_REFUSED"
        assert list(violations_of(lambda url=url: register(world, url))) == ["webhook_endpoint.url"]
    unknown = violations_of(lambda: register(world, "https://hooks.example.org/", ISSUED, "waymark.Nothing"))
    assert list(unknown) == ["webhook_endpoint.event_types[1]"]
    lost = pb.GetWebhookEndpointRequest(name="webhookEndpoints/lost")
    assert refused(lambda: world.system.webhooks.GetWebhookEndpoint(lost)) == "NOT_FOUND"


def test_only_a_back_office_registers(world: World, office: Receiver) -> None:
    made = register(world, office.url)
    endpoint = Endpoint(url=office.url, event_types=[ISSUED])
    create = pb.CreateWebhookEndpointRequest(webhook_endpoint=endpoint)
    for person in (world.maker, world.payer, world.provider, world.learner(), world.auditor):
        with pytest.raises(Exception) as raised:  # noqa: PT011 - of gRPC
            person.webhooks.CreateWebhookEndpoint(create)
        assert reason_of(raised.value) == "PERMISSION_DENIED"
    disabled = world.system.webhooks.DisableWebhookEndpoint(
        pb.DisableWebhookEndpointRequest(name=made.webhook_endpoint.name)
    )
    assert disabled.state == Endpoint.STATE_DISABLED
    world.voucher()
    deliver(world)
    assert not office.got


def test_the_log_is_forgotten_after_a_month(world: World, office: Receiver) -> None:
    endpoint = register(world, office.url)
    programme = world.programme(fund=2_000_000, **NO_EVIDENCE)
    world.voucher(programme)
    deliver(world)
    office.status = 500
    world.voucher(programme)
    deliver(world)
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE webhook_deliveries SET created_at = now() - interval '31 days'"))
    jobs.forget_webhooks(world.app)
    (left,) = log(world, endpoint)
    assert left.state == Delivery.STATE_PENDING  # what waits stays
