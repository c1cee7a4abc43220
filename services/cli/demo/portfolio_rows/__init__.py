"""Rows of the practices that the portfolio carries, a file and a step each."""

from __future__ import annotations

from services.cli.demo.journey import Step
from services.cli.demo.portfolio_rows import (
    p01_qualification_pass,
    p02_upskilling,
    p03_validation,
    p04_pages,
    p12_mentoring,
    p14_group_programme,
    p16_partner_certificates,
    p17_employer_attests,
    p18_cv,
    p20_clients_as_partners,
)

STEPS: tuple[Step, ...] = (
    p01_qualification_pass.STEP,
    p02_upskilling.STEP,
    p03_validation.STEP,
    p04_pages.STEP,
    p12_mentoring.STEP,
    p14_group_programme.STEP,
    p16_partner_certificates.STEP,
    p17_employer_attests.STEP,
    p18_cv.STEP,
    p20_clients_as_partners.STEP,
)
