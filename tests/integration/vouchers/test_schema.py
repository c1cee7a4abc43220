"""The migrations make exactly the tables that the statements believe in."""

import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.vouchers.store.tables import metadata
from tests.support.databases import Databases


def test_migrations_and_tables_agree(database: Databases) -> None:
    with database("vouchers").engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
        differences = compare_metadata(context, metadata)
        assert [difference for difference in differences if "expression" not in str(difference)] == []
        assert sqlalchemy.inspect(connection).has_table("ledger_entries")
