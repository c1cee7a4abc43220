"""`make bench-surge`: 14 300 people apply as fast as the edge takes them, then five times as fast as that.

Practice V12, Luxembourg: 20 to 25 applications a month became 14 300. Everybody has a token of their own and
calls over gRPC through Envoy, which checks it; behind it two processes of eight threads and a PostgreSQL with
fsync on. In the first part who is refused comes back when told to; in the second nobody does, so that what is
offered stays five times what was reached. At the end every answer is compared with the database.

All calls come from one address, whose limit at the edge is lifted so that it is not what is measured; that
per principal stays as it is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text
from waymark.vouchers.v1 import application_pb2 as pb

from bench.crowd import NO_HINT, Answer, Crowd, Person, percentile_ms, send_crowd
from bench.redeem_world import SESSION, seed, voucher_id
from bench.report import Goal, report
from bench.servers import durable_postgres, serving, settings
from services.cli.stack.issuer import DEFAULT_AUDIENCE, IssuerServer
from services.cli.stack.ports import free_port
from services.platform.db.ids import new_id
from services.platform.db.transaction import transaction
from services.platform.edge.limits import Limits
from services.vouchers.domain import bookings
from services.vouchers.store import ledger
from tests.support.edges import Edge, edge, issuing

APPLY = "/waymark.vouchers.v1.ApplicationService/CreateApplication"
CALLERS = 48  # at a time in the first part; more than both processes can do at once, less than they queue
WARM = 300
TIMES = 5  # what is offered in the second part, of what the first one reached
MONEY = 100_000_000_000  # cents
LIFTED = Limits(address_per_second=1_000_000, address_burst=1_000_000)
GOALS = (
    Goal("p99_ms", "≤", 500, "ms"),
    Goal("overload_p99_ms", "≤", 500, "ms"),
    Goal("overload_refused_p99_ms", "≤", 500, "ms"),
    Goal("overload_rate_kept", "≥", 0.5),
    Goal("refused_without_hint", "≤", 0),
    Goal("other_errors", "≤", 0),
    Goal("lost", "≤", 0),
    Goal("undecided", "≤", 0),
    Goal("doubled", "≤", 0),
    Goal("refused_but_kept", "≤", 0),
)
_WORLD = (
    """INSERT INTO learner_facts (id, learner, key, source, value, observed_date)
      SELECT gen_random_uuid(), 'learners/00000000-0000-7000-8000-' || lpad(n::text, 12, '0'),
        'employment_status', 2, '"unemployed"', current_date - n % 365
      FROM generate_series(1, :people) AS n""",
    "UPDATE pots SET funded_cents = :money, available_cents = :money",
    "ANALYZE learner_facts",
)


def main() -> int:
    """Measures and reports; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=14_300)
    count = parser.parse_args().people
    with tempfile.TemporaryDirectory(prefix="waymark-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with world(folder, WARM + 2 * count) as (front, engine):
            people = [applicant(front, number) for number in range(1, WARM + 2 * count + 1)]
            send_crowd(front.address, APPLY, people[:WARM], callers=CALLERS)
            first = send_crowd(front.address, APPLY, people[WARM : WARM + count], callers=CALLERS)
            reached = len(first.accepted) / first.seconds
            second = send_crowd(front.address, APPLY, people[WARM + count :], per_second=TIMES * reached)
            figures = {**paces(first, second), **compared(engine, first, WARM), **unkind(first, second)}
            for figure, value in compared(engine, second, WARM + count).items():
                figures[figure] += value
    return 0 if report("surge", figures, GOALS) else 1


@contextmanager
def world(folder: Path, people: int) -> Iterator[tuple[Edge, Engine]]:
    """A database where everybody up to number `people` is known to seek work, the service, the edge."""
    (folder / "issuer").mkdir()
    with durable_postgres("vouchers", folder) as url, issuing(folder) as issuer:
        engine = seed(url, 0)
        with engine.begin() as connection:
            for statement in _WORLD:
                connection.execute(text(statement), {"people": people, "money": MONEY})
        with transaction(engine) as tx:
            head = ledger.lock_head(tx, ledger.shard_for(tx, "EUR", "pot"))
            ledger.post(tx, head, bookings.fund(new_id(), "fundingSources/bench", "pot", MONEY))
        listen = f"127.0.0.1:{free_port()}"
        environ = settings("vouchers", url, f"{issuer.issuer.address}/jwks.json", folder, listen)
        with serving("vouchers", {**environ, **trusting(issuer)}) as (address, _):
            services = {"catalogue": address, "vouchers": address, "portfolio": address}
            with edge(folder / "edge", issuer, services, limits=LIFTED) as front:
                yield front, engine
        engine.dispose()


def trusting(issuer: IssuerServer) -> dict[str, str]:
    """Returns the settings that let a server believe the tokens of `issuer`."""
    return {"WAYMARK_OIDC_ISSUER": issuer.issuer.address, "WAYMARK_OIDC_AUDIENCE": DEFAULT_AUDIENCE}


def applicant(front: Edge, number: int) -> Person:
    """Returns a learner with an application for the one session there is."""
    learner = voucher_id(number)
    request = pb.CreateApplicationRequest(request_id=new_id())
    request.application.learner = f"learners/{learner}"
    request.application.programme = "programmes/bench"
    request.application.session = SESSION
    return Person(front.token("learner", subject=learner), request.SerializeToString())


def paces(first: Crowd, second: Crowd) -> dict[str, float]:
    """Returns how fast it went."""
    reached, kept = (len(crowd.accepted) / crowd.seconds for crowd in (first, second))
    return {
        "applications_per_s": reached,
        "p50_ms": percentile_ms(first.accepted, 0.5),
        "p99_ms": percentile_ms(first.accepted),
        "came_back": len(first.refused),
        "overload_offered_per_s": len(second.answers) / second.seconds,
        "overload_accepted_per_s": kept,
        "overload_rate_kept": kept / reached,
        "overload_p50_ms": percentile_ms(second.accepted, 0.5),
        "overload_p99_ms": percentile_ms(second.accepted),
        "overload_refused": len(second.refused),
        "overload_refused_p50_ms": percentile_ms(second.refused, 0.5),
        "overload_refused_p99_ms": percentile_ms(second.refused),
    }


def unkind(*crowds: Crowd) -> dict[str, float]:
    """Returns how many were refused without being told when to come back, or ended in any other way."""
    refused = [answer for crowd in crowds for answer in crowd.refused]
    ended = sum(len(crowd.answers) - len(crowd.accepted) for crowd in crowds)
    hintless = sum(answer.hint == NO_HINT for answer in refused)
    return {"refused_without_hint": hintless, "other_errors": ended - len(refused)}


def compared(engine: Engine, crowd: Crowd, before: int) -> dict[str, float]:
    """Returns how many acknowledged applications the database does not have or has not decided, how many
    people it has more than one of or another voucher for, and how many it has of people who were refused.

    `before`: people who came before this crowd.
    """
    said = {learner(answer, before): pb.Application.FromString(answer.body) for answer in crowd.accepted}
    refused = {learner(answer, before) for answer in crowd.refused} - said.keys()
    with engine.connect() as connection:
        rows = connection.execute(_KEPT, {"people": [*said, *refused]}).all()
    kept = {row.learner: row for row in rows}
    lost = [name for name in said if name not in kept or said[name].name not in kept[name].applications]
    return {
        "lost": len(lost),
        "undecided": sum(application.state != pb.Application.STATE_GRANTED for application in said.values()),
        "doubled": sum(row.made != 1 or row.vouchers != 1 for row in rows),
        "refused_but_kept": len(refused & kept.keys()),
    }


_KEPT = text("""SELECT a.learner, count(*) AS made, array_agg('applications/' || a.id) AS applications,
  (SELECT count(*) FROM vouchers v WHERE v.learner = a.learner) AS vouchers
FROM applications a WHERE a.learner = ANY(CAST(:people AS text[])) GROUP BY a.learner""")


def learner(answer: Answer, before: int) -> str:
    """Returns the name of the learner who got an answer."""
    return f"learners/{voucher_id(answer.person + before + 1)}"


if __name__ == "__main__":
    sys.exit(main())
