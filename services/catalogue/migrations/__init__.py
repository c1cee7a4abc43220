"""Alembic chain of the catalogue."""
