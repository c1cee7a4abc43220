"""Fixtures for all tests. Only imports: each lives in tests/support."""

from tests.support.parts import kafka, postgres, s3

__all__ = ["kafka", "postgres", "s3"]
