"""`waymark shortage prove`, `keys` and `verify`: answers with a proof that needs no network."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli import output
from services.cli.amounts import json_day
from services.cli.call import Call, calls
from services.cli.exits import ExitCode, Failure
from services.cli.key_files import read_keys
from services.cli.options import AsJson

VERIFIED = {
    "outcome": "outcome",
    "why": "why",
    "short": "short",
    "on": "day",
    "by version": "version",
    "occupation": "occupation",
    "URI": "uri",
    "ISCO-08": "iscoCode",
    "region": "nutsCode",
    "severity": "severity",
    "evidence": "evidence",
    "key": "keyId",
}
LARGEST = 1 << 20  # bytes of a proof
Occupation = Annotated[str, typer.Argument(help="Concept URI or ISCO-08 code.")]
Region = Annotated[str, typer.Argument(help="NUTS code of the place.")]
On = Annotated[str, typer.Option(help="Day asked about, 2026-09-01; default: today.")]
OfList = Annotated[str, typer.Option("--list", help="Only this shortageLists/{id}.")]


def register(shortage: typer.Typer) -> None:
    """Adds the commands to `waymark shortage`."""
    shortage.command(epilog="Example:  waymark shortage prove 7112 BE21 --on 2026-09-01 --json > proof.json")(
        prove
    )
    shortage.command(epilog="Example:  waymark shortage keys --json > shortage-keys.json")(keys)
    shortage.command(
        epilog="Example:  waymark shortage verify proof.json shortage-keys.json    Exit codes: 0 proved · "
        "1 not proved · 5 signed with a key that the file has not"
    )(verify)


@calls()
def prove(
    call: Call,
    occupation: Occupation,
    region: Region,
    on: On = "",
    name: OfList = "",
) -> None:
    """Ask whether an occupation was short, with the proof; with --json for `verify`."""
    asked: dict[str, Any] = {"occupation": occupation, "nutsCode": region, "shortageList": name}
    answer = call.post("shortageLists:proof", {"request": asked | ({"date": json_day(on)} if on else {})})
    fields = {
        "short": "answer.short",
        "by version": "answer.version",
        "entry": "answer.entry.name",
        "entries": "proof.entryCount",
        "key": "proof.keyId",
        "signature": "proof.signature",
    }
    answer.setdefault("answer", {}).setdefault("short", False)
    call.one(answer, fields)


@calls()
def keys(call: Call) -> None:
    """Print the public keys that prove answers; with --json a JWK set for `verify`."""
    found = call.get("shortageKeys")
    if call.as_json:
        output.as_json(found)
    else:
        output.table(found.get("keys", []), {"key": "kid", "kind": "crv", "public": "x"})


def verify(
    proof: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Answer with proof, see `prove --json`.")
    ],
    keys: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Public keys as JWK set, see `keys --json`.")
    ],
    as_json: AsJson = False,
) -> None:
    """Verify an answer without stack and network: signature of the version, and that the entry is in it.

    That nothing is short is proved only as far as the version goes: its entries tell the rest.
    """
    found, code = proved(read_proof(proof), read_keys(keys, "waymark shortage keys"))
    output.one(found, VERIFIED, as_json)
    raise typer.Exit(int(code))


def proved(message: Any, known: dict[str, bytes]) -> tuple[dict[str, Any], ExitCode]:
    """Returns what a GetShortageProofResponse proves by these keys, and the exit code."""
    from services.catalogue.domain.shortage import Entry
    from services.catalogue.domain.shortage_proof import Flaw, Signed, flaw

    answer, given = message.answer, message.proof
    valid_to = _day(given.valid_to) if given.HasField("valid_to") else None
    signed = Signed(given.version, _day(given.valid_from), valid_to, given.entry_count, given.root)
    e, entry = answer.entry, None
    if answer.short:
        number = e.name.rpartition("/")[2]
        entry = Entry(
            int(number) if number.isdecimal() else 0,
            e.occupation.uri,
            e.occupation.isco_code,
            e.label,
            e.nuts_code,
            e.severity,
            e.cause,
            e.line,
            tuple(e.evidence),
        )
    day = _day(answer.date)
    found = flaw(signed, given.signature, known.get(given.key_id), day=day, entry=entry, path=given.path)
    result = {
        "outcome": found.name if found else "PROVED",
        "why": found.value if found else "",
        "keyId": given.key_id,
    }
    if found:
        return result, ExitCode.NOT_FOUND if found is Flaw.UNKNOWN_KEY else ExitCode.OTHER
    result |= {"short": answer.short, "day": day.isoformat(), "version": signed.version}
    if entry is not None:
        result |= {
            "occupation": entry.label,
            "uri": entry.uri,
            "iscoCode": entry.isco_code,
            "nutsCode": entry.nuts_code,
            "severity": entry.severity,
            "evidence": list(entry.evidence),
        }
    return result, ExitCode.OK


def read_proof(file: Path) -> Any:
    """Reads an answer with its proof; raises Failure saying what is wrong with the file."""
    from google.protobuf.json_format import Parse, ParseError
    from waymark.catalogue.v1.shortage_answer_pb2 import GetShortageProofResponse

    try:
        if file.stat().st_size > LARGEST:
            raise ParseError(f"is larger than {LARGEST >> 10} KiB")
        message = Parse(file.read_bytes(), GetShortageProofResponse(), ignore_unknown_fields=True)
        if not message.HasField("proof"):
            raise ParseError("no version was in force, so there is nothing to prove")
        _day(message.answer.date), _day(message.proof.valid_from)
    except (ParseError, ValueError) as error:
        raise Failure(
            ExitCode.USAGE,
            f"{file} is no answer with a proof: {error}.",
            remedy="Write one with `waymark shortage prove … --json > proof.json`.",
        ) from error
    return message


def _day(message: Any) -> date:
    return date(message.year, message.month, message.day)
