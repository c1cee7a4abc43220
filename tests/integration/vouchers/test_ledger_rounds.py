"""Rounds of checkpoints: each covers the one before, and who owns the database cannot make them agree."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from waymark.vouchers.v1 import ledger_pb2 as pb
from waymark.vouchers.v1.events_pb2 import LedgerCheckpointed

from services.platform.db.transaction import transaction
from services.platform.signing import SigningKey, former_public_keys
from services.vouchers.api import ledger as ledger_api
from services.vouchers.app import CHECKPOINT
from services.vouchers.checkpointing import checkpoint
from services.vouchers.domain.ledger import START, checkpoint_text
from services.vouchers.store.ledger import entry_of
from services.vouchers.store.rounds import by_chain, round_of
from tests.integration.vouchers.ledgers import Tamper, chain, findings
from tests.support.quality import told
from tests.support.vouchers import World


@pytest.fixture
def signed(spent: World) -> World:
    """A world with three rounds."""
    learner, voucher = spent.voucher()
    for _ in range(2):
        spent.reserve(learner, voucher, 1_000)
        checkpoint(spent.app)
    return spent


def listed(world: World, **asked: Any) -> list[pb.LedgerRound]:
    """Returns the rounds, the first one first."""
    return list(reversed(world.auditor.ledger.ListLedgerRounds(pb.ListLedgerRoundsRequest(**asked)).rounds))


def whole(world: World, *known: pb.LedgerRound) -> set[tuple[int, str]]:
    """Returns round and kind of each finding, compared with rounds that were kept outside."""
    kept = [pb.KnownLedgerRound(number=each.number, digest=each.digest) for each in known]
    *_, last = world.auditor.ledger.VerifyWholeLedger(pb.VerifyWholeLedgerRequest(known_rounds=kept))
    return {(each.round, each.kind) for each in last.result.findings}


def forge(tamper: Tamper, shard: int) -> None:
    """Changes what an entry was for and makes all hashes of its chain anew, up to the head."""
    tamper("UPDATE ledger_entries SET operation = 'forged' WHERE shard = :s AND sequence = 2", s=shard)
    last = START
    for row in tamper("SELECT * FROM ledger_entries WHERE shard = :s ORDER BY sequence", s=shard):
        last = entry_of(row).digest(last)
        again = "UPDATE ledger_entries SET hash = :h WHERE shard = :s AND sequence = :n"
        tamper(again, h=last, s=shard, n=row.sequence)
    tamper("UPDATE ledger_heads SET hash = :h WHERE shard = :s", h=last, s=shard)


def test_a_round_signs_what_moved_covers_the_one_before_and_is_told(signed: World, tamper: Tamper) -> None:
    checkpoint(signed.app)  # nothing has moved: no fourth
    first, second, third = listed(signed, with_marks=True)
    assert [each.number for each in (first, second, third)] == [1, 2, 3]
    assert (first.previous, second.previous, third.previous) == ("00" * 32, first.digest, second.digest)
    assert first.mark_count > third.mark_count == len(third.marks) == 1
    marks = {mark.shard: mark.sequence for mark in second.marks}
    assert marks[third.marks[0].shard] + 2 == third.marks[0].sequence
    (key,) = signed.auditor.ledger.ListLedgerKeys(pb.ListLedgerKeysRequest()).keys
    assert (key.kid, key.alg) == (third.key_id, "EdDSA")
    text = f"waymark-round-v1\n3\n{third.previous}\n{third.marks_digest}\n{third.create_time.ToSeconds()}\n"
    Ed25519PublicKey.from_public_bytes(signed.app.checkpoint_key.public).verify(
        third.signature, text.encode()
    )
    assert not listed(signed)[0].marks
    assert [(event.round, event.digest) for event in told(signed, LedgerCheckpointed)] == [
        (f"ledger/rounds/{each.number}", each.digest) for each in (first, second, third)
    ]
    assert signed.verify().checkpoint_count == 3


def test_a_deleted_changed_or_moved_round_is_named(signed: World, tamper: Tamper) -> None:
    assert whole(signed) == set()  # the control
    tamper("CREATE TABLE kept AS SELECT * FROM ledger_rounds")
    for harm, found in (
        ("DELETE FROM ledger_rounds WHERE number = 1", {1}),
        ("DELETE FROM ledger_rounds WHERE number = 2", {2}),
        ("UPDATE ledger_rounds SET created_at = created_at - interval '1 day' WHERE number = 3", {3}),
        ("UPDATE ledger_rounds SET shards = shards || 7::smallint WHERE number = 3", {3}),
        ("UPDATE ledger_rounds SET sequences = sequences || 7::bigint WHERE number = 3", {3}),
        ("UPDATE ledger_rounds SET number = number + 3 WHERE number = 2", {2, 4, 5}),
        ("UPDATE ledger_rounds SET signature = o.signature FROM kept o WHERE o.number = 1", {2, 3}),
    ):
        tamper(harm)
        assert whole(signed) == {(number, "ROUND") for number in found}, harm
        tamper("DELETE FROM ledger_rounds")
        tamper("INSERT INTO ledger_rounds SELECT * FROM kept")


def test_a_chain_written_anew_breaks_the_round_that_signed_it(signed: World, tamper: Tamper) -> None:
    shard = chain(tamper)
    forge(tamper, shard)
    assert {(where, kind) for where, _, kind in findings(signed)} == {(shard, "CHECKPOINT"), (-1, "ROUND")}
    tamper("DELETE FROM ledger_rounds")
    assert findings(signed) == set()  # the control: nothing else shows it, but for a copy outside


def forge_rounds(tamper: Tamper) -> None:
    """Makes rounds name what chains now hold and cover each other; signatures stay, for want of a key."""
    before = START
    for row in tamper("SELECT * FROM ledger_rounds ORDER BY number"):
        hashes = """SELECT hash FROM unnest(:shards ::smallint[], :sequences ::bigint[]) WITH ORDINALITY
          AS m (shard, sequence, n) JOIN ledger_entries USING (shard, sequence) ORDER BY n"""
        held = [bytes(e.hash) for e in tamper(hashes, shards=row.shards, sequences=row.sequences)]
        again = "UPDATE ledger_rounds SET previous = :p, hashes = :h WHERE number = :n"
        tamper(again, p=before, h=held, n=row.number)
        (changed,) = tamper("SELECT * FROM ledger_rounds WHERE number = :n", n=row.number)
        before = round_of(changed).digest


def test_that_the_next_round_covers_a_forged_one_does_not_make_it_good(signed: World, tamper: Tamper) -> None:
    forge(tamper, chain(tamper))
    forge_rounds(tamper)
    learner, voucher = signed.voucher()
    signed.reserve(learner, voucher, 1_000)
    checkpoint(signed.app)  # whoever makes it reads only how far the one before came
    assert whole(signed) == {(number, "ROUND") for number in (1, 2, 3)}  # nothing is wrong with the fourth
    assert {(where, kind) for where, _, kind in findings(signed)} == {(-1, "ROUND")}  # signatures alone


def test_places_of_rounds_come_by_chain_in_parts(spent: World, tamper: Tamper) -> None:
    tamper("DELETE FROM ledger_rounds")
    for number, shards, sequences in ((1, [1, 2], [8_191, 5]), (2, [1, 2, 9], [8_192, 5, None])):
        values = "(:n, '', :shards, :sequences, '{}', '', '', now())"
        tamper(f"INSERT INTO ledger_rounds VALUES {values}", n=number, shards=shards, sequences=sequences)
    with transaction(spent.app, read_only=True) as tx:
        parts = [tuple(row) for part in by_chain(tx) for row in part]
    assert parts == [(1, [8_191], [1]), (1, [8_192], [2]), (2, [5, 5], [1, 2])]


def test_rounds_kept_outside_show_that_the_newest_are_gone_or_made_anew(
    signed: World, tamper: Tamper
) -> None:
    kept = listed(signed)
    assert whole(signed, *kept) == set()
    tamper("DELETE FROM ledger_rounds WHERE number > 1")
    assert whole(signed) == set()  # the control
    assert whole(signed, *kept) == {(2, "ROUND")}
    checkpoint(signed.app)
    assert whole(signed, *kept) == {(2, "ROUND"), (3, "ROUND")}


def test_a_new_key_leaves_what_the_former_one_signed(signed: World) -> None:
    app, former = signed.app, signed.app.checkpoint_key
    app.checkpoint_key = SigningKey(Ed25519PrivateKey.generate())
    app.checkpoint_keys = {app.checkpoint_key.id: app.checkpoint_key.public}
    assert whole(signed) == {(number, "ROUND") for number in (1, 2, 3)}  # the control
    pem = former.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (app.settings.secrets_dir / "ledger-checkpoint.former-2026.pem").write_bytes(pem)
    app.checkpoint_keys |= former_public_keys(app.settings, CHECKPOINT)
    learner, voucher = signed.voucher()
    signed.reserve(learner, voucher, 1_000)
    checkpoint(app)
    assert whole(signed) == set()
    assert [each.key_id for each in listed(signed)] == [former.id] * 3 + [app.checkpoint_key.id]
    answer = signed.auditor.ledger.ListLedgerKeys(pb.ListLedgerKeysRequest())
    assert [each.kid for each in answer.keys] == [app.checkpoint_key.id, former.id]
    old = signed.auditor.ledger.ListCheckpoints(pb.ListCheckpointsRequest())
    assert old.public_keys == app.checkpoint_keys


def test_checkpoints_of_single_chains_from_before_are_still_verified(spent: World, tamper: Tamper) -> None:
    tamper("DELETE FROM ledger_rounds")
    shard, key = chain(tamper), spent.app.checkpoint_key
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for row in tamper("SELECT * FROM ledger_entries WHERE shard = :s AND sequence < 4", s=shard):
        tamper(
            "INSERT INTO ledger_checkpoints VALUES (:s, :n, :h, :k, :signature, :m)",
            s=shard,
            n=row.sequence,
            h=bytes(row.hash),
            k=key.id,
            signature=key.private.sign(checkpoint_text(shard, row.sequence, bytes(row.hash), moment)),
            m=moment,
        )
    assert findings(spent) == set()
    answer = spent.auditor.ledger.ListCheckpoints(pb.ListCheckpointsRequest())
    assert [each.sequence for each in answer.checkpoints] == [3, 2, 1]
    tamper("UPDATE ledger_checkpoints SET signature = '\\x00' WHERE sequence = 3")
    assert findings(spent) == {(shard, 3, "CHECKPOINT")}
    forge(tamper, shard)
    assert findings(spent) == {(shard, 2, "CHECKPOINT"), (shard, 3, "CHECKPOINT")}


def test_a_verification_says_how_far_it_has_come(signed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_api, "PACE", 0.0)
    first, *_, last = signed.auditor.ledger.VerifyWholeLedger(pb.VerifyWholeLedgerRequest())
    assert not first.HasField("result")
    assert first.expected_entry_count == last.entry_count == last.result.entry_count > 0
    assert last.result.intact
    assert last.checkpoint_count == 3


def test_a_verification_that_nobody_waits_for_ends(signed: World, tamper: Tamper) -> None:
    with signed.app.engine.connect() as other:
        other.exec_driver_sql("LOCK TABLE pots IN ACCESS EXCLUSIVE MODE")
        call = signed.auditor.ledger.VerifyWholeLedger(pb.VerifyWholeLedgerRequest())
        next(call)
        assert waiting(tamper, wanted=True)  # the control
        call.cancel()
        assert waiting(tamper, wanted=False)


def waiting(tamper: Tamper, *, wanted: bool) -> bool:
    """Returns whether somebody comes to wait for the pots, or ceases to, within some seconds."""
    asked = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'pots'::regclass"
    until = time.monotonic() + 10
    while bool(tamper(asked)) != wanted and time.monotonic() < until:
        time.sleep(0.1)
    return bool(tamper(asked)) == wanted
