"""A learner without an app agrees to a spend by a code: what counts, what is refused, and who may."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from sqlalchemy import text
from waymark.vouchers.v1 import events_pb2, webhook_pb2
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.db.transaction import transaction
from services.platform.db.wire import Named, Prepared
from services.vouchers import jobs
from services.vouchers.domain.authorisation import CODES, TRIES
from services.vouchers.store import authorisation_codes, redemptions
from tests.integration.vouchers.refusals import at_once, refused
from tests.integration.vouchers.test_webhooks import deliver, log, register
from tests.support.canary import everything
from tests.support.meetings import Meeting
from tests.support.quality import run, told
from tests.support.receivers import receiver
from tests.support.refusals import detail_of
from tests.support.voucher_callers import Person
from tests.support.vouchers import NO_EVIDENCE, World, request_id

State = pb.Redemption
TYPE = "waymark.vouchers.v1.AuthorisationCodeSent"
INVALID, TOO_MANY = "AUTHORISATION_CODE_INVALID", "TOO_MANY_ATTEMPTS"
WRONG = "0000-0000"
CALLERS = 32


def booked(world: World) -> tuple[Person, str]:
    """Returns a learner and the name of a redemption that waits for their word."""
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    return learner, str(world.reserve(learner, voucher).name)


def send(caller: Person, name: str) -> Any:
    """Has a code sent."""
    request = pb.SendAuthorisationCodeRequest(name=name, request_id=request_id())
    return caller.redemptions.SendAuthorisationCode(request)


def agree(caller: Person, name: str, code: str = "") -> Any:
    """Authorises."""
    return caller.redemptions.AuthoriseRedemption(pb.AuthoriseRedemptionRequest(name=name, code=code))


def codes(world: World) -> list[Any]:
    """Returns what the back office was told of codes, first thing first."""
    return told(world, events_pb2.AuthorisationCodeSent)


def coded(world: World) -> tuple[Person, str, str]:
    """Returns a learner, a redemption and the code that was sent for it."""
    learner, name = booked(world)
    send(world.provider, name)
    return learner, name, str(codes(world)[-1].code)


def answer(call: Callable[[], Any]) -> tuple[str, str, str]:
    """Runs a call that must fail; returns reason, message and tries left."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    info = detail_of(raised.value, error_details_pb2.ErrorInfo)
    assert set(info.metadata) <= {"tries_left", "trace_id"}
    return info.reason, str(raised.value.details()), info.metadata["tries_left"]


def test_the_provider_gives_the_learners_word_with_the_code(world: World) -> None:
    learner, name = booked(world)
    before = world.provider.redemptions.GetRedemption(pb.GetRedemptionRequest(name=name))
    request = pb.SendAuthorisationCodeRequest(name=name, request_id=request_id())
    sent = world.provider.redemptions.SendAuthorisationCode(request)
    assert world.provider.redemptions.SendAuthorisationCode(request) == sent
    (event,) = codes(world)
    assert event.code not in str(sent)
    assert (event.ref.redemption, event.ref.learner) == (name, learner.learner)
    assert event.expire_time == sent.expire_time
    assert 890 < sent.expire_time.seconds - time.time() <= 900
    assert sent.expire_time.seconds < before.authorise_time_limit.seconds
    assert sent.tries == TRIES
    agreed = agree(world.provider, name, event.code.lower().replace("-", " "))
    assert (agreed.state, agreed.voucher) == (State.STATE_AUTHORISED, "")
    started = world.provider.redemptions.StartRedemption(pb.StartRedemptionRequest(name=name))
    assert started.state == State.STATE_STARTED


def test_a_learner_agrees_without_a_code_and_with_one(world: World) -> None:
    learner, name, _ = coded(world)
    assert agree(learner, name).state == State.STATE_AUTHORISED
    second, other = booked(world)
    send(second, other)
    assert answer(lambda: agree(second, other, WRONG))[0] == INVALID
    assert agree(second, other, codes(world)[-1].code).state == State.STATE_AUTHORISED


def test_only_who_has_part_in_the_redemption_sends_and_presents(world: World) -> None:
    learner, name, code = coded(world)
    elsewhere = world.person("provider", org="organisations/other")
    for person in (world.learner(), elsewhere):
        assert refused(lambda person=person: send(person, name)) == "NOT_FOUND"
        assert refused(lambda person=person: agree(person, name, code)) == "NOT_FOUND"
    assert refused(lambda: send(world.caseworker, name)) == "PERMISSION_DENIED"
    assert refused(lambda: agree(world.caseworker, name, code)) == "PERMISSION_DENIED"
    # Who is a learner as well, but not this one; and this one, who acts for the provider only.
    own = {"org": world.organisation}
    for person in (
        world.person("provider", "learner", **own),
        world.person("provider", subject=learner.subject, **own),
    ):
        assert answer(lambda person=person: agree(person, name))[0] == INVALID
    both = world.person("provider", "learner", subject=learner.subject, **own)
    assert agree(both, name).state == State.STATE_AUTHORISED


def test_whatever_is_wrong_with_a_code_is_told_in_the_same_words(world: World) -> None:
    _, never = booked(world)
    _, wrong, _ = coded(world)
    _, replaced, former = coded(world)
    send(world.provider, replaced)
    _, foreign, _ = coded(world)
    _, expired, late = coded(world)
    run(
        world,
        f"""UPDATE authorisation_codes SET expires_at = now() - interval '1 second'
        WHERE redemption_id = '{expired.partition("/")[2]}'""",
    )
    _, used, once = coded(world)
    agree(world.provider, used, once)
    run(world, "UPDATE redemptions SET state = 1 WHERE state = 2")  # which no call does
    tried = [
        (never, WRONG),
        (wrong, WRONG),
        (replaced, former),
        (foreign, once),
        (expired, late),
        (used, once),
    ]
    answers = [answer(lambda name=name, code=code: agree(world.provider, name, code)) for name, code in tried]
    assert len(set(answers)) == 1
    assert (answers[0][0], answers[0][2]) == (INVALID, "4")
    again = [answer(lambda name=name, code=code: agree(world.provider, name, code)) for name, code in tried]
    assert {each[2] for each in again} == {"3"}  # each of them was counted


def test_a_code_counts_once(world: World) -> None:
    _, name, code = coded(world)
    agree(world.provider, name, code)
    assert refused(lambda: agree(world.provider, name, code)) == "WRONG_STATE"
    assert refused(lambda: send(world.provider, name)) == "WRONG_STATE"
    with transaction(world.app) as tx:
        row = tx.execute(text("SELECT code_hmac, used_at FROM authorisation_codes")).one()
    assert row.code_hmac is None
    assert row.used_at is not None


def test_the_repeat_of_a_request_is_answered_though_the_code_is_used(world: World) -> None:
    _, name, code = coded(world)
    request = pb.AuthoriseRedemptionRequest(name=name, code=code, request_id=request_id())
    first = world.provider.redemptions.AuthoriseRedemption(request)
    assert world.provider.redemptions.AuthoriseRedemption(request) == first


def test_five_wrong_tries_end_a_code_and_five_codes_the_redemptions(world: World) -> None:
    learner, name = booked(world)
    for _ in range(CODES):
        send(world.provider, name)
        left = [answer(lambda: agree(world.provider, name, WRONG))[2] for _ in range(TRIES)]
        assert left == ["4", "3", "2", "1", "0"]
        right = codes(world)[-1].code
        assert answer(lambda right=right: agree(world.provider, name, right))[0] == TOO_MANY
    for caller in (world.provider, learner):
        assert refused(lambda caller=caller: send(caller, name)) == TOO_MANY
    assert len(codes(world)) == CODES
    assert agree(learner, name).state == State.STATE_AUTHORISED


def test_control_were_tries_not_counted_they_would_not_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, name, code = coded(world)
    monkeypatch.setattr(authorisation_codes, "counting", lambda engine, redemption: nullcontext(str))
    tried = [answer(lambda: agree(world.provider, name, WRONG))[::2] for _ in range(TRIES + 2)]
    assert set(tried) == {(INVALID, "4")}
    assert agree(world.provider, name, code).state == State.STATE_AUTHORISED


def test_no_code_is_no_try(world: World) -> None:
    _, name, code = coded(world)
    for _ in range(TRIES + 1):
        assert answer(lambda: agree(world.provider, name))[::2] == (INVALID, "5")
    assert agree(world.provider, name, code).state == State.STATE_AUTHORISED


def test_a_code_is_of_no_use_past_the_limit_or_in_another_state(world: World) -> None:
    _, name, code = coded(world)
    run(world, "UPDATE redemptions SET authorise_until = now() + interval '2 minutes'")
    assert 100 < send(world.provider, name).expire_time.seconds - time.time() <= 120
    run(world, "UPDATE redemptions SET authorise_until = now() - interval '1 second'")
    assert refused(lambda: send(world.provider, name)) == "RESERVATION_EXPIRED"
    assert refused(lambda: agree(world.provider, name, code)) == "RESERVATION_EXPIRED"
    jobs.expire_reservations(world.app)
    assert refused(lambda: agree(world.provider, name, code)) == "RESERVATION_EXPIRED"
    learner, other, code = coded(world)
    learner.redemptions.VoidRedemption(pb.VoidRedemptionRequest(name=other))
    assert refused(lambda: agree(world.provider, other, code)) == "WRONG_STATE"
    assert refused(lambda: send(world.provider, other)) == "WRONG_STATE"
    short = pb.AuthoriseRedemptionRequest(name=other, code="7ZX")
    assert refused(lambda: world.provider.redemptions.AuthoriseRedemption(short)) == "INVALID_ARGUMENT"


BUSY = {"OVERLOADED", "LOCKED"}


def test_32_guesses_at_once_are_five_tries(world: World) -> None:
    _, name, code = coded(world)
    came = at_once(lambda: agree(world.provider, name, WRONG), CALLERS)
    assert came[INVALID] == TRIES
    assert set(came) <= {INVALID, TOO_MANY, *BUSY}
    assert answer(lambda: agree(world.provider, name, code))[0] == TOO_MANY


def test_32_calls_at_once_send_five_codes(world: World) -> None:
    _, name = booked(world)
    came = at_once(lambda: send(world.provider, name), CALLERS)
    assert came[""] == CODES == len(codes(world))
    assert set(came) <= {"", TOO_MANY, *BUSY}


def unlock(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on redemptions are read without their lock, and three read before one of them writes."""
    lock, read, meet = redemptions.LOCK, authorisation_codes.read, Meeting(3)
    free = lock.prepared.sql.replace("FOR NO KEY UPDATE OF r", "")
    monkeypatch.setattr(redemptions, "LOCK", Named(Prepared("unlocked_redemption", free), lock.names))

    def together(*arguments: Any) -> Any:
        found = read(*arguments)
        meet()
        return found

    monkeypatch.setattr(authorisation_codes, "read", together)


def test_control_without_the_lock_more_is_tried(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, name = booked(world)
    for _ in range(TRIES - 1):
        assert answer(lambda: agree(world.provider, name, WRONG))[0] == INVALID
    unlock(monkeypatch)
    came = at_once(lambda: agree(world.provider, name, WRONG), CALLERS)
    assert came[INVALID] > 1, "the race did not show; the test above proves nothing"


def test_control_without_the_lock_more_codes_are_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, name = booked(world)
    for _ in range(CODES - 1):
        send(world.provider, name)
    unlock(monkeypatch)
    alone = pb.SendAuthorisationCodeRequest(name=name)  # without an id, so that no group shares the lock
    came = at_once(lambda: world.provider.redemptions.SendAuthorisationCode(alone), CALLERS)
    assert came[""] > 1, "the race did not show; the test above proves nothing"


def test_only_an_hmac_is_kept(world: World) -> None:
    _, name, code = coded(world)
    agree(world.provider, name, code)
    assert code in everything(world.app.engine)  # control: in the outbox, until it is on Kafka
    run(world, "DELETE FROM outbox")
    kept = everything(world.app.engine)
    assert code not in kept
    assert code.replace("-", "") not in kept


Hook = tuple[Any, Any]


@pytest.fixture
def hook(world: World) -> Iterator[Hook]:
    """A back office that is told of codes by webhook, and its endpoint."""
    with receiver() as office:
        yield office, register(world, office.url, TYPE)


def later(world: World, minutes: int) -> None:
    """Makes every delivery so much older."""
    run(
        world, f"UPDATE webhook_deliveries SET created_at = created_at - interval '{minutes} minutes'"
    )  # the clock of the database cannot be turned


def test_a_webhook_brings_the_code_and_the_log_forgets_it(world: World, hook: Hook) -> None:
    office, _ = hook
    _, name, code = coded(world)
    deliver(world)
    (body,) = office.bodies()
    assert (body["data"]["code"], body["data"]["ref"]["redemption"]) == (code, name)
    run(world, "DELETE FROM outbox")
    later(world, 14)
    jobs.erase_webhooks(world.app)
    assert code in everything(world.app.engine)  # for who asks for it once more
    later(world, 1)
    jobs.erase_webhooks(world.app)
    assert code not in everything(world.app.engine)
    (done,) = log(world, hook[1])
    assert (done.state, done.last_error) == (webhook_pb2.WebhookDelivery.STATE_DELIVERED, "")
    again = webhook_pb2.RedeliverWebhookDeliveryRequest(name=done.name)
    assert refused(lambda: world.system.webhooks.RedeliverWebhookDelivery(again)) == "WEBHOOK_CONTENT_GONE"


def test_what_no_webhook_took_in_time_is_given_up_and_forgotten(world: World, hook: Hook) -> None:
    office, endpoint = hook
    office.status = 500
    _, _, code = coded(world)
    deliver(world)
    (waiting,) = log(world, hook[1])
    assert (waiting.state, waiting.attempts) == (webhook_pb2.WebhookDelivery.STATE_PENDING, 1)
    later(world, 14)
    run(world, "UPDATE webhook_deliveries SET next_at = now()")
    deliver(world)  # the next one would come too late
    (ended,) = log(world, hook[1])
    assert (ended.state, ended.attempts) == (webhook_pb2.WebhookDelivery.STATE_FAILED, 2)
    coded(world)
    world.system.webhooks.DisableWebhookEndpoint(
        webhook_pb2.DisableWebhookEndpointRequest(name=endpoint.webhook_endpoint.name)
    )
    later(world, 15)
    jobs.erase_webhooks(world.app)
    run(world, "DELETE FROM outbox")
    newest, _ = log(world, hook[1])
    assert (newest.state, newest.last_error) == (webhook_pb2.WebhookDelivery.STATE_FAILED, "TOO_LATE")
    assert code not in everything(world.app.engine)


def test_other_events_are_kept_as_before(world: World, hook: Hook) -> None:
    run(world, "UPDATE webhook_endpoints SET event_types = '{waymark.vouchers.v1.RedemptionReserved}'")
    booked(world)
    later(world, 60)
    jobs.erase_webhooks(world.app)
    with transaction(world.app) as tx:
        assert tx.execute(text("SELECT octet_length(payload) FROM webhook_deliveries")).scalar_one() > 0
