"""The key of notes is rotated under a service that has notes: all are read on, and a lost key is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from waymark.vouchers.v1 import redemption_pb2 as pb

from services.platform.seals import encrypt
from services.platform.telemetry import metrics
from services.vouchers.app import NOTES, VouchersApp
from services.vouchers.domain.notes import Notes
from tests.integration.vouchers.refusals import refused
from tests.support.vouchers import NO_EVIDENCE, World, request_id

FORMER = "voucher-notes.former-1.key"


class Case:
    """A learner who voids one redemption after the other, each with a note."""

    def __init__(self, world: World) -> None:
        self.world, self.secrets = world, Path(world.app.settings.secrets_dir)
        self.learner, self.voucher = world.voucher(world.programme(**NO_EVIDENCE))
        self.voided: list[pb.VoidRedemptionRequest] = []

    def void(self, note: str) -> str:
        name = str(self.world.reserve(self.learner, self.voucher, 100).name)
        self.voided.append(pb.VoidRedemptionRequest(name=name, reason=note, request_id=request_id()))
        assert self.repeat(-1) == note
        return name

    def repeat(self, index: int) -> str:
        """Sends a request as before: it is answered with what was kept of the first answer."""
        return str(self.learner.redemptions.VoidRedemption(self.voided[index]).end_note)

    def note(self, name: str) -> str:
        get = pb.GetRedemptionRequest(name=name)
        return str(self.learner.redemptions.GetRedemption(get).end_note)

    def notes(self) -> set[str]:
        listed = pb.ListRedemptionsRequest(learner=self.learner.learner)
        return {one.end_note for one in self.learner.redemptions.ListRedemptions(listed).redemptions}

    def restart(self) -> None:
        """The service reads its keys anew."""
        fresh = VouchersApp.build(self.world.app.settings)
        self.world.app.notes = fresh.notes
        fresh.close()

    def rotate(self) -> None:
        """The key steps aside and opens only; a new one takes its name."""
        (self.secrets / NOTES).rename(self.secrets / FORMER)
        (self.secrets / NOTES).write_bytes(os.urandom(32))
        self.restart()


@pytest.fixture
def case(world: World) -> Case:
    return Case(world)


def test_after_a_rotation_old_notes_and_kept_answers_are_read_on(case: Case) -> None:
    old = case.void("before")
    case.rotate()
    new = case.void("after")
    assert (case.note(old), case.note(new), case.notes()) == ("before", "after", {"before", "after"})
    assert (case.repeat(0), case.repeat(1)) == ("before", "after")


def test_what_was_sealed_before_keys_had_ids_is_read_on(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Notes, "_seal", lambda notes, plain, bound: encrypt(notes._key, plain, bound))
        old = case.void("long ago")
    assert (case.note(old), case.repeat(0)) == ("long ago", "long ago")
    case.rotate()
    assert (case.note(old), case.repeat(0)) == ("long ago", "long ago")


def test_a_lost_key_is_told_and_nothing_else_stops(case: Case) -> None:
    old = case.void("before")
    case.rotate()
    (case.secrets / FORMER).rename(case.secrets / "elsewhere")
    case.restart()
    calls: list[Callable[[], Any]] = [lambda: case.note(old), case.notes, lambda: case.repeat(0)]
    alarms = metrics.RPC_UNEXPECTED.labels("RedemptionService/GetRedemption")
    before = alarms._value.get()
    assert [refused(call) for call in calls] == ["SEAL_KEY_MISSING"] * 3
    assert alarms._value.get() == before + 1, "no caller can mend it: it counts as unexpected"
    assert case.note(case.void("after")) == "after"
    (case.secrets / "elsewhere").rename(case.secrets / FORMER)
    case.restart()
    assert case.note(old) == "before"  # control: it was the key that was missing
