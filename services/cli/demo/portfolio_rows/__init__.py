"""Rows of the practices that the portfolio carries, a file and a step each."""

from __future__ import annotations

from services.cli.demo.journey import Step
from services.cli.demo.portfolio_rows import (
    p01_qualification_pass,
    p02_upskilling,
    p03_validation,
    p04_pages,
    p04_plans,
    p05_career_skills,
    p06_profiling,
    p07_on_behalf,
    p07_triage,
    p08_support_tiers,
    p09_contact_log,
    p10_questionnaire,
    p11_one_case,
    p12_mentoring,
    p13_beyond_the_job,
    p14_group_programme,
    p15_cliche_free,
    p16_partner_certificates,
    p17_employer_attests,
    p18_cv,
    p19_rights,
    p20_clients_as_partners,
)

STEPS: tuple[Step, ...] = (
    p01_qualification_pass.STEP,
    p02_upskilling.STEP,
    p03_validation.STEP,
    p04_pages.STEP,
    p12_mentoring.STEP,
    p13_beyond_the_job.STEP,
    p14_group_programme.STEP,
    p15_cliche_free.STEP,
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
    p19_rights.STEP,
    p20_clients_as_partners.STEP,
)
