"""Rows V1-V15 of the practices that vouchers carry: a file for each step, two of V6 and V7."""

from __future__ import annotations

from services.cli.demo.journey import Step
from services.cli.demo.rows import (
    v01_training_voucher,
    v02_career_guidance,
    v03_shortage_pinned,
    v04_temporary_voucher,
    v05_levy_pay_back,
    v06_cover_by_group,
    v06_degree_study,
    v07_bulk_allocation,
    v07_provider_sandbox,
    v08_quality_alert,
    v09_outcome_contract,
    v10_employer_obligation,
    v11_need_reference,
    v12_fair_opening,
    v13_co_funding,
    v14_targets,
    v15_learner_results,
)

STEPS: tuple[Step, ...] = (
    v01_training_voucher.STEP,
    v02_career_guidance.STEP,
    v03_shortage_pinned.STEP,
    v04_temporary_voucher.STEP,
    v05_levy_pay_back.STEP,
    v06_cover_by_group.STEP,
    v06_degree_study.STEP,
    v07_bulk_allocation.STEP,
    v07_provider_sandbox.STEP,
    v08_quality_alert.STEP,
    v09_outcome_contract.STEP,
    v10_employer_obligation.STEP,
    v11_need_reference.STEP,
    v12_fair_opening.STEP,
    v13_co_funding.STEP,
    v14_targets.STEP,
    v15_learner_results.STEP,
)
