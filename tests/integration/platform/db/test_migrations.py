"""Migrations: replicas that start together migrate once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.platform.db.migrations import ROOT, migrate
from services.platform.db.roles import create_service_database
from services.platform.service import SERVICES
from tests.support.databases import PASSWORD, WAITING, Databases, administrator, sessions
from tests.support.waiting import eventually

GATE = 770_001  # advisory lock before the first table; whoever holds it alone holds every migration there
TOGETHER = 4
FIRST = f"""
from alembic import op
import sqlalchemy as sa
revision, down_revision = "0001", None
def upgrade():
    op.execute("SELECT pg_advisory_xact_lock_shared({GATE})")
    op.create_table("probe", sa.Column("id", sa.Integer, primary_key=True))
"""
SECOND = """
from alembic import op
revision, down_revision = "0002", "0001"
def upgrade():
    op.execute("INSERT INTO probe VALUES (1)")
"""
BROKEN = """
from alembic import op
revision, down_revision = "0003", "0002"
def upgrade():
    op.execute("INSERT INTO probe VALUES (2)")
    op.execute("SELECT 1/0")
"""
PROCESS = """
import sys
from pathlib import Path
import sqlalchemy
from services.platform.db import migrations
migrations.ROOT = Path(sys.argv[1])
if sys.argv[3] == "unlocked":
    sqlalchemy.func.pg_advisory_xact_lock = lambda key: sqlalchemy.literal(key)
print(migrations.migrate("probe", sys.argv[2]))
"""


@pytest.fixture
def chain(tmp_path) -> Path:
    versions = tmp_path / "probe" / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "0001_first.py").write_text(FIRST)
    (versions / "0002_second.py").write_text(SECOND)
    return tmp_path


@pytest.fixture
def empty(database: Databases) -> str:
    """URL of a database without tables."""
    return database.clone("platform", "empty", lambda _: None).url


def start_together(chain: Path, url: str, mode: str) -> list[int]:
    """Lets processes migrate at once, held until each has looked and waits; returns their exit codes."""
    with connected(url) as gate:
        gate.execute(sa.select(sa.func.pg_advisory_lock(GATE)))
        processes = begin(chain, url, mode)
        # The first at the gate, the others behind it.
        eventually(lambda: sessions(gate.engine, WAITING) == TOGETHER)
        gate.execute(sa.select(sa.func.pg_advisory_unlock(GATE)))
        return [process.wait(60) for process in processes]


def begin(chain: Path, url: str, mode: str) -> list[subprocess.Popen[bytes]]:
    return [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(chain), url, mode],
            cwd=ROOT.parent,
            env={"PYTHONPATH": f"{ROOT.parent}:{ROOT.parent / 'proto' / 'python'}"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(TOGETHER)
    ]


def connected(url: str) -> sa.Connection:
    return administrator(url, poolclass=sa.NullPool).connect()


def rows(url: str) -> list[int]:
    with connected(url) as connection:
        return list(connection.execute(sa.text("SELECT id FROM probe")).scalars())


def test_four_processes_at_once_migrate_once(chain, empty):
    assert start_together(chain, empty, "locked") == [0] * TOGETHER
    assert rows(empty) == [1]


def test_control_without_the_lock_all_but_one_fail(chain, empty):
    assert sorted(start_together(chain, empty, "unlocked")) == [0, *[1] * (TOGETHER - 1)]


def test_a_failing_migration_leaves_everything_as_it_was(chain, empty, monkeypatch):
    monkeypatch.setattr("services.platform.db.migrations.ROOT", chain)
    assert migrate("probe", empty) == "0002"
    (chain / "probe" / "migrations" / "versions" / "0003_broken.py").write_text(BROKEN)
    with pytest.raises(sa.exc.DBAPIError):
        migrate("probe", empty)
    assert rows(empty) == [1]


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_tables_are_what_its_migrations_make(service, database):
    from importlib import import_module

    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    metadata = import_module(f"services.{service}.store.tables").metadata
    with database(service).engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_service_cannot_read_another_services_database(postgres, database):
    create_service_database(postgres, "probe_a", PASSWORD)
    other = create_service_database(postgres, "probe_b", PASSWORD, name="waymark_probe_b")
    as_a = sa.make_url(other).set(username="waymark_probe_a", drivername="postgresql+psycopg")
    engine = sa.create_engine(as_a, poolclass=sa.NullPool)
    with pytest.raises(sa.exc.OperationalError, match="permission denied"), engine.begin():
        pass
    with connected(postgres) as connection:  # control: PostgreSQL's own default lets everybody in
        connection.exec_driver_sql("GRANT CONNECT ON DATABASE waymark_probe_b TO PUBLIC")
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT 1"))


def test_making_a_services_database_again_changes_only_the_password(postgres):
    # A role of this test's own: another worker may be logging in as the others.
    create_service_database(postgres, "probe_c", "old-password")
    url = create_service_database(postgres, "probe_c", "new-password")
    with connected(url) as connection:
        row = connection.execute(
            sa.text("SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        ).one()
    assert tuple(row) == (False, False, False)
