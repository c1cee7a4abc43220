"""Has the whole ledger verified, with a bar, and compared with rounds that were kept outside."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from waymark.vouchers.v1 import ledger_pb2 as pb
from waymark.vouchers.v1 import ledger_pb2_grpc

from services.cli.exits import ExitCode, Failure
from services.cli.progress import counts

if TYPE_CHECKING:
    from services.cli.client import Caller

LONGEST = 600.0  # seconds; no stream lasts longer
MOST = 1000  # rounds that are compared, the newest of those kept


def verified(caller: Caller, known: Sequence[pb.KnownLedgerRound]) -> dict[str, Any]:
    """Returns what the verification found, as REST would show it; raises Failure, also when there is more to
    read than time."""
    service = caller.stub(ledger_pb2_grpc.LedgerServiceStub)
    request = pb.VerifyWholeLedgerRequest(known_rounds=known)
    last = pb.VerifyWholeLedgerResponse()
    try:
        with counts() as bar:
            task = bar.add_task("entries read", total=None)
            for last in service.VerifyWholeLedger(request, timeout=LONGEST):
                bar.update(task, completed=last.entry_count, total=last.expected_entry_count)
    except Failure as failure:
        if failure.reason != "DEADLINE_EXCEEDED":
            raise
        raise _unfinished(last) from failure
    return MessageToDict(last.result)


def _unfinished(last: pb.VerifyWholeLedgerResponse) -> Failure:
    return Failure(
        ExitCode.REFUSED,
        f"The verification did not end within {LONGEST:g} seconds, and so says nothing yet: "
        f"{last.entry_count} of {last.expected_entry_count} entries were read.",
        remedy="Run it again when the database has less to do; one that never ends needs a faster one.",
        reason="DEADLINE_EXCEEDED",
    )


def broken(findings: Sequence[Mapping[str, Any]]) -> Failure:
    """Returns what a ledger with these findings ends with."""
    if findings and all(each.get("kind") == "TURNOVER" for each in findings):
        told = "The ledger is what it should be; what statements add up of it is not."
        remedy = (
            "Send no statement until it is mended: emptied, the tables named provider_days, provider_months "
        )
        remedy += "and turnover_marks are counted anew; a year of levy_turnover becomes what was counted."
        return Failure(ExitCode.OTHER, told, remedy=remedy)
    remedy = "Stop payouts and call the auditor."
    return Failure(ExitCode.OTHER, "The ledger is not what it should be.", remedy=remedy)


def kept_rounds(file: Path) -> list[pb.KnownLedgerRound]:
    """Returns the newest rounds of a file that `waymark ledger checkpoints --json` wrote, in order; raises
    Failure for any other file."""
    try:
        kept = {int(each["number"]): str(each["digest"]) for each in json.loads(file.read_bytes())}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _no_rounds(file) from error
    if not kept:
        raise _no_rounds(file)
    return [pb.KnownLedgerRound(number=number, digest=kept[number]) for number in sorted(kept)[-MOST:]]


def _no_rounds(file: Path) -> Failure:
    remedy = "Write it by `waymark ledger checkpoints --json > FILE`."
    return Failure(ExitCode.USAGE, f"{file} holds no rounds of the ledger.", remedy=remedy)
