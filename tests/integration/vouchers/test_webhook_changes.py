"""An endpoint is changed in place: what waits follows it, its secret stays, and nobody overwrites another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from waymark.vouchers.v1 import webhook_pb2 as pb

from services.vouchers.api import webhooks as api
from tests.integration.vouchers.refusals import refused, violations_of
from tests.integration.vouchers.test_webhooks import ACCEPTED, ISSUED, deliver, log, make_due, read, register
from tests.support.receivers import Receiver, receiver, verified
from tests.support.refusals import reason_of
from tests.support.vouchers import NO_EVIDENCE, World, request_id

Endpoint = pb.WebhookEndpoint


@pytest.fixture
def offices() -> Iterator[tuple[Receiver, Receiver]]:
    """A back office, and where it moves to."""
    with receiver() as before, receiver() as after:
        yield before, after


def change(world: World, made: Any, *paths: str, **values: Any) -> Any:
    """Changes an endpoint; `paths` are the mask."""
    endpoint = Endpoint(name=made.webhook_endpoint.name, **values)
    request = pb.UpdateWebhookEndpointRequest(webhook_endpoint=endpoint, request_id=request_id())
    if paths:
        request.update_mask.CopyFrom(FieldMask(paths=paths))
    return world.system.webhooks.UpdateWebhookEndpoint(request)


@pytest.mark.parametrize("moves", [True, False], ids=["moved", "control"])
def test_what_waits_goes_to_the_new_address_with_the_same_secret(
    world: World, offices: tuple[Receiver, Receiver], moves: bool
) -> None:
    before, after = offices
    before.status = 503
    made = register(world, before.url)
    world.voucher()
    deliver(world)
    assert len(before.got) == 1
    if moves:
        changed = change(world, made, url=after.url)
        assert (changed.url, changed.event_types, changed.state) == (after.url, [ISSUED], 1)
    make_due(world)
    deliver(world)
    assert (len(before.got), len(after.got)) == ((1, 1) if moves else (2, 0))
    if moves:
        assert after.got[0][1] == before.got[0][1]
        assert verified(made.secret, *after.got[0])
        assert log(world, made)[0].state == pb.WebhookDelivery.STATE_DELIVERED


def test_only_what_the_mask_names_is_changed(world: World, offices: tuple[Receiver, Receiver]) -> None:
    made = register(world, offices[0].url)
    assert made.webhook_endpoint.enabled
    changed = change(world, made, "description", url="https://elsewhere.example.org/", description="payroll")
    assert (changed.url, changed.description) == (offices[0].url, "payroll")
    changed = change(world, made, event_types=[ISSUED, ACCEPTED])
    assert (list(changed.event_types), changed.description) == ([ACCEPTED, ISSUED], "payroll")
    cleared = change(world, made, "description")
    assert not cleared.description
    assert read(world, made) == cleared
    assert cleared.create_time == made.webhook_endpoint.create_time
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    world.accepted(learner, voucher)
    deliver(world)
    assert sorted(body["type"] for body in offices[0].bodies()) == [ACCEPTED, ISSUED]


def test_it_is_switched_off_and_on_like_by_the_calls_for_that(
    world: World, offices: tuple[Receiver, Receiver]
) -> None:
    made = register(world, offices[0].url)
    programme = world.programme(fund=2_000_000, **NO_EVIDENCE)
    off = change(world, made, enabled=False)
    assert (off.state, off.enabled) == (Endpoint.STATE_DISABLED, False)
    world.voucher(programme)
    deliver(world)
    offices[0].status = 410  # gone, so the service gives it up
    assert change(world, made, enabled=True).state == Endpoint.STATE_ENABLED
    world.voucher(programme)
    deliver(world)
    failed = read(world, made)
    assert (failed.state, failed.given_up, failed.enabled) == (Endpoint.STATE_FAILED, 1, False)
    # A new address alone does not wake it.
    assert change(world, made, url=offices[1].url).state == Endpoint.STATE_FAILED
    woken = change(world, made, enabled=True)
    assert (woken.state, woken.given_up) == (Endpoint.STATE_ENABLED, 0)
    assert len(offices[0].got) == 1
    silent = Endpoint(url=offices[0].url, event_types=[ISSUED], enabled=False, description="later")
    asked = pb.CreateWebhookEndpointRequest(webhook_endpoint=silent)
    created = world.system.webhooks.CreateWebhookEndpoint(asked).webhook_endpoint
    assert (created.state, created.description) == (Endpoint.STATE_DISABLED, "later")


@pytest.mark.parametrize("guarded", [True, False], ids=["etag", "control"])
def test_nobody_overwrites_what_was_changed_meanwhile(
    world: World, offices: tuple[Receiver, Receiver], monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    if not guarded:
        monkeypatch.setattr(api, "check_etag", lambda sent, version: None)
    made = register(world, offices[0].url)
    etag = made.webhook_endpoint.etag
    first = change(world, made, url=offices[1].url, etag=etag)
    assert first.etag != etag

    def second() -> Any:
        return change(world, made, url=offices[0].url, etag=etag)

    if guarded:
        assert refused(second) == "ETAG_STALE"
        assert read(world, made).url == offices[1].url
        assert change(world, made, url=offices[0].url, etag=first.etag).url == offices[0].url
    else:
        assert second().url == offices[0].url


def test_what_could_not_be_registered_cannot_be_changed_to(
    world: World, offices: tuple[Receiver, Receiver]
) -> None:
    made = register(world, offices[0].url)
    for url in ("https://10.0.0.1/", "http://169.254.169.254/", "ftp://hooks.example.org/"):
        assert refused(lambda url=url: change(world, made, url=url)) == "WEBHOOK_URL_REFUSED"
        assert list(violations_of(lambda url=url: change(world, made, url=url))) == ["webhook_endpoint.url"]
    wrong = {
        "webhook_endpoint.url": lambda: change(world, made, "url"),
        "webhook_endpoint.event_types": lambda: change(world, made, "event_types"),
        "webhook_endpoint.event_types[1]": lambda: change(world, made, event_types=[ISSUED, "x.Nothing"]),
        "webhook_endpoint.description": lambda: change(world, made, description="x" * 201),
        "update_mask": lambda: change(world, made, "given_up"),
    }
    for field, call in wrong.items():
        assert list(violations_of(call)) == [field]
    assert read(world, made) == made.webhook_endpoint
    lost = pb.UpdateWebhookEndpointRequest(webhook_endpoint=Endpoint(name="webhookEndpoints/lost"))
    assert refused(lambda: world.system.webhooks.UpdateWebhookEndpoint(lost)) == "NOT_FOUND"
    mine = pb.UpdateWebhookEndpointRequest(
        webhook_endpoint=Endpoint(name=made.webhook_endpoint.name, url=offices[1].url)
    )
    for person in (world.maker, world.payer, world.provider, world.auditor):
        with pytest.raises(Exception) as raised:  # noqa: PT011 - of gRPC
            person.webhooks.UpdateWebhookEndpoint(mine)
        assert reason_of(raised.value) == "PERMISSION_DENIED"
