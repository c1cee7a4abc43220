"""A word that must not be found in the clear, and where to look for it."""

from __future__ import annotations

import sqlalchemy
from sqlalchemy import text

CANARY = "Zyxwvut-Canary"


def everything(engine: sqlalchemy.Engine) -> str:
    """Every value of every table as text; bytes also as the text they may hold."""
    found = []
    with engine.connect() as connection:
        for table in sqlalchemy.inspect(connection).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                for value in row:
                    is_bytes = isinstance(value, bytes | memoryview)
                    found.append(bytes(value).decode("latin-1") if is_bytes else str(value))
    return "\n".join(found)
