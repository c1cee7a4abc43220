"""Benchmarks: each measures ratios in one run and ends in one JSON line (see `report.py`)."""
