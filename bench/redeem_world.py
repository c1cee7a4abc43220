"""What the redeem benchmark spends: vouchers, with the programme, the money and the session they are for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import text

from services.platform.db.engine import driver_url

ROOT = Path(__file__).resolve().parents[1]
COURSE = "courses/bench"
SESSION = f"{COURSE}/sessions/1"
SESSIONS = 1_000  # where a world is grown: its people have hundreds of vouchers, and not for one session
VALUE = 10_000_000  # cents: each voucher lasts for the whole run
_SAMPLE = json.loads((ROOT / "samples/programmes/dutch-temporary-training-voucher.json").read_text())
RULES = {key: value for key, value in _SAMPLE["version"].items() if key != "shortageRule"}
# Its few people have many vouchers of many programmes, and spend all of them on one session.
RULES["amountRule"] = {**RULES["amountRule"], "noDoubleFunding": False}
_SEED = (
    "INSERT INTO programmes (id, currency) VALUES ('bench', 'EUR')",
    """INSERT INTO programme_versions (programme_id, number, state, effective_date, rules, drafted_by,
      activated_by) VALUES ('bench', 1, 2, '2020-01-01', CAST(:rules AS jsonb), '{maker}', 'checker')""",
    "INSERT INTO funding_sources (id, kind) VALUES ('bench', 1)",
    """INSERT INTO budgets (id, programme_id, start_date, end_date)
      VALUES (:one, 'bench', '2020-01-01', '2099-12-31')""",
    """INSERT INTO pots (id, budget_id, code, funding_source_id, name)
      VALUES (:one, :one, 'general', 'bench', 'pot')""",
    "INSERT INTO organisations (name, version, accredited) VALUES ('organisations/bench', 1, true)",
    """INSERT INTO courses (name, version, removed, organisation, kind, eqf_level, occupations)
      VALUES ('courses/bench', 1, false, 'organisations/bench', 'course', 4, '[]')""",
    """INSERT INTO sessions (name, course, listed, price_cents, currency)
      VALUES ('courses/bench/sessions/1', 'courses/bench', true, 100000000, 'EUR')""",
    """INSERT INTO applications (id, learner, programme_id, version_number, session, course, organisation,
      state, fact_hash, decided_on, automatic, currency)
      VALUES (:one, 'learners/bench', 'bench', 1, 's', 'c', 'o', 2, '', '2020-01-01', true, 'EUR')""",
    """INSERT INTO vouchers (id, learner, programme_id, version_number, application_id, course, pot_id, shard,
      currency, cover_percent, state, value_cents, available_cents, order_until, expires_at)
      SELECT CAST('00000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid), 'learners/' || n, 'bench', 1,
        :one, 'courses/bench', :one, (n * 97) % 256, 'EUR', 100, 1, :value, :value, '2099-01-01', '2099-01-01'
      FROM generate_series(1, :vouchers) AS n""",
)


# Vouchers dealt out in turn to the first `people` learners, and to programmes with the rules of the first.
_GROW = (
    """INSERT INTO programmes (id, currency) SELECT 'bench-' || n, 'EUR'
      FROM generate_series(1, :programmes - 1) AS n""",
    """INSERT INTO programme_versions
      (programme_id, number, state, effective_date, rules, drafted_by, activated_by)
      SELECT p.id, v.number, v.state, v.effective_date, v.rules, v.drafted_by, v.activated_by
      FROM programmes p, programme_versions v WHERE p.id LIKE 'bench-%'""",
    """INSERT INTO sessions (name, course, listed, price_cents, currency)
      SELECT 'courses/bench/sessions/' || n, 'courses/bench', true, 100000000, 'EUR'
      FROM generate_series(2, :sessions) AS n""",
    """INSERT INTO vouchers (id, learner, programme_id, version_number, application_id, course, pot_id, shard,
      currency, cover_percent, state, value_cents, available_cents, order_until, expires_at)
      SELECT CAST('00000000-0000-7000-8000-' || lpad(n::text, 12, '0') AS uuid),
        'learners/' || (n - 1) % :people + 1,
        CASE (n / :people) % :programmes WHEN 0 THEN 'bench' ELSE 'bench-' || (n / :people) % :programmes END,
        1, :one, 'courses/bench', :one, (n * 97) % 256, 'EUR', 100, 1, :value, :value, '2099-01-01',
        '2099-01-01'
      FROM generate_series(1, :vouchers) AS n""",
)


def voucher_id(number: int) -> str:
    """Returns the id of the voucher of learner `number`."""
    return f"00000000-0000-7000-8000-{number:012d}"


def seed(url: str, vouchers: int, **changes: Any) -> sqlalchemy.Engine:
    """Fills the database with a programme, a session and vouchers of learners 1 to `vouchers`. `changes`: of
    the rules, as the contract has them in JSON."""
    engine = sqlalchemy.create_engine(driver_url(url), use_native_hstore=False)
    rules = json.dumps({**RULES, **changes})
    values = {"rules": rules, "one": voucher_id(0), "value": VALUE, "vouchers": vouchers}
    with engine.begin() as connection:
        for statement in _SEED:
            connection.execute(text(statement), values)
    return engine


def grow(url: str, vouchers: int, *, people: int, programmes: int) -> sqlalchemy.Engine:
    """Fills the database as `seed` does, with vouchers that belong to the learners 1 to `people` in turn, and
    to so many programmes. Fast: what refers to what is not checked row by row."""
    engine = seed(url, 0)
    values = {"one": voucher_id(0), "value": VALUE, "vouchers": vouchers, "people": people}
    with engine.begin() as connection:
        for statement in _GROW:
            connection.execute(text(statement), {**values, "programmes": programmes, "sessions": SESSIONS})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return engine
