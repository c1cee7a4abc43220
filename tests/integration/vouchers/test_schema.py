"""The migrations make exactly the tables that the statements believe in."""

from datetime import UTC, date, datetime

import sqlalchemy
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from services.platform.db.engine import driver_url
from services.platform.db.migrations import alembic_config, migrate
from services.platform.db.transaction import Transaction
from services.platform.identity.principals import ANONYMOUS
from services.vouchers.store import levies
from services.vouchers.store.tables import metadata
from tests.support.canary import CANARY, everything
from tests.support.databases import Databases


def test_migrations_and_tables_agree(database: Databases) -> None:
    with database("vouchers").engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
        differences = compare_metadata(context, metadata)
        assert [difference for difference in differences if "expression" not in str(difference)] == []
        assert sqlalchemy.inspect(connection).has_table("ledger_entries")


def test_what_was_kept_before_is_understood_and_no_word_stays_in_the_clear(database: Databases) -> None:
    def first_release(url: str) -> None:
        engine = sqlalchemy.create_engine(driver_url(url), use_native_hstore=False)
        with engine.begin() as connection:
            config = alembic_config("vouchers")
            config.attributes["connection"] = connection
            command.upgrade(config, "0002")
        engine.dispose()

    old = database.clone("vouchers", "0002", first_release)
    answered = "/waymark.vouchers.v1.HoldService/"
    with old.engine.begin() as connection:
        connection.execute(text("INSERT INTO holds (id, target, reason, finding, placed_by) " + _HOLD))
        claim = "INSERT INTO request_ids VALUES ('p', :method, :method, '\\x00', :answer)"
        for method in ("PlaceHold", "ListHolds"):
            values = {"method": answered + method, "answer": CANARY.encode()}
            connection.execute(text(claim), values)
        connection.execute(text(_REDEMPTIONS))
    migrate("vouchers", old.url)
    assert everything(old.engine).count(CANARY) == 1  # the answer that repeats no note
    with old.engine.connect() as connection:
        found = connection.execute(text("SELECT state, end_reason FROM redemptions ORDER BY state"))
        assert [tuple(row) for row in found] == [(7, 0), (8, 9), (9, 1), (10, 9)]
        assert connection.execute(text("SELECT kind FROM evidence")).scalars().all() == [2]


def test_a_refusal_that_lost_a_race_for_money_says_so_in_its_clauses(database: Databases) -> None:
    def before_pins(url: str) -> None:
        engine = sqlalchemy.create_engine(driver_url(url), use_native_hstore=False)
        with engine.begin() as connection:
            config = alembic_config("vouchers")
            config.attributes["connection"] = connection
            command.upgrade(config, "0005")
        engine.dispose()

    old = database.clone("vouchers", "0005", before_pins)
    with old.engine.begin() as connection:
        connection.execute(text(_APPLICATIONS))
        connection.execute(text("UPDATE applications SET created_at = '2025-12-31 23:30+00'"))
    migrate("vouchers", old.url)
    with old.engine.connect() as connection:
        days = connection.execute(text("SELECT DISTINCT applied_on FROM applications")).scalars().all()
        assert days == [date(2025, 12, 31)]  # by which they were decided, whatever zone comes after
        rows = connection.execute(
            text("SELECT pot_held, clauses -> 1 ->> 'outcome' AS outcome FROM applications ORDER BY session")
        )
        failed = (False, "OUTCOME_FAILED")
        assert [tuple(row) for row in rows] == [(True, "OUTCOME_PASSED"), failed, failed, (None, None)]


def test_what_was_accepted_before_there_were_rules_is_looked_at_while_it_is_held(database: Databases) -> None:
    def before_rules(url: str) -> None:
        engine = sqlalchemy.create_engine(driver_url(url), use_native_hstore=False)
        with engine.begin() as connection:
            config = alembic_config("vouchers")
            config.attributes["connection"] = connection
            command.upgrade(config, "0010")
        engine.dispose()

    old = database.clone("vouchers", "0010", before_rules)
    with old.engine.begin() as connection:
        connection.execute(text(_ACCEPTED))
    migrate("vouchers", old.url)
    with old.engine.connect() as connection:
        rows = connection.execute(
            text("""SELECT r.course, checked_at IS NOT NULL AS checked, asked_at IS NOT NULL AS asked
              FROM redemptions r LEFT JOIN acceptances a ON a.redemption_id = r.id ORDER BY r.course""")
        )
        found = {row.course: (row.checked, row.asked) for row in rows}
    assert found == {
        "held": (False, False),
        "cleared": (True, False),
        "paid long ago": (True, True),
        "reserved": (False, False),
    }


def test_a_batch_approved_before_may_be_with_the_bank_and_is_not_given_up(database: Databases) -> None:
    def before_that(url: str) -> None:
        engine = sqlalchemy.create_engine(driver_url(url), use_native_hstore=False)
        with engine.begin() as connection:
            config = alembic_config("vouchers")
            config.attributes["connection"] = connection
            command.upgrade(config, "0023")
        engine.dispose()

    old = database.clone("vouchers", "0023", before_that)
    with old.engine.begin() as connection:
        connection.execute(text(_BATCHES))
    migrate("vouchers", old.url)
    with old.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT state, file_read_at IS NOT NULL FROM payout_batches ORDER BY state")
        )
        assert [tuple(row) for row in rows] == [(1, False), (2, False), (3, True)]


def test_a_write_off_proposed_before_waits_for_the_second_person_still(database: Databases) -> None:
    def before(url: str) -> None:
        engine = sqlalchemy.create_engine(driver_url(url), use_native_hstore=False)
        with engine.begin() as connection:
            config = alembic_config("vouchers")
            config.attributes["connection"] = connection
            command.upgrade(config, "0039")
        engine.dispose()

    old = database.clone("vouchers", "0039", before)
    with old.engine.begin() as connection:
        connection.execute(text(_DEBTS))
    migrate("vouchers", old.url)
    with old.engine.connect() as connection:
        columns = "state, proposed_by, write_off_by, written_off_by"
        found = connection.execute(text(f"SELECT {columns} FROM employer_obligations ORDER BY employer"))
        assert [tuple(row) for row in found] == [(2, "anna", "", ""), (5, "", "anna", "bert")]


def test_levies_begin_their_years_with_what_moved_before_by_the_days_of_then(database: Databases) -> None:
    def before_years(url: str) -> None:
        engine = sqlalchemy.create_engine(driver_url(url), use_native_hstore=False)
        with engine.begin() as connection:
            config = alembic_config("vouchers")
            config.attributes["connection"] = connection
            command.upgrade(config, "0041")
        engine.dispose()

    old = database.clone("vouchers", "0041", before_years)
    with old.engine.begin() as connection:
        connection.execute(text("SET LOCAL TIME ZONE 'Europe/Brussels'"))
        connection.execute(text(_LEVIES))
    migrate("vouchers", old.url)
    with old.engine.begin() as connection:
        rows = connection.execute(text("SELECT year, cents FROM levy_turnover ORDER BY year"))
        assert [tuple(row) for row in rows] == [(2025, 1_000 - 300 + 50), (2026, 20 - 40)]
        days = connection.execute(text("SELECT corrected_on FROM levy_corrections ORDER BY corrected_on"))
        assert days.scalars().all() == [date(2025, 12, 31), date(2026, 1, 1)]
        assert levies.different(Transaction(connection, ANONYMOUS, datetime.now(UTC)), 1) == []


_BATCHES = """INSERT INTO payout_batches (id, state, execution_date, debtor_name, debtor_iban, currency,
  created_by, frozen_by, approved_by, approved_at)
SELECT gen_random_uuid(), state, now(), 'd', 'i', 'EUR', 'a', 'a', 'b', now()
FROM generate_series(1, 3) AS state"""
_ACCEPTED = """ALTER TABLE redemptions DROP CONSTRAINT redemptions_voucher_id_fkey;
INSERT INTO redemptions (id, voucher_id, learner, programme_id, version_number, course, session, organisation,
  shard, currency, state, amount_cents, accepted_cents, held_cents, cleared_cents, accepted_at,
  authorise_until, updated_at)
SELECT gen_random_uuid(), gen_random_uuid(), 'l', 'p', 1, course, 's', 'o', 0, 'EUR', state, 100,
  accepted, held, cleared, accepted_at, now(), now()
FROM (VALUES
  ('held', 5, 100, 100, 0, now()),
  ('cleared', 5, 100, 0, 100, now() - interval '6 months'),
  ('paid long ago', 7, 100, 0, 0, now() - interval '2 years'),
  ('reserved', 1, 0, 0, 0, NULL)
) AS old (course, state, accepted, held, cleared, accepted_at)"""
_APPLICATIONS = """INSERT INTO programmes (id, currency) VALUES ('p', 'EUR');
INSERT INTO programme_versions (programme_id, number, state, effective_date, rules)
VALUES ('p', 1, 1, now(), '{}');
INSERT INTO applications (id, learner, programme_id, version_number, session, course, organisation, state,
  reason_codes, clauses, fact_hash, decided_on, automatic, currency)
SELECT gen_random_uuid(), 'l', 'p', 1, session, 'c', 'o', state, codes::text[], clauses::jsonb, '', now(),
  true, 'EUR'
FROM (VALUES
  ('1', 2, '{}', '[{"clause": "price"}, {"clause": "budget", "outcome": "OUTCOME_PASSED"}]'),
  ('2', 3, '{BUDGET_EXHAUSTED}', '[{"clause": "price"}, {"clause": "budget", "outcome": "OUTCOME_PASSED"}]'),
  ('3', 3, '{BUDGET_EXHAUSTED}', '[{"clause": "price"}, {"clause": "budget", "outcome": "OUTCOME_FAILED"}]'),
  ('4', 3, '{}', '{}')
) AS old (session, state, codes, clauses)"""
_HOLD = f"VALUES (gen_random_uuid(), 'courses/c', '{CANARY}', '{CANARY}', 'p')"
_REDEMPTIONS = f"""ALTER TABLE redemptions DROP CONSTRAINT redemptions_voucher_id_fkey;
INSERT INTO redemptions (id, voucher_id, learner, programme_id, version_number, course, session, organisation,
  shard, currency, state, amount_cents, end_reason, authorise_until, updated_at)
SELECT gen_random_uuid(), gen_random_uuid(), 'l', 'p', 1, 'c', 's', 'o', 0, 'EUR', state, 1,
  CASE WHEN state IN (8, 10) THEN '{CANARY}' ELSE '' END, now(), now()
FROM generate_series(7, 10) AS state;
INSERT INTO programmes (id, currency) VALUES ('p', 'EUR');
INSERT INTO programme_versions (programme_id, number, state, effective_date, rules)
VALUES ('p', 1, 1, now(), '{{"payment_rule": {{"trigger": "TRIGGER_COMPLETION"}}}}');
INSERT INTO evidence (id, redemption_id, size_bytes, content_type, sha256)
SELECT gen_random_uuid(), id, 1, 'application/pdf', '' FROM redemptions WHERE state = 7"""
_DEBTS = """INSERT INTO funding_sources (id, kind) VALUES ('f', 1);
INSERT INTO employer_obligations (id, employer, state, currency, creditor_id, hire_percent, refund_cents,
  due_date, shard, owed_cents, written_off_cents, write_off_by, written_off_by)
SELECT gen_random_uuid(), employer, state, 'EUR', 'f', 80, 1, now(), 0, 1, lost, 'anna', by
FROM (VALUES ('a', 4, 0, ''), ('b', 5, 1, 'bert')) AS old (employer, state, lost, by)"""
_LEVIES = """INSERT INTO funding_sources (id, kind) VALUES ('f', 4);
INSERT INTO levy_schemes (id, currency, funding_source_id, carry_over_years) VALUES ('l', 'EUR', 'f', 1);
INSERT INTO levy_accounts (id, scheme_id, employer, currency, shard)
  VALUES (gen_random_uuid(), 'l', 'organisations/yard', 'EUR', 0);
INSERT INTO levy_years (account_id, year, contributed_cents, expires_on)
  SELECT id, 2025, 1070, '2026-12-31' FROM levy_accounts;
INSERT INTO levy_contributions (account_id, month, gross_cents, parts, cents, imported_by)
  SELECT id, '2025-03-01', 1, 1, 1000, 'a' FROM levy_accounts;
INSERT INTO levy_corrections (id, account_id, month, gross_cents, cents, imported_by, created_at)
  SELECT gen_random_uuid(), a.id, '2025-03-01', 1, c.cents, 'a', c.at FROM levy_accounts a, (VALUES
  (50, timestamptz '2025-12-31 23:30+00'), (20, timestamptz '2026-01-01 00:30+00')) AS c (cents, at);
INSERT INTO levy_claims (id, account_id, amount_cents, training_date, evidence_reference, state, created_by,
  decided_by, decided_at) SELECT gen_random_uuid(), id, 300, '2025-05-01', 'F-' || s, s, 'a',
  CASE s WHEN 1 THEN '' ELSE 'b' END, CASE s WHEN 1 THEN NULL ELSE timestamptz '2025-12-31 23:30+00' END
  FROM levy_accounts, generate_series(1, 3) AS s;
INSERT INTO levy_expiries (id, account_id, year, cents, expired_on)
  SELECT gen_random_uuid(), id, 2025, 40, '2026-12-31' FROM levy_accounts"""
