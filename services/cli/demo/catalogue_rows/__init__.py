"""Rows C1-C21 of the practices that the catalogue carries, a file and a step each."""

from __future__ import annotations

from services.cli.demo.catalogue_rows import (
    c01_occupational_compass,
    c02_demand_and_supply,
    c03_many_sources,
    c04_sourced_figures,
    c05_biased_source,
    c06_sector_council,
    c19_staff_view,
)
from services.cli.demo.journey import Step

STEPS: tuple[Step, ...] = (
    c01_occupational_compass.STEP,
    c02_demand_and_supply.STEP,
    c03_many_sources.STEP,
    c04_sourced_figures.STEP,
    c05_biased_source.STEP,
    c06_sector_council.STEP,
    c19_staff_view.STEP,
)
