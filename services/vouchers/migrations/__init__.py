"""Alembic chain of the vouchers database."""
