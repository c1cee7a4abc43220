"""ProgrammeService: programmes, the versions of their rules."""

from __future__ import annotations

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import ParseDict
from sqlalchemy import Row
from waymark.errors.v1 import reason_pb2
from waymark.vouchers.v1 import operation_pb2, programme_pb2_grpc
from waymark.vouchers.v1 import programme_pb2 as pb

from services.platform import regions
from services.platform.db.etags import check_etag, etag_of
from services.platform.db.ids import new_id
from services.platform.db.paging import page
from services.platform.db.transaction import Transaction
from services.platform.errors import Refusal, Violation
from services.platform.rpc.handlers import mutation, query
from services.vouchers import programme_terms, simulating
from services.vouchers.api.budgets import BudgetMethods
from services.vouchers.api.convert import date_of, difference, moment
from services.vouchers.api.operations import operation_message
from services.vouchers.app import VouchersApp
from services.vouchers.domain.differences import differences
from services.vouchers.domain.drafting import check_draft
from services.vouchers.domain.programme import NOT_RULES, RULES, document
from services.vouchers.domain.sandbox import is_sandbox
from services.vouchers.openings import announce
from services.vouchers.store import names, offers, programmes
from services.vouchers.store.tables import programme_versions
from services.vouchers.store.tables import programmes as programme_table


class ProgrammeApi(BudgetMethods, programme_pb2_grpc.ProgrammeServiceServicer):
    """Keeps programmes, their rules and their money."""

    def __init__(self, app: VouchersApp) -> None:
        self.app = app

    @mutation
    def CreateProgramme(self, tx: Transaction, request: pb.CreateProgrammeRequest) -> pb.Programme:
        programme_id = request.programme_id or new_id()
        values = {
            "id": programme_id,
            "display_names": dict(request.programme.display_names),
            "currency": request.programme.currency_code,
        }
        programmes.add(tx, values)
        return programme_message(programmes.get(tx, programme_id))

    @query
    def GetProgramme(self, tx: Transaction, request: pb.GetProgrammeRequest) -> pb.Programme:
        return programme_message(programmes.get(tx, names.last(request.name)))

    @query
    def ListProgrammes(self, tx: Transaction, request: pb.ListProgrammesRequest) -> pb.ListProgrammesResponse:
        order = [programme_table.c.created_at, programme_table.c.id]
        select = programmes.listed(tx.today, sandbox=request.sandbox)
        filters = {"sandbox": request.sandbox}
        found = page(tx, self.app.signer, select, order_by=order, request=request, filters=filters)
        return pb.ListProgrammesResponse(
            programmes=map(programme_message, found.rows), next_page_token=found.next_page_token
        )

    @mutation
    def CreateProgrammeVersion(
        self, tx: Transaction, request: pb.CreateProgrammeVersionRequest
    ) -> pb.ProgrammeVersion:
        programme_id = names.last(request.parent)
        programme = programmes.lock(tx, programme_id)
        values = _checked(tx, request.version, request.parent, programme.currency)
        return version_message(programmes.add_version(tx, programme_id, values))

    @mutation
    def UpdateProgrammeVersion(
        self, tx: Transaction, request: pb.UpdateProgrammeVersionRequest
    ) -> pb.ProgrammeVersion:
        row = programmes.get_version(tx, *_parts(request.version.name), locked=True)
        check_etag(request.version.etag, row.version)
        _need_draft(row)
        wanted = _merged(row, request.version, request.update_mask)
        values = _checked(tx, wanted, request.version.name, row.currency)
        return version_message(programmes.change_draft(tx, row, values))

    @query
    def GetProgrammeVersion(
        self, tx: Transaction, request: pb.GetProgrammeVersionRequest
    ) -> pb.ProgrammeVersion:
        return version_message(programmes.get_version(tx, *_parts(request.name)))

    @query
    def ListProgrammeVersions(
        self, tx: Transaction, request: pb.ListProgrammeVersionsRequest
    ) -> pb.ListProgrammeVersionsResponse:
        programme_id = names.last(request.parent)
        programmes.get(tx, programme_id)
        found = page(
            tx,
            self.app.signer,
            programmes.versions_of(programme_id),
            order_by=[programme_versions.c.number],
            request=request,
            filters={"parent": request.parent},
        )
        return pb.ListProgrammeVersionsResponse(
            versions=map(version_message, found.rows), next_page_token=found.next_page_token
        )

    @query
    def CompareProgrammeVersions(
        self, tx: Transaction, request: pb.CompareProgrammeVersionsRequest
    ) -> pb.CompareProgrammeVersionsResponse:
        programme_id, number = _parts(request.name)
        base = request.base or f"programmes/{programme_id}/versions/{number - 1}"
        if _parts(base)[0] != programme_id:
            violation = Violation("base", f"must be a version of programmes/{programme_id}")
            raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
        before, after = (
            ParseDict(programmes.get_version(tx, *_parts(name)).rules, pb.ProgrammeVersion())
            for name in (base, request.name)
        )
        return pb.CompareProgrammeVersionsResponse(
            name=request.name,
            base=base,
            differences=map(difference, differences(before, after, NOT_RULES)),
        )

    @mutation
    def ActivateProgrammeVersion(
        self, tx: Transaction, request: pb.ActivateProgrammeVersionRequest
    ) -> pb.ProgrammeVersion:
        row = programmes.get_version(tx, *_parts(request.name), locked=True)
        check_etag(request.etag, row.version)
        _need_draft(row)
        if tx.principal.subject in row.drafted_by:
            raise Refusal(reason_pb2.REASON_SAME_PERSON)
        # Once more: it may have been drafted when less was asked.
        _check(tx, request.name, row.currency, ParseDict(row.rules, pb.ProgrammeVersion()))
        activated = programmes.activate(tx, row)
        announce(tx, self.app.notes, row)
        programme_terms.tell(tx, row, programmes.get(tx, row.programme_id).display_names)
        return version_message(activated)

    @mutation
    def SimulateProgrammeVersion(
        self, tx: Transaction, request: pb.SimulateProgrammeVersionRequest
    ) -> operation_pb2.VoucherOperation:
        return operation_message(simulating.start(tx, *_parts(request.name)))


def _checked(tx: Transaction, version: pb.ProgrammeVersion, name: str, currency: str) -> dict[str, Any]:
    """Returns the columns of a version whose rules can work."""
    effective = date_of(version.effective_date, "version.effective_date")
    _check(tx, name, currency, version)
    return {"effective_date": effective, "rules": document(version)}


def _check(tx: Transaction, name: str, currency: str, version: pb.ProgrammeVersion) -> None:
    """Raises Refusal(RULE_INVALID) for rules that do not compile or name what there is not, or
    CURRENCY_MISMATCH."""
    check_draft(name, currency, version)
    violations = [*_unknown_sources(tx, version, currency), *_unknown_region(tx, version.shortage_rule)]
    if violations:
        raise Refusal(reason_pb2.REASON_RULE_INVALID, violations=violations)


def _unknown_sources(tx: Transaction, version: pb.ProgrammeVersion, currency: str) -> list[Violation]:
    """Returns each co-funding source that does not exist or does not go with the currency."""
    named = [names.last(share.funding_source) for share in version.co_funding]
    sandbox = is_sandbox(currency)
    there = programmes.known_sources(tx, named, sandbox=sandbox)
    apart = programmes.known_sources(tx, set(named) - there, sandbox=not sandbox)
    return [
        Violation(
            f"version.co_funding[{place}].funding_source",
            f"fundingSources/{source} is {'for real money' if sandbox else 'for the sandbox'} only"
            if source in apart
            else f"there is no fundingSources/{source}; create it first",
        )
        for place, source in enumerate(named)
        if source not in there
    ]


def _unknown_region(tx: Transaction, rule: pb.ShortageRule) -> list[Violation]:
    """Returns the region of a shortage rule that is none of NUTS 2024 and that no version of the list speaks
    of: lists may go by an earlier NUTS, or be of a country that has none."""
    around = regions.beyond(rule.nuts_code)
    if not around or offers.list_names_region(tx, rule.shortage_list, around):
        return []
    said = (
        "is no region of NUTS 2024 and none that the list speaks of; write the code of a country or region,"
        " like BE, BE2 or BE211, or publish the list first"
    )
    return [Violation("version.shortage_rule.nuts_code", said)]


def _merged(row: Row[Any], sent: pb.ProgrammeVersion, mask: FieldMask) -> pb.ProgrammeVersion:
    """Returns the version as it would be: the fields that the mask names, or all, from the request."""
    if not mask.paths or list(mask.paths) == ["*"]:
        return sent
    unknown = [path for path in mask.paths if path.partition(".")[0] not in RULES]
    if unknown:
        violation = Violation("update_mask", f"{', '.join(unknown)} cannot be changed")
        raise Refusal(reason_pb2.REASON_INVALID_ARGUMENT, violations=[violation])
    merged = ParseDict(row.rules, pb.ProgrammeVersion())
    for path in dict.fromkeys(path.partition(".")[0] for path in mask.paths):
        merged.ClearField(path)  # type: ignore[arg-type]
    only = pb.ProgrammeVersion()
    FieldMask(paths=[path.partition(".")[0] for path in mask.paths]).MergeMessage(sent, only)
    merged.MergeFrom(only)
    return merged


def _need_draft(row: Row[Any]) -> None:
    if row.state != programmes.DRAFT:
        raise Refusal(reason_pb2.REASON_WRONG_STATE, metadata={"state": "ACTIVE", "needed": "DRAFT"})


def _parts(name: str) -> tuple[str, int]:
    parts = name.split("/")
    if len(parts) != 4 or not parts[3].isdecimal() or len(parts[3]) > 9:
        raise Refusal(reason_pb2.REASON_NOT_FOUND)
    return names.version_parts(name)


def programme_message(row: Row[Any]) -> pb.Programme:
    """Returns a row with `active_number` as message."""
    name = f"programmes/{row.id}"
    return pb.Programme(
        name=name,
        display_names=row.display_names,
        currency_code=row.currency,
        active_version=f"{name}/versions/{row.active_number}" if row.active_number else "",
        create_time=moment(row.created_at),
        sandbox=is_sandbox(row.currency),
    )


def version_message(row: Row[Any]) -> pb.ProgrammeVersion:
    """Returns a row as message."""
    message = ParseDict(row.rules, pb.ProgrammeVersion())
    message.name = f"programmes/{row.programme_id}/versions/{row.number}"
    message.state = row.state
    message.etag = etag_of(row.version)
    message.create_time.FromDatetime(row.created_at)
    if row.activated_at:
        message.activate_time.FromDatetime(row.activated_at)
    return message
