"""`make bench-portfolio`: a full portfolio read and written among few and many holders, and the gap from it.

A full portfolio has 200 entries and 200 skill claims. Some hundred of them are made by the service's own code
and sealed as ever; the other holders have a key and three entries each, whose bytes nobody reads, written by
the database itself. Reads and writes are each of another holder than the one before, by two callers over gRPC
with fsync on, first among few holders, then among many.

The gap is the way a page goes: the holder's skills from the portfolio, then the gap to an occupation from the
catalogue, with courses that close it. The catalogue has ESCO's occupations and skills where the shared data
is there, with as many skills for each occupation as ESCO 1.1.1 has on average (21 essential, 20 optional),
few of which most need and most of which few need.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from math import ceil
from pathlib import Path
from typing import NamedTuple

from google.protobuf.message import Message
from sqlalchemy import text
from waymark.portfolio.v1 import entry_pb2, holder_pb2, skill_claim_pb2
from waymark.portfolio.v1.skill_profile_pb2 import GetSkillProfileRequest

from bench.catalogue import add_skills, add_taxonomy, rig
from bench.load import Load
from bench.report import Goal, report
from bench.search import environ, fill
from bench.servers import durable_postgres, keys, serving, settings
from bench.visits import Calls, Gaps, run_visits
from services.catalogue.app import CatalogueApp
from services.catalogue.search.directory import Directory
from services.catalogue.search.follower import Follower
from services.catalogue.search.label_follower import renew
from services.catalogue.search.label_index import labels_directory
from services.catalogue.store import occupation_skills, taxonomies
from services.cli.stack.ports import free_port
from services.platform.db.transaction import transaction
from services.platform.settings import Settings
from services.portfolio.app import PortfolioApp
from services.portfolio.domain.dates import from_date
from services.portfolio.store import holders
from services.portfolio.store.entries import ENTRIES
from services.portfolio.store.skill_claims import SKILL_CLAIMS
from services.portfolio.store.vault import open_vault
from tests.support.servers import token

SERVICE = "/waymark.portfolio.v1"
FULL, ENTRIES_OF_FULL, CLAIMS_OF_FULL = 100, 200, 200
CALLERS = 2
ESSENTIAL, OPTIONAL = 21, 20
PROFILE = "SkillProfileService/GetSkillProfile"
WRITES = 15  # a second, prepared for each of those written to: more than a run comes to, as one twice is none
GOALS = (
    Goal("read_p99_ms", "≤", 40, "ms"),
    Goal("write_p99_ms", "≤", 40, "ms"),
    Goal("read_many_to_few", "≤", 1.5),
    Goal("write_many_to_few", "≤", 1.5),
    Goal("gap_p99_ms", "≤", 50, "ms"),
    Goal("errors", "≤", 0),
)
# As many holders as are wanted; an id is the hash of a number. References are checked at the end, at once.
_REFERENCES = (("holder_keys", "holders (id)"), ("entries", "holder_keys (holder_id) ON DELETE CASCADE"))
_OTHERS = (
    "CREATE TEMP TABLE more ON COMMIT DROP AS SELECT md5(n::text)::uuid::text AS id "
    "FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n ORDER BY id",
    *(f"ALTER TABLE {table} DROP CONSTRAINT {table}_holder_id_fkey" for table, _ in _REFERENCES),
    "INSERT INTO holders (id, sealed, created_at, updated_at) "
    "SELECT id, decode(repeat(md5(id), 6), 'hex'), now(), now() FROM more",
    "INSERT INTO holder_keys (holder_id, master_key_id, wrapped, created_at) "
    "SELECT id, 'bench', decode(repeat(md5(id), 4), 'hex'), now() FROM more",
    "INSERT INTO entries (holder_id, id, kind, sealed, created_at, updated_at) "
    "SELECT id, md5(id || e)::uuid::text, 2, decode(repeat(md5(id), 12), 'hex'), now(), now() "
    "FROM more, generate_series(1, 3) e",
    *(
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_holder_id_fkey "
        f"FOREIGN KEY (holder_id) REFERENCES {target}"
        for table, target in _REFERENCES
    ),
)


class World(NamedTuple):
    """A portfolio with holders in it. `people`: subjects of those who have a full one."""

    app: PortfolioApp
    environ: dict[str, str]
    people: list[str]


def main() -> None:
    """Fills, measures, reports; exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=10_000, help="holders of the first measurement")
    parser.add_argument("--holders", type=int, default=1_000_000, help="holders of the second")
    parser.add_argument("--courses", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=10)
    given = parser.parse_args()
    figures: dict[str, float] = {"holders": given.holders, "courses": given.courses}
    with rig() as catalogue, keys() as jwks:
        occupations, skills = fill_catalogue(catalogue, given.courses)
        with portfolio(jwks, skills) as world:
            for name, count in (("few", given.few), ("many", given.holders)):
                fill_holders(world.app, count)
                with serving("portfolio", world.environ) as (address, _):
                    figures |= measured(name, address, world.people, given.seconds)
            with (
                serving("portfolio", world.environ) as (first, _),
                serving("catalogue", environ(catalogue, jwks)) as (second, _),
            ):
                gaps = run_visits(ways(first, second, world.people, occupations), given.seconds)
    figures |= {"gap_p50_ms": gaps.p50 * 1000, "gap_p99_ms": gaps.p99 * 1000, "gaps_per_s": gaps.rate}
    for what in ("read", "write"):
        figures[f"{what}_p99_ms"] = max(figures[f"{what}_few_p99_ms"], figures[f"{what}_many_p99_ms"])
        figures[f"{what}_many_to_few"] = figures[f"{what}_many_p50_ms"] / figures[f"{what}_few_p50_ms"]
    figures["errors"] = figures.pop("errors_few") + figures.pop("errors_many") + gaps.errors.total()
    sys.exit(0 if report("portfolio", figures, GOALS) else 1)


def fill_catalogue(app: CatalogueApp, courses: int) -> tuple[list[str], list[str]]:
    """Imports occupations, skills, which of these need which, and courses for both; returns the URIs of
    occupations and of skills, the most needed first."""
    labels = add_taxonomy(app)
    add_skills(app)
    pick = random.Random(5)
    with transaction(app) as tx:
        found = taxonomies.concepts_of(tx, taxonomies.SKILLS, "bench")
        occupations = list(taxonomies.concepts_of(tx, taxonomies.ESCO, "bench"))
        ids = taxonomies.concept_ids(tx.connection, taxonomies.ESCO, "bench")
        skills = sorted(found)
        pick.shuffle(skills)
        needs = {
            (ids[uri], skill): number < ESSENTIAL
            for uri in occupations
            for number, skill in enumerate(drawn(pick, skills, ESSENTIAL + OPTIONAL))
        }
        occupation_skills.add(tx, taxonomies.ESCO, "bench", needs)
    fill(app, labels + [label for _, label in found.values()], courses)
    Follower(app, Directory(app.settings.index_dir)).rebuild(threading.Event())
    renew(app, labels_directory(app.settings.index_dir))
    return occupations, skills


def drawn(pick: random.Random, skills: Sequence[str], count: int) -> list[str]:
    """Draws different skills, the n-th of them in proportion to 1 / n."""
    weights = list(accumulate(1 / (place + 20) for place in range(len(skills))))
    return list(dict.fromkeys(pick.choices(skills, cum_weights=weights, k=count * 2)))[:count]


@contextmanager
def portfolio(jwks: str, skills: Sequence[str]) -> Iterator[World]:
    """A portfolio with FULL people in it, on a PostgreSQL of its own."""
    with tempfile.TemporaryDirectory(prefix="waymark-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with durable_postgres("portfolio", folder) as url:
            environment = settings("portfolio", url, jwks, folder, f"127.0.0.1:{free_port()}")
            app = PortfolioApp.build(Settings.from_environment("portfolio", environment))
            try:
                pick = random.Random(6)
                people = [full(app, drawn(pick, skills, CLAIMS_OF_FULL)) for _ in range(FULL)]
                yield World(app, environment, people)
            finally:
                app.close()


def full(app: PortfolioApp, skills: Sequence[str]) -> str:
    """Makes somebody with a full portfolio; returns their subject."""
    subject = str(uuid.uuid4())
    with transaction(app) as tx:
        holders.create(tx, app.keys, subject, holder_pb2.Holder(given_name="Ada", family_name="Peeters"))
        vault = open_vault(tx, app.keys, subject)
        entries = [(entry(number), {"kind": entry_pb2.ENTRY_KIND_WORK}) for number in range(ENTRIES_OF_FULL)]
        ENTRIES.add_all(tx, vault, entries)
        today = from_date(tx.now.date())
        claims = [skill_claim_pb2.SkillClaim(concept_uri=skill, assert_date=today) for skill in skills]
        blind = [{"source": 1, "concept": vault.key.blind("skill concept", skill)} for skill in skills]
        SKILL_CLAIMS.add_all(tx, vault, list(zip(claims, blind, strict=True)))
    return subject


def entry(number: int) -> entry_pb2.Entry:
    """Returns an entry of the usual size."""
    return entry_pb2.Entry(
        kind=entry_pb2.ENTRY_KIND_WORK,
        title=f"Welder {number}",
        organisation="Scheldt Yard",
        place="Antwerp",
        start_date={"year": 2010 + number % 10, "month": 1, "day": 1},
        end_date={"year": 2020, "month": 1, "day": 1},
        description={"en": "Welded plates and pipes, read drawings, kept the shop in order. " * 5},
    )


def fill_holders(app: PortfolioApp, count: int) -> None:
    """Adds holders up to a number, and lets the database tidy up before somebody measures."""
    with transaction(app) as tx:
        tx.connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        first = tx.execute(text("SELECT count(*) FROM holders")).scalar_one()
        for statement in _OTHERS:
            tx.execute(text(statement), {"first": first, "last": count - 1})
    with app.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("VACUUM (ANALYZE)")
        connection.exec_driver_sql("RESET statement_timeout")


def measured(name: str, address: str, people: Sequence[str], seconds: float) -> dict[str, float]:
    """Returns how long a read of all entries, of the skills, and a write take; half of the people are read,
    the others written to, so that what is read stays as large as it was."""
    found: dict[str, float] = {}
    errors = 0
    readers, writers = people[::2], list(people[1::2]) * ceil(WRITES * seconds)
    for what, load in (
        ("read", run_visits(calls(address, "EntryService/ListEntries", readers, listing), seconds)),
        ("profile", run_visits(calls(address, PROFILE, readers, profile), seconds)),
        ("write", run_visits(calls(address, "EntryService/CreateEntry", writers, writing), seconds)),
    ):
        found |= figures_of(f"{what}_{name}", load)
        errors += load.errors.total()
    return {**found, f"errors_{name}": float(errors)}


def figures_of(name: str, load: Load) -> dict[str, float]:
    """Returns median, 99th percentile and rate."""
    return {
        f"{name}_p50_ms": load.p50 * 1000,
        f"{name}_p99_ms": load.p99 * 1000,
        f"{name}_per_s": load.rate,
    }


def calls(address: str, path: str, people: Sequence[str], make: Callable[[str], Message]) -> list[Calls]:
    """Returns CALLERS that share the people among them, each visit with the token of its holder."""
    tokens = {subject: token("learner", subject=subject) for subject in people}
    visits = [(tokens[subject], make(f"holders/{subject}").SerializeToString()) for subject in people]
    return [Calls(address, f"{SERVICE}.{path}", visits[number::CALLERS]) for number in range(CALLERS)]


def listing(holder: str) -> Message:
    """Asks for all entries of a holder."""
    return entry_pb2.ListEntriesRequest(parent=holder, page_size=500)


def profile(holder: str) -> Message:
    """Asks for what a holder can do."""
    return GetSkillProfileRequest(name=holder)


def writing(holder: str) -> Message:
    """Adds an entry; a request id of its own makes it one more."""
    return entry_pb2.CreateEntryRequest(parent=holder, entry=entry(0), request_id=str(uuid.uuid4()))


def ways(first: str, second: str, people: Sequence[str], occupations: Sequence[str]) -> list[Gaps]:
    """Returns CALLERS that share people and occupations among them."""
    visits = [(token("learner", subject=subject), f"holders/{subject}") for subject in people]
    return [
        Gaps(first, second, visits[number::CALLERS], occupations[number::CALLERS])
        for number in range(CALLERS)
    ]


if __name__ == "__main__":
    main()
