"""The same SQL as a redemption's three writes, as scripts for pgbench: what the database alone can do.

The statements are taken from the service itself; only the values, which pgbench cannot compute, are put in
their place as expressions. A script sends statement by statement, as programs do and pgbench by itself; a
pipelined one takes three round trips, as near as pgbench comes to the service's two.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from sqlalchemy.engine import make_url

from bench.redeem_world import SESSION
from services.cli.stack.postgres import binary
from services.platform.db import requests
from services.platform.db.transaction import CLOCK
from services.platform.db.wire import Named, Prepared
from services.platform.events import outbox
from services.vouchers.store import ledger, redemptions

# Names of pgbench: client_id, base (first voucher), k (how many this client has done).
_VOUCHER = "CAST('00000000-0000-7000-8000-' || lpad(CAST(CAST(:n AS int) AS text), 12, '0') AS uuid)"
_REDEMPTION = "CAST(lpad(to_hex(CAST(:r AS bigint)), 32, '0') AS uuid)"
_V_NAME, _R_NAME = f"('vouchers/' || {_VOUCHER})", f"('redemptions/' || {_REDEMPTION})"
_HASH = "decode('" + "ab" * 32 + "', 'hex')"
_BODY = "decode('" + "ab" * 200 + "', 'hex')"
_EVENT = ("aggregatetype", "aggregateid", "type", "payload", "topic", "bucket", "traceparent")
_SETS = r"""\set k :k + 1
\set n :base + :client_id
\set r (:n * 1000000) + :k
"""
_PIPELINE = ("\\startpipeline", "\\endpipeline")
_COMMON = {
    "id": _REDEMPTION,
    "voucher_id": _VOUCHER,
    "shard": "CAST(:shard AS smallint)",
    "sequence": "CAST(:head_sequence AS bigint) + {lines}",
    "hash": _HASH,
    "currency": "'EUR'",
    "transaction": "gen_random_uuid()",
    "reference": _R_NAME,
    "booked_at": "now()",
    "hashes": "CAST(ARRAY[{hashes}] AS bytea[])",
    "returned": "0",
    "no_show_at": "NULL",
    "end_reason": "0",
    "sealed_note": "NULL",
    **dict.fromkeys(ledger.SUMS, "0"),
    "principal": "CAST(CAST(:n AS int) AS text)",
    "request_id": "CAST(CAST(:r AS bigint) AS text)",
    "body_hash": _HASH,
    "answer": _BODY,
    "aggregatetype": "'redemption'",
    "aggregateid": _R_NAME,
    "type": "'waymark.vouchers.v1.RedemptionReserved'",
    "payload": _BODY,
    "topic": "'waymark.vouchers.redemptions.v1'",
    "bucket": "1",
    "traceparent": "''",
}
_RESERVE = {
    "voucher_state": "2",
    "available": "CAST(:available_cents AS bigint) - 1",
    "reserved": "CAST(:reserved_cents AS bigint) + 1",
    "spent": "CAST(:spent_cents AS bigint)",
    "learner": "'learners/' || CAST(CAST(:n AS int) AS text)",
    "programme_id": "'bench'",
    "version_number": "1",
    "course": "'courses/bench'",
    "session": f"'{SESSION}'",
    "organisation": "'organisations/bench'",
    "price": "100000000",
    "amount": "1",
    "authorise_until": "now() + interval '1 day'",
    "operation": "'reserve'",
    "kinds": "CAST('{3,4}' AS smallint[])",
    "owners": f"ARRAY[{_V_NAME}, {_V_NAME}]",
    "cents": "CAST('{-1,1}' AS bigint[])",
    "voucher": _VOUCHER,
}
_ACCEPT = {
    "voucher_state": "3",
    "available": "CAST(:available_cents AS bigint)",
    "reserved": "CAST(:reserved_cents AS bigint) - 1",
    "spent": "CAST(:spent_cents AS bigint) + 1",
    "state": "5",
    "accepted": "1",
    "release_at": "now()",
    "accepted_at": "now()",
    "operation": "'accept'",
    "kinds": "CAST('{4,5}' AS smallint[])",
    "owners": f"ARRAY[{_V_NAME}, {_R_NAME}]",
    "cents": "CAST('{-1,1}' AS bigint[])",
}
_AUTHORISE = {"state": "2", "evidence": "CAST('{}' AS text[])"}


def scripts(*, pipelined: bool) -> dict[str, str]:
    """Returns a pgbench script for each of the three writes."""
    lines = {
        "reserve": _lines(redemptions.LOCK_BY_VOUCHER, redemptions.RESERVE, _RESERVE),
        "authorise": _lines(redemptions.LOCK, redemptions.MOVE, _AUTHORISE),
        "accept": _lines(redemptions.LOCK_WITH_MONEY, redemptions.RESOLVE, _ACCEPT),
    }
    return {
        kind: _SETS + "\n".join(line for line in script if pipelined or line not in _PIPELINE) + "\n"
        for kind, script in lines.items()
    }


def _lines(lock: Named, write: Named, values: dict[str, str]) -> list[str]:
    method = {"method": f"'/bench/{values.get('operation', 'authorise').strip(chr(39))}'"}
    values = {**_COMMON, **values, **method}
    request = [values[name] for name in ("principal", "method", "request_id", "body_hash")]
    event = ["gen_random_uuid()", *(values[name] for name in _EVENT)]
    start, end = _PIPELINE
    return [
        start,
        "BEGIN;",
        _set_of_one(requests._CLAIM, request) + ";",
        end,  # pgbench reads no values inside a pipeline, so the lock is a round trip of its own
        _filled(lock, values) + " \\gset",
        start,
        _filled(write, values) + ";",
        _set_of_one(outbox._APPEND, event) + ";",
        _set_of_one(requests._KEEP, [*request, values["answer"]]) + ";",
        "COMMIT;",
        end,
    ]


def _set_of_one(statement: Prepared, values: list[str]) -> str:
    """Returns a statement that takes arrays, with one element in each."""
    arrays = [f"CAST(ARRAY[{value}] AS {kind})" for value, kind in zip(values, statement.types, strict=True)]
    return _numbered(statement.sql, arrays)


def _numbered(statement: str, values: list[str]) -> str:
    """Returns a statement with `$1` … as the service sends it, with expressions in their place."""
    plain = statement.replace(CLOCK, "now()")  # pgbench would take the colons of the format for variables
    filled = re.sub(r"\$(\d+)", lambda match: values[int(match[1]) - 1], plain)
    return " ".join(filled.split())


def _filled(statement: Named, values: dict[str, str]) -> str:
    """Returns the statement as the service sends it, with expressions in place of its parameters."""
    lines = 2
    hashes = ", ".join([_HASH] * lines)
    sequences = ", ".join(f"CAST(:head_sequence AS bigint) + {line + 1}" for line in range(lines))
    known = {**values, "sequences": f"ARRAY[{sequences}]"}

    found = [
        known[name].replace("{lines}", str(lines)).replace("{hashes}", hashes) for name in statement.names
    ]
    return _numbered(statement.prepared.sql, found)


def run(url: str, script: str, *, clients: int, each: int, base: int, folder: Path) -> float:
    """Runs a script with prepared statements, `each` times per client; returns how many a second."""
    path = folder / "script.sql"
    path.write_text(script)
    address = make_url(url)
    arguments = [
        *(binary("pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-t", str(each)),
        *("-D", "k=0", "-D", f"base={base}", "-f", str(path)),
        *("-h", str(address.query["host"]), "-p", str(address.query["port"])),
        *("-U", str(address.username), str(address.database)),
    ]
    environment = {"PGPASSWORD": str(address.password), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if done.returncode != 0 or found is None or "number of failed transactions: 0" not in done.stdout:
        raise RuntimeError(f"pgbench failed:\n{done.stdout[-800:]}\n{done.stderr[-1500:]}")
    return float(found[1])
