"""Rows of the practices that the portfolio carries, a file and a step each."""

from __future__ import annotations

from services.cli.demo.journey import Step
from services.cli.demo.portfolio_rows import p16_partner_certificates, p17_employer_attests, p18_cv

STEPS: tuple[Step, ...] = (
    p16_partner_certificates.STEP,
    p17_employer_attests.STEP,
    p18_cv.STEP,
)
