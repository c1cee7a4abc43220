"""The wallet: QRs that are proved and checked, history out of the ledger, extension, re-issue after loss."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text
from waymark.vouchers.v1 import redemption_pb2, voucher_pb2_grpc
from waymark.vouchers.v1 import voucher_pb2 as pb

from services.platform.db.transaction import transaction
from services.platform.settings import SettingsError
from services.platform.signing import SigningKey, former_public_keys, keys_of
from services.vouchers.api import voucher_life
from services.vouchers.app import QR
from services.vouchers.domain import qr
from services.vouchers.jobs import expire_vouchers
from tests.integration.vouchers.refusals import refused, violations_of
from tests.support.vouchers import NO_EVIDENCE, Person, World, cents, request_id, sample

DUTCH = "dutch-temporary-training-voucher"
ILLNESS = pb.EXTENSION_REASON_ILLNESS
Standing = pb.CheckVoucherQrResponse


def windows(**changes: Any) -> dict[str, Any]:
    return {**NO_EVIDENCE, "windowRule": {**sample(DUTCH)["version"]["windowRule"], **changes}}


def get_qr(person: Person, voucher: str) -> Any:
    return person.vouchers.GetVoucherQr(pb.GetVoucherQrRequest(name=voucher))


def standing(world: World, token: str) -> int:
    request = pb.CheckVoucherQrRequest(token=token)
    return int(world.provider.vouchers.CheckVoucherQr(request).standing)


def history(person: Person, voucher: str, size: int = 0) -> list[Any]:
    items: list[Any] = []
    request = pb.ListVoucherHistoryRequest(parent=voucher, page_size=size)
    while True:
        page = person.vouchers.ListVoucherHistory(request)
        assert len(page.items) <= (size or 50)
        items += page.items
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return items


def kinds(items: list[Any]) -> list[str]:
    return [pb.VoucherHistoryItem.Kind.Name(item.kind).removeprefix("KIND_") for item in items]


def extend(person: Person, voucher: str, until: datetime, reason: int = ILLNESS) -> Any:
    request = pb.ExtendVoucherRequest(name=voucher, reason_code=reason, request_id=request_id())
    request.expire_time.FromDatetime(until)
    return person.vouchers.ExtendVoucher(request)


def approve(person: Person, voucher: str, until: datetime) -> Any:
    request = pb.ApproveVoucherExtensionRequest(name=voucher, request_id=request_id())
    request.expire_time.FromDatetime(until)
    return person.vouchers.ApproveVoucherExtension(request)


def reissue(person: Person, voucher: str) -> Any:
    request = pb.ReissueVoucherRequest(
        name=voucher, reason_code=pb.REISSUE_REASON_STOLEN, request_id=request_id()
    )
    return person.vouchers.ReissueVoucher(request)


def test_the_published_keys_prove_a_qr_and_may_be_cached(world: World) -> None:
    learner, voucher = world.voucher()
    stub = world.served.stub(voucher_pb2_grpc.VoucherServiceStub)  # nobody's token
    answer, call = stub.ListVoucherKeys.with_call(pb.ListVoucherKeysRequest())
    assert ("cache-control", "public, max-age=3600") in call.initial_metadata()
    published = {
        "keys": [{"kty": key.kty, "crv": key.crv, "kid": key.kid, "x": key.x} for key in answer.keys]
    }
    shown = get_qr(learner, voucher)
    claims = qr.read_token(shown.token, keys_of(json.dumps(published).encode()))
    assert (claims.voucher, claims.issue, claims.key_id) == (voucher, 1, shown.key_id)
    assert shown.svg.startswith("<svg")
    assert shown.png.startswith(b"\x89PNG")


def test_after_loss_the_old_code_and_qr_stop_working_at_once(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    old_qr = get_qr(learner, voucher).token
    old_code = learner.vouchers.IssueVoucherCode(pb.IssueVoucherCodeRequest(name=voucher)).code
    assert standing(world, old_qr) == Standing.STANDING_GOOD

    again = reissue(learner, voucher)
    assert again.issue_number == 2
    assert standing(world, old_qr) == Standing.STANDING_REPLACED
    assert standing(world, get_qr(learner, voucher).token) == Standing.STANDING_GOOD

    def present(code: str) -> Any:
        request = redemption_pb2.ReserveRedemptionRequest(
            code=code, session=world.session, request_id=request_id()
        )
        return world.provider.redemptions.ReserveRedemption(request)

    assert refused(lambda: present(old_code)) == "VOUCHER_CODE_INVALID"
    present(again.code)  # control: the new one works
    by_staff = reissue(world.caseworker, voucher)
    assert by_staff.issue_number == 3
    assert world.wallet(learner, voucher).issue_number == 3
    assert kinds(history(learner, voucher)) == ["ISSUED", "CODE_ISSUED", "REISSUED", "RESERVED", "REISSUED"]


def test_a_repeated_re_issue_shows_no_code_twice(world: World) -> None:
    learner, voucher = world.voucher()
    request = pb.ReissueVoucherRequest(name=voucher, reason_code=1, request_id=request_id())
    learner.vouchers.ReissueVoucher(request)
    assert refused(lambda: learner.vouchers.ReissueVoucher(request)) == "ALREADY_ANSWERED"
    assert world.wallet(learner, voucher).issue_number == 2


def test_a_voucher_that_ended_is_neither_re_issued_nor_extended(world: World) -> None:
    learner, voucher = world.voucher()
    token, until = get_qr(learner, voucher).token, datetime.now(UTC) + timedelta(days=700)
    learner.vouchers.CancelVoucher(pb.CancelVoucherRequest(name=voucher))
    assert refused(lambda: reissue(learner, voucher)) == "WRONG_STATE"
    assert refused(lambda: extend(world.caseworker, voucher, until)) == "WRONG_STATE"
    assert standing(world, token) == Standing.STANDING_ENDED


def test_a_forged_qr_is_refused_and_a_strangers_voucher_stays_hidden(world: World) -> None:
    learner, voucher = world.voucher()
    token = get_qr(learner, voucher).token
    assert refused(lambda: standing(world, token[:-3] + "AAA")) == "VOUCHER_QR_INVALID"
    assert refused(lambda: standing(world, "hello")) == "VOUCHER_QR_INVALID"
    stranger = world.person("learner")
    assert refused(lambda: history(stranger, voucher)) == "NOT_FOUND"
    assert refused(lambda: reissue(stranger, voucher)) == "NOT_FOUND"


def test_history_is_the_ledger_told_in_order_and_agrees_with_the_voucher(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    redemption = world.reserve(learner, voucher, 30_000)
    void = redemption_pb2.VoidRedemptionRequest(name=redemption.name, reason="x", request_id=request_id())
    learner.redemptions.VoidRedemption(void)
    accepted = world.accepted(learner, voucher, 60_000, accept=50_000)
    back = redemption_pb2.ClawBackRedemptionRequest(
        name=accepted.name, reason_code=redemption_pb2.Redemption.END_REASON_OTHER, request_id=request_id()
    )
    back.amount.CopyFrom(accepted.accepted_amount)
    back.amount.units = 100
    world.payer.redemptions.ClawBackRedemption(back)
    back.request_id, back.learner_at_fault = request_id(), True
    world.payer.redemptions.ClawBackRedemption(back)
    items = history(learner, voucher, size=2)
    assert kinds(items) == [
        "ISSUED",
        "RESERVED",
        "VOIDED",
        "RESERVED",
        "ACCEPTED",
        "CLAWED_BACK",
        "CLAWED_BACK",
    ]
    assert items == history(world.auditor, voucher)
    states = [pb.Voucher.State.Name(item.state) for item in items]
    assert states == [
        "STATE_ISSUED",
        "STATE_ACTIVE",
        "STATE_ISSUED",
        "STATE_ACTIVE",
        *["STATE_PARTLY_USED"] * 3,
    ]
    assert [cents(item.available) for item in items] == [
        100_000,
        70_000,
        100_000,
        40_000,
        50_000,
        60_000,
        60_000,
    ]
    assert items[1].redemption == items[2].redemption == redemption.name
    now = world.wallet(learner, voucher)
    assert (items[-1].state, items[-1].available, items[-1].reserved) == (
        now.state,
        now.available,
        now.reserved,
    )


def test_a_page_token_of_somebody_else_is_refused(world: World) -> None:
    learner, voucher = world.voucher()
    reissue(learner, voucher)
    request = pb.ListVoucherHistoryRequest(parent=voucher, page_size=1)
    request.page_token = learner.vouchers.ListVoucherHistory(request).next_page_token
    assert refused(lambda: world.auditor.vouchers.ListVoucherHistory(request)) == "PAGE_TOKEN_INVALID"


def test_the_end_of_a_voucher_without_money_left_is_told_too(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**NO_EVIDENCE))
    world.reserve(learner, voucher)
    learner.vouchers.CancelVoucher(pb.CancelVoucherRequest(name=voucher))
    items = history(learner, voucher)
    assert kinds(items) == ["ISSUED", "RESERVED", "CANCELLED"]
    assert items[-1].state == world.wallet(learner, voucher).state == pb.Voucher.STATE_CANCELLED


def test_one_person_extends_within_the_rule_and_two_beyond_it(world: World) -> None:
    learner, voucher = world.voucher(
        world.programme(**windows(validityDays=100, orderDays=90, extendDays=30))
    )
    before = world.wallet(learner, voucher)
    ends = before.expire_time.ToDatetime(UTC)
    other = world.person("caseworker")
    booked = world.verify().entry_count

    within = extend(world.caseworker, voucher, ends + timedelta(days=30))
    assert within.expire_time.ToDatetime(UTC) == ends + timedelta(days=30)
    moved = within.order_time_limit.ToDatetime(UTC) - before.order_time_limit.ToDatetime(UTC)
    assert moved == timedelta(days=30)

    beyond = ends + timedelta(days=60)
    proposed = extend(world.caseworker, voucher, beyond)
    assert proposed.expire_time == within.expire_time
    assert proposed.proposed_expire_time.ToDatetime(UTC) == beyond
    assert refused(lambda: approve(world.caseworker, voucher, beyond)) == "SAME_PERSON"
    assert "expire_time" in violations_of(lambda: approve(other, voucher, beyond + timedelta(days=1)))
    approved = approve(other, voucher, beyond)
    assert approved.expire_time.ToDatetime(UTC) == beyond
    assert not approved.HasField("proposed_expire_time")
    assert refused(lambda: approve(other, voucher, beyond)) == "WRONG_STATE"
    assert "expire_time" in violations_of(lambda: extend(world.caseworker, voucher, ends))

    items = history(learner, voucher)
    assert kinds(items) == ["ISSUED", "EXTENDED", "EXTENSION_PROPOSED", "EXTENDED"]
    assert {item.extension_reason for item in items[1:]} == {ILLNESS}
    report = world.verify()
    assert (report.intact, report.entry_count) == (True, booked)  # no money moved


def test_control_without_the_check_the_database_still_wants_a_second_person(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, voucher = world.voucher(world.programme(**windows(extendDays=0)))
    until = world.wallet(learner, voucher).expire_time.ToDatetime(UTC) + timedelta(days=1)
    extend(world.caseworker, voucher, until)
    monkeypatch.setattr(voucher_life.voucher_changes, "proposed", _asked_by_nobody(world))
    with pytest.raises(grpc.RpcError):
        approve(world.caseworker, voucher, until)
    assert world.wallet(learner, voucher).expire_time.ToDatetime(UTC) == until - timedelta(days=1)
    with transaction(world.app) as tx:
        tx.execute(text("ALTER TABLE voucher_changes DROP CONSTRAINT voucher_changes_maker_checker"))
    approve(world.caseworker, voucher, until)
    assert world.wallet(learner, voucher).expire_time.ToDatetime(UTC) == until


def _asked_by_nobody(world: World) -> Any:
    """Stands in for the proposal so that the check of the code sees another person, and the row the same."""

    class Sly(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            return False

    class Proposal:
        asked_by, reason = Sly(world.caseworker.subject), int(ILLNESS)

    return lambda tx, voucher_id: Proposal()


def test_nobody_extends_their_own_voucher(world: World) -> None:
    learner, voucher = world.voucher()
    both = world.person("learner", "caseworker", subject=learner.subject)
    until = world.wallet(learner, voucher).expire_time.ToDatetime(UTC) + timedelta(days=1)
    assert refused(lambda: extend(both, voucher, until)) == "SAME_PERSON"


def test_a_voucher_stays_within_its_budget_period_where_the_rule_says_so(world: World) -> None:
    learner, voucher = world.voucher(world.programme(**windows(validityDays=3000, withinBudgetPeriod=True)))
    end = datetime(world.today.year + 1, 1, 1, tzinfo=UTC)
    assert world.wallet(learner, voucher).expire_time.ToDatetime(UTC) == end
    day = timedelta(days=1)
    assert refused(lambda: extend(world.caseworker, voucher, end + day)) == "EXTENSION_TOO_LONG"
    free, other = world.voucher(world.programme(**windows(validityDays=3000)))  # control: without the rule
    assert world.wallet(free, other).expire_time.ToDatetime(UTC) > end + day


def test_an_expired_voucher_is_not_extended(world: World) -> None:
    learner, voucher = world.voucher()
    token = get_qr(learner, voucher).token
    with transaction(world.app) as tx:
        tx.execute(text("UPDATE vouchers SET expires_at = now(), order_until = now()"))
    assert standing(world, token) == Standing.STANDING_EXPIRED
    expire_vouchers(world.app)
    until = datetime.now(UTC) + timedelta(days=700)
    assert refused(lambda: extend(world.caseworker, voucher, until)) == "WRONG_STATE"
    assert kinds(history(learner, voucher)) == ["ISSUED", "EXPIRED"]


def test_qrs_of_a_former_key_still_count_and_of_a_foreign_one_not(world: World) -> None:
    former, foreign = (SigningKey(Ed25519PrivateKey.generate()) for _ in range(2))
    pem = former.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    folder = world.app.settings.secrets_dir
    (folder / "voucher-qr.former-2026.pem").write_bytes(pem)
    world.app.qr_keys.update(former_public_keys(world.app.settings, QR))
    learner, voucher = world.voucher()
    ends = datetime.now(UTC) + timedelta(days=1)

    def shown(key: SigningKey) -> str:
        return qr.voucher_token(key, voucher, "programmes/p", ends, 1)

    assert standing(world, shown(former)) == Standing.STANDING_GOOD
    assert refused(lambda: standing(world, shown(foreign))) == "VOUCHER_QR_INVALID"
    assert get_qr(learner, voucher).key_id != former.id
    (folder / "voucher-qr.former-2026.pem").write_bytes(b"no key")
    with pytest.raises(SettingsError):
        former_public_keys(world.app.settings, QR)
