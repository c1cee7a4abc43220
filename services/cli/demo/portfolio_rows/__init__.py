"""Rows of the practices that the portfolio carries, a file and a step each."""

from __future__ import annotations

from services.cli.demo.journey import Step
from services.cli.demo.portfolio_rows import (
    p01_qualification_pass,
    p02_upskilling,
    p03_validation,
    p04_plans,
    p05_career_skills,
    p06_profiling,
    p07_on_behalf,
    p07_triage,
    p08_support_tiers,
    p09_contact_log,
    p10_questionnaire,
    p11_one_case,
    p16_partner_certificates,
    p17_employer_attests,
    p18_cv,
    p20_clients_as_partners,
)

STEPS: tuple[Step, ...] = (
    p01_qualification_pass.STEP,
    p02_upskilling.STEP,
    p03_validation.STEP,
    p04_plans.STEP,
    p05_career_skills.STEP,
    p06_profiling.STEP,
    p07_on_behalf.STEP,
    p07_triage.STEP,
    p08_support_tiers.STEP,
    p09_contact_log.STEP,
    p10_questionnaire.STEP,
    p11_one_case.STEP,
    p16_partner_certificates.STEP,
    p17_employer_attests.STEP,
    p18_cv.STEP,
    p20_clients_as_partners.STEP,
)
