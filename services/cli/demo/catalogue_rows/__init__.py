"""Rows C1-C21 of the practices that the catalogue carries, a file and a step each."""

from __future__ import annotations

from services.cli.demo.journey import Step

STEPS: tuple[Step, ...] = ()
