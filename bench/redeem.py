"""Redeeming: reserve, authorise and accept, each one durable write, with 32 callers over gRPC.

Compared in the same run with (a) an echo RPC of the same kind of server and (b) pgbench doing the same SQL on
the same database, statement by statement; what it does when it pipelines them is printed beside. Server and
echo run as two processes of eight threads, one for each core of the machine that the goals are set for. The
echo is measured before, between and after the writes: a machine's speed may change by half within a run.
Beside rates, which other work on the machine lowers, the table shows what a write costs in processor time.
Run as `make bench-redeem`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import harmonic_mean

from sqlalchemy import Engine, text
from waymark.vouchers.v1 import redemption_pb2

from bench import cpu, echo, redeem_sql
from bench.load import Caller, Load, run_load
from bench.redeem_world import COURSE, seed, voucher_id
from bench.report import Goal, report
from bench.servers import durable_postgres, keys, serving, settings
from services.cli.stack.ports import free_port
from services.platform.db.ids import new_id
from tests.support.servers import token

CALLERS = 32
EACH = int(os.environ.get("BENCH_EACH", "150"))  # writes of each kind by each caller
ECHO_SECONDS = 2.0  # each of four times
WARM = 20  # of them before, for plans, pools and caches
SERVICE = "/waymark.vouchers.v1.RedemptionService/"
GOALS = (
    Goal("rate_to_echo", "≥", 0.35),
    Goal("rate_to_pgbench", "≥", 0.5),
    Goal("p99_ms", "≤", 60, "ms"),
)


def main() -> int:
    """Measures and reports; returns the exit code."""
    with tempfile.TemporaryDirectory(prefix="waymark-bench-") as name, keys() as jwks:
        folder = Path(name)
        folder.chmod(0o755)
        with durable_postgres("vouchers", folder) as url:
            engine = seed(url, 3 * CALLERS + 8)
            spent: dict[str, float] = {}
            echoes: list[Load] = []
            with echoing(url, jwks, folder, echoes) as echo_again:
                writes = measure_service(engine, url, jwks, folder, spent, echo_again)
            with cpu.measured({"pgbench_postgres": cpu.postmaster(folder / "postgres" / "data")}) as alone:
                database = measure_database(engine, url, folder)
            pipelined = measure_database(engine, url, folder, pipelined=True)
            engine.dispose()
    each = {
        f"{name}_cpu_us": seconds / (3 * CALLERS * EACH) * 1e6 for name, seconds in {**spent, **alone}.items()
    }
    return 0 if report("redeem", {**figures(writes, echoes, database, pipelined), **each}, GOALS) else 1


def figures(
    writes: dict[str, Load], echoes: list[Load], database: dict[str, float], pipelined: dict[str, float]
) -> dict[str, float]:
    """Returns every figure; rates are of all three kinds of write together."""
    rate = harmonic_mean([load.rate for load in writes.values()])
    echoed = harmonic_mean([load.rate for load in echoes])
    alone, together = harmonic_mean([*database.values()]), harmonic_mean([*pipelined.values()])
    return {
        **{f"{kind}_per_s": load.rate for kind, load in writes.items()},
        **{f"{kind}_p99_ms": load.p99 * 1000 for kind, load in writes.items()},
        "writes_per_s": rate,
        "echo_per_s": echoed,
        "slowest_echo_per_s": min(load.rate for load in echoes),
        "fastest_echo_per_s": max(load.rate for load in echoes),
        "pgbench_per_s": alone,
        "pgbench_pipelined_per_s": together,
        "errors": float(sum(sum(load.errors.values()) for load in writes.values())),
        "rate_to_echo": rate / echoed,
        "rate_to_pgbench": rate / alone,
        "rate_to_pgbench_pipelined": rate / together,
        "p99_ms": max(load.p99 for load in writes.values()) * 1000,
    }


def measure_service(
    engine: Engine, url: str, jwks: str, folder: Path, spent: dict[str, float], between: Callable[[], None]
) -> dict[str, Load]:
    """Returns the load of each kind of write; each caller spends from a voucher of its own. `spent` gets the
    seconds of processor time that server and database took for all of them. `between` is called before,
    between and after them."""
    environ = settings("vouchers", url, jwks, folder, f"127.0.0.1:{free_port()}")
    with serving("vouchers", environ) as (address, server):
        people = [token("learner", subject=str(number)) for number in range(1, CALLERS + 1)]
        warm, counted = ([[number] * each for number in range(1, CALLERS + 1)] for each in (WARM, EACH))
        run_load(reservations(address, people, warm))
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM outbox"))
        families = {"server": server, "postgres": cpu.postmaster(folder / "postgres" / "data")}
        with cpu.measured(families) as seconds:
            found = redemptions(engine, address, people, counted, between)
        spent.update(seconds)
    return found


def redemptions(
    engine: Engine,
    address: str,
    people: list[str],
    vouchers: Sequence[Sequence[int]],
    between: Callable[[], None] = lambda: None,
    sessions: int = 1,
) -> dict[str, Load]:
    """Returns the load of reserving, authorising and accepting a cent of each of everybody's vouchers, dealt
    out to so many sessions."""
    each = len(vouchers[0])
    between()
    found = {"reserve": run_load(reservations(address, people, vouchers, sessions))}
    between()
    found["authorise"] = run_load(steps(engine, address, "AuthoriseRedemption", people, each))
    deliver(engine)
    between()
    staff = [token("caseworker") for _ in people]
    found["accept"] = run_load(steps(engine, address, "AcceptRedemption", staff, each))
    between()
    return found


def deliver(engine: Engine) -> None:
    """Makes every redemption that is authorised one that can be accepted."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE redemptions SET state = 4 WHERE state = 2"))


def reservations(
    address: str, people: list[str], vouchers: Sequence[Sequence[int]], sessions: int = 1
) -> list[Caller]:
    """Returns callers that reserve a cent of each of their vouchers, which are given by number, for one of so
    many sessions."""
    found = []
    for bearer, numbers in zip(people, vouchers, strict=True):
        request = redemption_pb2.ReserveRedemptionRequest()
        request.amount.currency_code, request.amount.nanos = "EUR", 10_000_000
        bodies = []
        for number in numbers:
            request.session = f"{COURSE}/sessions/{number % sessions + 1}"
            request.voucher, request.request_id = f"vouchers/{voucher_id(number)}", new_id()
            bodies.append(request.SerializeToString())
        found.append(Caller(address, SERVICE + "ReserveRedemption", bodies, bearing(bearer)))
    return found


def steps(engine: Engine, address: str, method: str, bearers: list[str], each: int) -> list[Caller]:
    """Returns callers that take one step with each of the `each` redemptions reserved last."""
    request_type = getattr(redemption_pb2, f"{method}Request")
    statement = text("""SELECT id FROM redemptions WHERE learner = :learner AND state IN (1, 4)
      ORDER BY id DESC LIMIT :each""")
    found = []
    with engine.connect() as connection:
        for number, bearer in enumerate(bearers, 1):
            rows = connection.execute(statement, {"learner": f"learners/{number}", "each": each})
            bodies = [
                request_type(name=f"redemptions/{row.id}", request_id=new_id()).SerializeToString()
                for row in rows
            ]
            found.append(Caller(address, SERVICE + method, bodies, bearing(bearer)))
    return found


def bearing(bearer: str) -> list[tuple[str, str]]:
    """Returns the metadata that carries a token."""
    return [("authorization", f"Bearer {bearer}")]


@contextmanager
def echoing(url: str, jwks: str, folder: Path, found: list[Load]) -> Iterator[Callable[[], None]]:
    """Yields what measures the load of an RPC that does nothing behind the same server, and adds it to
    `found`."""
    with echo.echo_server(settings("vouchers", url, jwks, folder, f"127.0.0.1:{free_port()}")) as address:
        body = echo.body("x" * 120)
        callers = [
            Caller(address, echo.ECHO, [body], bearing(token("learner", subject=str(number))))
            for number in range(CALLERS)
        ]
        yield lambda: found.append(run_load(callers, seconds=ECHO_SECONDS))


def measure_database(engine: Engine, url: str, folder: Path, *, pipelined: bool = False) -> dict[str, float]:
    """Returns how many of each write a second pgbench reaches, on vouchers of its own."""
    base = (2 if pipelined else 1) * CALLERS + 1
    found = {}
    for kind, script in redeem_sql.scripts(pipelined=pipelined).items():
        if kind == "accept":
            deliver(engine)
        found[kind] = redeem_sql.run(url, script, clients=CALLERS, each=EACH, base=base, folder=folder)
    return found


if __name__ == "__main__":
    sys.exit(main())
