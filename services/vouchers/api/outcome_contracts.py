"""OutcomeContractService: what investors pay for and results repay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from sqlalchemy import Row, select
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import events_pb2, outcome_contract_pb2_grpc
from waymark.vouchers.v1 import outcome_contract_pb2 as pb

from services.platform.db.etags import check_etag, etag_of
from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal
from services.platform.rpc.handlers import mutation, query
from services.vouchers.api.convert import date_of, day, moment
from services.vouchers.api.outcome_results import ResultMethods
from services.vouchers.app import VouchersApp
from services.vouchers.domain import bookings
from services.vouchers.domain.money import cents_of, money
from services.vouchers.domain.outcome_contracts import ContractState, check_draft
from services.vouchers.domain.states import need
from services.vouchers.repaying import terms_of
from services.vouchers.store import ledger, names, offers, outcomes, payables, programmes
from services.vouchers.store.outcome_tables import outcome_contracts

# Terms that a draft sets; the rest of the message is ours.
TERMS = (
    "display_names",
    "planned_participants",
    "investors",
    "milestones",
    "mix_targets",
    "repayment_steps",
    "operator",
)


class OutcomeContractApi(ResultMethods, outcome_contract_pb2_grpc.OutcomeContractServiceServicer):
    """Keeps contracts that are paid for by results."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def CreateOutcomeContract(
        self, tx: Transaction, request: pb.CreateOutcomeContractRequest
    ) -> pb.OutcomeContract:
        contract, contract_id = request.outcome_contract, request.outcome_contract_id or new_id()
        start = date_of(contract.start_date, "outcome_contract.start_date")
        repay = date_of(contract.repay_date, "outcome_contract.repay_date")
        check_draft(contract, start, repay)
        investors = (investor.funding_source for investor in contract.investors)
        programmes.need_sources(tx, map(names.last, (contract.payer, *investors)))
        _need_payees(tx, contract)
        values = {
            "id": contract_id,
            "terms": _terms(contract),
            "state": int(ContractState.DRAFT),
            "currency": contract.currency_code,
            "payer_id": names.last(contract.payer),
            "start_date": start,
            "repay_date": repay,
            "observers": list(contract.observers),
            "shard": ledger.shard_for(tx, contract.currency_code, f"outcomeContracts/{contract_id}"),
            "invested_cents": sum(cents_of(investor.amount) for investor in contract.investors),
            "created_by": tx.principal.subject,
        }
        return contract_messages(tx, [outcomes.add(tx, values)])[0]

    @mutation
    def ActivateOutcomeContract(
        self, tx: Transaction, request: pb.ActivateOutcomeContractRequest
    ) -> pb.OutcomeContract:
        row = outcomes.lock(tx, names.last(request.name))
        need(ContractState(row.state), (ContractState.DRAFT,))
        if row.created_by == tx.principal.subject:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        check_etag(request.etag, row.version)
        values = {
            "state": int(ContractState.ACTIVE),
            "activated_by": tx.principal.subject,
            "available_cents": row.invested_cents,
        }
        row = outcomes.change(tx, row.id, values)
        investors = [(each.funding_source, cents_of(each.amount)) for each in terms_of(row).investors]
        ledger.post(tx, ledger.lock_head(tx, row.shard), bookings.invest(new_id(), request.name, investors))
        return contract_messages(tx, [row])[0]

    @query
    def GetOutcomeContract(
        self, tx: Transaction, request: pb.GetOutcomeContractRequest
    ) -> pb.OutcomeContract:
        return contract_messages(tx, [outcomes.get(tx, names.last(request.name))])[0]

    @query
    def ListOutcomeContracts(
        self, tx: Transaction, request: pb.ListOutcomeContractsRequest
    ) -> pb.ListOutcomeContractsResponse:
        order = [outcome_contracts.c.created_at, outcome_contracts.c.id]
        found = page(tx, self.app.signer, select(outcome_contracts), order_by=order, request=request)
        return pb.ListOutcomeContractsResponse(
            outcome_contracts=contract_messages(tx, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def ReleaseTranche(self, tx: Transaction, request: pb.ReleaseTrancheRequest) -> pb.OutcomeContract:
        row = outcomes.lock(tx, names.last(request.name))
        need(ContractState(row.state), (ContractState.ACTIVE,))
        milestone = _milestone(row, request.milestone)
        if (row.id, milestone.code) in outcomes.tranches_of(tx, [row.id]):
            raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "RELEASED", "needed": "OPEN"})
        count = outcomes.results_of(tx, [row.id])[row.id].count(milestone.measure)
        if count < milestone.threshold:
            metadata = {"count": str(count), "threshold": str(milestone.threshold)}
            raise Refusal(reason_pb2.REASON_MILESTONE_NOT_REACHED, metadata=metadata)
        cents = cents_of(milestone.amount)
        outcomes.release(tx, row.id, milestone.code, cents)
        row = outcomes.change(tx, row.id, {"available_cents": outcome_contracts.c.available_cents - cents})
        place = f"{request.name}/milestones/{milestone.code}"
        operator = terms_of(row).operator
        if operator:
            payables.add(tx, place, operator, row.currency, row.shard, cents)
        booking = bookings.release_tranche(new_id(), request.name, place, cents, payable=bool(operator))
        ledger.post(tx, ledger.lock_head(tx, row.shard), booking)
        tx.publish(
            events_pb2.OutcomeTrancheReleased(
                outcome_contract=request.name, milestone=milestone.code, amount=milestone.amount
            )
        )
        return contract_messages(tx, [row])[0]


def _need_payees(tx: Transaction, contract: pb.OutcomeContract) -> None:
    """Raises Refusal(NOT_FOUND), naming one, unless the catalogue knows each organisation that an investor is
    to be paid at: money for a name with a slip would wait without end."""
    for investor in contract.investors:
        if investor.organisation and not offers.known(tx, investor.organisation):
            raise Refusal(reason_pb2.REASON_NOT_FOUND, metadata={"organisation": investor.organisation})


def _milestone(row: Row[Any], code: str) -> pb.Milestone:
    for milestone in terms_of(row).milestones:
        if milestone.code == code:
            return milestone
    raise Refusal(reason_pb2.REASON_NOT_FOUND, metadata={"milestone": code})


def _terms(contract: pb.OutcomeContract) -> dict[str, Any]:
    terms = pb.OutcomeContract()
    terms.CopyFrom(contract)
    for field in pb.OutcomeContract.DESCRIPTOR.fields:
        if field.name not in TERMS:
            terms.ClearField(field.name)  # type: ignore[arg-type]
    for milestone in terms.milestones:
        milestone.ClearField("count")
        milestone.ClearField("release_time")
    return MessageToDict(terms, preserving_proto_field_name=True)


def contract_messages(tx: Transaction, rows: Sequence[Row[Any]]) -> list[pb.OutcomeContract]:
    """Returns rows as messages, milestones with what they count now."""
    keys = [row.id for row in rows]
    results, tranches = outcomes.results_of(tx, keys), outcomes.tranches_of(tx, keys)
    found = []
    for row in rows:
        message = terms_of(row)
        for milestone in message.milestones:
            milestone.count = results[row.id].count(milestone.measure)
            if tranche := tranches.get((row.id, milestone.code)):
                milestone.release_time.FromDatetime(tranche.created_at)
        message.MergeFrom(
            pb.OutcomeContract(
                name=f"outcomeContracts/{row.id}",
                state=row.state,
                currency_code=row.currency,
                payer=f"fundingSources/{row.payer_id}",
                start_date=day(row.start_date),
                repay_date=day(row.repay_date),
                observers=row.observers,
                invested=money(row.invested_cents, row.currency),
                available=money(row.available_cents, row.currency),
                create_time=moment(row.created_at),
                etag=etag_of(row.version),
            )
        )
        found.append(message)
    return found
