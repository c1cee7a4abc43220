"""Rows of the practices that the catalogue carries, C1-C21, a file and a step each."""

from __future__ import annotations

from services.cli.demo.catalogue_rows import (
    c01_occupational_compass,
    c02_demand_and_supply,
    c03_many_sources,
    c04_sourced_figures,
    c05_biased_source,
    c06_sector_council,
    c07_formats,
    c10_partner_of_partners,
    c11_sectors,
    c12_branches_and_sites,
    c13_mixed_agreement,
    c14_targets_and_feedback,
    c15_branding,
    c16_data_sharing,
    c17_partner_selection,
    c19_staff_view,
    c21_accreditation,
)
from services.cli.demo.journey import Step

STEPS: tuple[Step, ...] = (
    c01_occupational_compass.STEP,
    c02_demand_and_supply.STEP,
    c03_many_sources.STEP,
    c04_sourced_figures.STEP,
    c05_biased_source.STEP,
    c06_sector_council.STEP,
    c07_formats.STEP,
    c10_partner_of_partners.STEP,
    c11_sectors.STEP,
    c12_branches_and_sites.STEP,
    c13_mixed_agreement.STEP,
    c14_targets_and_feedback.STEP,
    c15_branding.STEP,
    c16_data_sharing.STEP,
    c17_partner_selection.STEP,
    c19_staff_view.STEP,
    c21_accreditation.STEP,
)
