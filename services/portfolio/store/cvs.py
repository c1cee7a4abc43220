"""Versions of a CV."""

from __future__ import annotations

from waymark.portfolio.v1.cv_pb2 import Cv

from services.portfolio.store import tables
from services.portfolio.store.collection import Collection

CVS = Collection(tables.cvs, "cvs", Cv)
