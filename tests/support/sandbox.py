"""Steps that tests of the sandbox share."""

from __future__ import annotations

from typing import Any

from google.type import money_pb2
from waymark.vouchers.v1 import programme_pb2, receivable_pb2, redemption_pb2
from waymark.vouchers.v1 import sandbox_pb2 as pb

from tests.support.instruments import Source, source
from tests.support.vouchers import NO_EVIDENCE, World, day_message, eur, request_id

XTS = "XTS"


def xts(cents: int) -> money_pb2.Money:
    """Returns cents as Money of the sandbox."""
    amount = eur(cents)
    amount.currency_code = XTS
    return amount


def funding(world: World, programme: str, funded_by: str, amount: money_pb2.Money) -> Any:
    """Returns a request that funds this year's budget."""
    return programme_pb2.FundProgrammeRequest(
        name=programme,
        funding_source=funded_by,
        start_date=day_message(world.today.replace(month=1, day=1)),
        end_date=day_message(world.today.replace(month=12, day=31)),
        amount=amount,
    )


def sandbox(world: World, fund: int = 10_000_000, **changes: Any) -> str:
    """Puts the sample programme of the sandbox into force, by default with no evidence asked; returns its
    name."""
    programme = world.programme("sandbox", fund=0, **{**NO_EVIDENCE, **changes})
    request = funding(world, programme, source(world, Source.KIND_SANDBOX), xts(fund))
    world.maker.programmes.FundProgramme(request)
    return programme


def ask(world: World, programme: str, **changes: str) -> pb.CreateSandboxVoucherRequest:
    """Returns the request for a voucher of the school."""
    values = {"parent": world.organisation, "programme": programme, "session": world.session, **changes}
    return pb.CreateSandboxVoucherRequest(**values, request_id=request_id())


def made(world: World, programme: str) -> Any:
    """Makes a voucher of the school; returns the answer with its code."""
    return world.provider.sandbox.CreateSandboxVoucher(ask(world, programme))


def reserved(world: World, code: str) -> Any:
    """Reserves by code, as the school; returns the redemption."""
    request = redemption_pb2.ReserveRedemptionRequest(
        code=code, session=world.session, request_id=request_id()
    )
    return world.provider.redemptions.ReserveRedemption(request)


def delivered(world: World, programme: str) -> Any:
    """Takes a redemption of a new sandbox voucher to DELIVERED, all of it as the school."""
    name = reserved(world, made(world, programme).code).name
    world.provider.sandbox.AuthoriseSandboxRedemption(pb.AuthoriseSandboxRedemptionRequest(name=name))
    world.provider.redemptions.StartRedemption(redemption_pb2.StartRedemptionRequest(name=name))
    return world.provider.redemptions.DeliverRedemption(redemption_pb2.DeliverRedemptionRequest(name=name))


def accepted(world: World, programme: str) -> Any:
    """Takes one to ACCEPTED."""
    request = pb.AcceptSandboxRedemptionRequest(name=delivered(world, programme).name)
    return world.provider.sandbox.AcceptSandboxRedemption(request)


def paid(world: World, programme: str, return_code: str = "") -> Any:
    """Takes one to PAID, or has the bank return it."""
    name = accepted(world, programme).name
    request = pb.PaySandboxRedemptionRequest(name=name, return_code=return_code)
    return world.provider.sandbox.PaySandboxRedemption(request)


def claw_back(world: World, name: str, amount: int = 0) -> Any:
    """Takes a redemption's money back as staff would, all of it or so many cents."""
    reason = redemption_pb2.Redemption.END_REASON_NOT_ATTENDED
    request = pb.ClawBackSandboxRedemptionRequest(name=name, reason_code=reason, request_id=request_id())
    if amount:
        request.amount.CopyFrom(xts(amount))
    return world.provider.sandbox.ClawBackSandboxRedemption(request)


def owed_back(world: World, **options: Any) -> list[Any]:
    """Returns what the school owes back in play money, oldest first."""
    request = receivable_pb2.ListReceivablesRequest(organisation=world.organisation, sandbox=True, **options)
    return list(world.provider.receivables.ListReceivables(request).receivables)
