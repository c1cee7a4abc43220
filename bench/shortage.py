"""As-of answers from shortage lists: one at a time and in batches of 100, over gRPC.

A list of 30 yearly versions, each with 500 occupations in 400 regions (6 000 000 entries), is asked for any
occupation, region and day; one at a time compared in the same run with an echo RPC of the same kind of
server. Both run as two processes of eight threads, one for each core of the machine that the goals are set
for. Run as `make bench-shortage`.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from waymark.catalogue.v1 import shortage_answer_pb2, shortage_list_pb2

from bench import echo
from bench.load import Caller, Load, run_load
from bench.report import Goal, report
from bench.servers import durable_postgres, keys, memory_of, serving, settings
from services.catalogue.shortage_book import pack_unpacked
from services.cli.stack.ports import free_port
from services.platform.db.engine import driver_url
from tests.support.servers import token

CALLERS = 32
YEARS, OCCUPATIONS, REGIONS = int(os.environ.get("BENCH_YEARS", "30")), 500, 400
FIRST_YEAR = 2001
SECONDS, TURNS = 9.0, 3
BATCH = 100
BEARER = (("authorization", f"Bearer {token('learner')}"),)
CHECK = "/waymark.catalogue.v1.ShortageListService/CheckShortage"
CHECK_MANY = "/waymark.catalogue.v1.ShortageAnswerService/CheckShortages"
GOALS = (
    Goal("rate_to_echo", "≥", 0.7),
    Goal("batch_answers_per_s", "≥", 20_000, "answers/s"),
    Goal("first_of_all_years_s", "≤", 10.0, "s"),
)
# As many entries as there are, published without the events that nobody listens to here.
_SEED = (
    "INSERT INTO shortage_lists (id, display_names, nuts_code) VALUES ('bench', '{}', 'XX')",
    """INSERT INTO shortage_versions (list_id, number, valid_from, method, row_count, rejected_row_count,
      entry_count, error_count, created_by)
      SELECT 'bench', n, make_date(:first + n - 1, 1, 1), '', :entries, 0, :entries, 0, 'maker'
      FROM generate_series(1, :years) AS n""",
    """INSERT INTO shortage_entries (list_id, number, seq, uri, isco_code, label, nuts_code, severity, cause,
      line)
      SELECT 'bench', n, o * :regions + r + 1, '', (1000 + o * 17)::text, 'Occupation ' || o,
        'XX' || lpad(upper(to_hex(r)), 3, '0'), 1 + (o + r + n) % 5, (o + r) % 4, o * :regions + r + 2
      FROM generate_series(1, :years) AS n, generate_series(0, :occupations - 1) AS o,
        generate_series(0, :regions - 1) AS r""",
    """UPDATE shortage_versions SET published_by = 'checker', publish_time = now(), digest = 'x'""",
)


def main() -> int:
    """Measures and reports; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="waymark-bench-") as name, keys() as jwks:
        folder = Path(name)
        folder.chmod(0o755)
        with durable_postgres("catalogue", folder) as url:
            engine = create_engine(driver_url(url), use_native_hstore=False)
            _seed(engine)
            environ = settings("catalogue", url, jwks, folder, f"127.0.0.1:{free_port()}")
            beside = {**environ, "WAYMARK_LISTEN": f"127.0.0.1:{free_port()}"}
            with serving("catalogue", environ) as (address, server), echo.echo_server(beside) as echoes:
                first = _first(address)
                one, echoed = _in_turn(address, echoes)
                single = run_load(_singles(address, 1), seconds=2.0)
                many = run_load(_batches(address), seconds=SECONDS)
                memory = memory_of(server)
            engine.dispose()
    return 0 if report("shortage", _figures(one, single, many, echoed, first, memory), GOALS) else 1


def _in_turn(address: str, echoes: str) -> tuple[Load, Load]:
    """Returns the loads of answers and echoes, measured in turns: what else the machine does meets both."""
    body = echo.body("x" * 40)
    echoing = [Caller(echoes, echo.ECHO, [body], BEARER) for _ in range(CALLERS)]
    found = Load(), Load()
    for _ in range(TURNS):
        for total, callers in zip(found, (_singles(address), echoing), strict=True):
            load = run_load(callers, seconds=SECONDS / TURNS)
            total.seconds += load.seconds
            total.latencies += load.latencies
            total.errors += load.errors
    for total in found:
        total.latencies.sort()
    return found


def _figures(
    one: Load, single: Load, many: Load, echoed: Load, first: float, memory: float
) -> dict[str, float]:
    return {
        "entries": float(YEARS * OCCUPATIONS * REGIONS),
        "answers_per_s": one.rate,
        "answer_p50_ms": one.p50 * 1000,
        "answer_p99_ms": one.p99 * 1000,
        "alone_p50_ms": single.p50 * 1000,
        "echo_per_s": echoed.rate,
        "rate_to_echo": one.rate / echoed.rate,
        "batch_answers_per_s": many.rate * BATCH,
        "batch_p99_ms": many.p99 * 1000,
        "first_of_all_years_s": first,
        "server_mib": memory,
        "errors": float(sum(sum(load.errors.values()) for load in (one, many, echoed))),
    }


def _seed(engine: Engine) -> None:
    values = {
        "first": FIRST_YEAR,
        "years": YEARS,
        "occupations": OCCUPATIONS,
        "regions": REGIONS,
        "entries": OCCUPATIONS * REGIONS,
    }
    with engine.begin() as connection:
        for statement in _SEED:
            connection.execute(text(statement), values)
        connection.execute(text("ANALYZE shortage_entries"))
    pack_unpacked(engine)  # as publication does


def _questions(seed: int, count: int) -> list[shortage_list_pb2.CheckShortageRequest]:
    """Some are short, some are not: a fifth of the regions and some of the occupations are in no entry."""
    pick = random.Random(seed)
    found = []
    for _ in range(count):
        code = str(1000 + pick.randrange(OCCUPATIONS + OCCUPATIONS // 5) * 17)[:4]
        region = f"XX{pick.randrange(REGIONS + REGIONS // 5):03X}"
        request = shortage_list_pb2.CheckShortageRequest(occupation=code, nuts_code=region)
        request.date.year = FIRST_YEAR + pick.randrange(YEARS)
        request.date.month, request.date.day = pick.randint(1, 12), pick.randint(1, 28)
        found.append(request)
    return found


def _singles(address: str, callers: int = CALLERS) -> list[Caller]:
    bodies = [each.SerializeToString() for each in _questions(1, 2000)]
    return [Caller(address, CHECK, bodies[number:] + bodies[:number], BEARER) for number in range(callers)]


def _batches(address: str) -> list[Caller]:
    bodies = [
        shortage_answer_pb2.CheckShortagesRequest(requests=_questions(seed, BATCH)).SerializeToString()
        for seed in range(50)
    ]
    return [Caller(address, CHECK_MANY, bodies[number:] + bodies[:number], BEARER) for number in range(8)]


def _first(address: str) -> float:
    """Seconds until every process has read every version: what the first who ask wait for, all together, of
    which their questions alone take one or two."""
    bodies = [each.SerializeToString() for each in _questions(3, 10 * YEARS)]
    return run_load([Caller(address, CHECK, bodies, BEARER) for _ in range(8)], timeout=120).seconds


if __name__ == "__main__":
    sys.exit(main())
