"""The one path every feed takes: read → compare → stage with findings → judge removals → apply → remove.

A run can be cut off anywhere and taken up again: reading goes on with the first record that is not staged
(see `reading`), applying after the last external id that was committed. Nothing of a course is visible before
its batch commits together with its events.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine
from waymark.catalogue.v1.feed_run_pb2 import FeedRun
from waymark.catalogue.v1.source_pb2 import FeedFormat

from services.catalogue import events
from services.catalogue.domain import courses, guard
from services.catalogue.domain.courses import Document
from services.catalogue.domain.findings import ERROR, WARNING, Finding, Findings
from services.catalogue.imports import reading
from services.catalogue.imports.csv_template import CsvTemplate
from services.catalogue.imports.elm import Elm
from services.catalogue.imports.emg import Emg
from services.catalogue.imports.feed import Bounded, Context, FeedBroken, FeedReader, Raw, batches
from services.catalogue.imports.lheo import Lheo
from services.catalogue.imports.ooapi import Ooapi
from services.catalogue.imports.placing import Placing
from services.catalogue.imports.pushed import Pushed
from services.catalogue.imports.reading import Mark
from services.catalogue.imports.record_checks import check_size, doubled, nameless
from services.catalogue.imports.schema_org import SchemaOrg
from services.catalogue.imports.tags import TagsInUse
from services.catalogue.imports.turn import Turn
from services.catalogue.imports.xcri_cap import XcriCap
from services.catalogue.store import courses as course_store
from services.catalogue.store import feed_changes, feed_runs, quality_holds, sources, staging, uploads
from services.catalogue.store.staging import Action, Staged
from services.platform.collector import unvisited
from services.platform.db.transaction import Transaction, transaction

if TYPE_CHECKING:
    from services.platform.app import App

READERS: dict[int, FeedReader] = {
    FeedFormat.FEED_FORMAT_XCRI_CAP_1_2: XcriCap(),
    FeedFormat.FEED_FORMAT_CSV_TEMPLATE: CsvTemplate(),
    FeedFormat.FEED_FORMAT_EMG_3_0: Emg(),
    FeedFormat.FEED_FORMAT_LHEO: Lheo(),
    FeedFormat.FEED_FORMAT_ELM_LOQ_3_1: Elm(),
    FeedFormat.FEED_FORMAT_OOAPI_6: Ooapi(),
    FeedFormat.FEED_FORMAT_SCHEMA_ORG: SchemaOrg(),
    FeedFormat.FEED_FORMAT_PUSH: Pushed(),
}
READ_BATCH = 1000  # records; the content of one batch is in memory together, so
READ_BYTES = 8 << 20  # as they stand in the file end it as well
EXAMINED = 32  # records at a time
APPLY_BATCH = 500  # courses a transaction
KEPT_FINDINGS = 10_000  # a run; more are counted, not kept
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
REVISION = "1"  # changes whenever the path itself would make another document of the same record


class FeedImport:
    """One run, from whatever point it had reached."""

    def __init__(self, app: App, run: str, engine: Engine, stop: threading.Event, tags: TagsInUse) -> None:
        self._app, self._engine, self._run, self._in_use = app, engine, run, tags
        self._turn = Turn(engine, run, stop)
        with transaction(engine, read_only=True) as tx:
            row = feed_runs.read(tx.connection, run)
            self._source = sources.read(tx.connection, row.source_id)
            self._upload = uploads.read(tx.connection, row.upload_id)
        self._row, self._attempts = row, row.attempts
        # Who rolls back has looked at what vanishes; the grace is for what a partner left out by mistake.
        self._grace = 0 if row.rolls_back_to else self._source.removal_grace_feeds
        self._reader = READERS[self._source.format]
        self._counts: Counter[str] = Counter()
        self._findings = 0
        self._nameless = self._staged = 0

    def go(self) -> None:
        """Takes the run as far as it gets: SUCCEEDED, FAILED or HELD."""
        self._begin()
        if not self._row.staged:
            self.stage()
            if not self.judge():
                return
        with transaction(self._engine, read_only=True) as tx:
            self._row = feed_runs.read(tx.connection, self._run)
        self.apply()
        if self._row.removes:
            self.remove()
        self.finish()

    def _begin(self) -> None:
        """Counts the attempt, whichever part of the run it is at: one that fails each time has to end."""
        with self._turn.writing() as tx:
            feed_runs.change(tx, self._run, state=FeedRun.STATE_RUNNING, attempts=self._attempts + 1)

    def not_counted(self) -> None:
        """Takes the attempt back: it ended for a part that is away, or since the process ends."""
        with self._turn.ending() as tx:
            feed_runs.change(tx, self._run, attempts=self._attempts)

    # --- reading

    def stage(self) -> None:
        """Reads the file into staged records and findings, batch by batch."""
        self._tags, self._placing = self._in_use.get(), Placing(self._engine)
        self._context = Context(
            default_language=self._source.default_language,
            default_nuts_code=self._source.default_nuts_code,
            taxonomy_version=self._tags.version,
            occupations=self._tags.occupations,
        )
        defaults = self._context.default_language, self._context.default_nuts_code
        salt = (REVISION, self._reader.revision, self._tags.state, self._placing.state, *defaults)
        self._salt = hashlib.blake2b("\x1f".join(salt).encode(), digest_size=16).digest()
        with self._turn.writing() as tx:
            feed_changes.forget(tx, self._run)
            self._take_up(reading.taken_up(tx, self._row, self._salt.hex()))
        self._complete, broken = True, None
        with (
            self._app.objects.open(uploads.BUCKET, self._upload.id, sha256=self._upload.sha256) as stream,
            unvisited(),
        ):
            try:
                records = self._reader.records(Bounded(stream))
                self._stage_all(islice(records, self._counts["records_in"], None))
            except FeedBroken as error:
                self._complete, broken = False, error.finding
        if broken is not None:
            with self._turn.writing() as tx:
                self._note(tx, [broken])

    def _take_up(self, mark: Mark) -> None:
        """Goes on from there."""
        self._counts = Counter(mark.counts)
        self._findings, self._nameless, self._staged = mark.findings, mark.nameless, mark.staged
        self._context.told.update(mark.told)

    def _mark(self) -> Mark:
        """How far reading is; what is counted as it is written is put in then."""
        told = sorted(self._context.told)
        return Mark(self._salt.hex(), dict(self._counts), self._nameless, told, 0, 0)

    def _stage_all(self, records: Iterator[Raw]) -> None:
        """Stages batch after batch; while the database writes one, the next is read."""
        before: set[str] = set()
        with ThreadPoolExecutor(1, "stage") as beside:
            written: Future[None] | None = None
            try:
                for batch in batches(self._reader, records, READ_BATCH, READ_BYTES):
                    rows, found = self._read_batch(batch, before)
                    if written is not None:
                        written.result()
                    written = beside.submit(self._write_batch, rows, found, self._mark())
                    before = {row.external_id for row in rows}
            finally:  # also when the file turns out broken: what was read of it is noted
                if written is not None:
                    written.result()

    def _read_batch(self, batch: list[Raw], before: set[str]) -> tuple[list[Staged], list[Finding]]:
        """Compares and reads outside any transaction: only this run writes to its source.

        `before`: external ids of the batch that may not be written yet.
        """
        found: list[Finding] = []
        rows: list[Staged] = []
        names = [raw.external_id for raw in batch if raw.external_id]
        with transaction(self._engine, read_only=True) as tx:
            known = course_store.known_hashes(tx, self._source.id, names)
            seen = staging.present(tx, self._run, names) | before
        for start in range(0, len(batch), EXAMINED):
            rows += self._examine(batch[start : start + EXAMINED], known, seen, found)
        self._counts["records_in"] += len(batch)
        self._counts["records_rejected"] += len(batch) - len(rows)
        return rows, found

    def _write_batch(self, rows: list[Staged], found: list[Finding], mark: Mark) -> None:
        with self._turn.writing() as tx:
            staging.add(tx, self._run, rows)
            self._note(tx, found)
            self._staged += len(rows)
            said = {name: self._counts[name] for name in ("error_count", "warning_count")}
            mark = mark._replace(counts=mark.counts | said, staged=self._staged, findings=self._findings)
            read = mark.counts["records_in"]
            feed_runs.change(tx, self._run, read_count=read, reading=mark._asdict())

    def _examine(
        self, part: list[Raw], known: dict[str, bytes], seen: set[str], found: list[Finding]
    ) -> list[Staged]:
        """Decides what becomes of records; those that stand for no course are left out.

        Each step is taken for all of them before the next: what it looks things up in stays at hand.
        """
        rows, read = [], []
        for raw in part:
            if (compared := self._compare(raw, known, seen, found)) is not None:
                staged, document = compared
                rows.append(staged)
                read.append(document)
        documents = [document for document in read if document is not None]
        for document in documents:
            self._tags.add(document)
        for document in documents:
            self._placing.add(document)
        return [
            row if document is None else row._replace(document=_json(document))
            for row, document in zip(rows, read, strict=True)
        ]

    def _compare(
        self, raw: Raw, known: dict[str, bytes], seen: set[str], found: list[Finding]
    ) -> tuple[Staged, Document | None] | None:
        """Returns what becomes of a record and what it says if that is new; None: it stands for no course."""
        if not raw.external_id:
            self._nameless += 1
            found.append(nameless(raw))
            return None
        if raw.external_id in seen:
            found.append(doubled(raw))
            return None
        seen.add(raw.external_id)
        digest = hashlib.blake2b(raw.raw, digest_size=16, key=self._salt).digest()
        before = known.get(raw.external_id)
        if before == digest:
            self._counts["courses_unchanged"] += 1
            return Staged(raw.external_id, Action.UNCHANGED, None, None, None), None
        findings = Findings(raw.external_id, raw.line)
        course = courses.course_id(self._source.id, raw.external_id)
        document = self._reader.read(raw, course, self._context, findings)
        if not findings.rejected:
            check_size(document, findings)
        found.extend(findings.found)
        if findings.rejected:
            # Staged all the same: the course is still in the feed, so it must not be removed.
            self._counts["records_rejected"] += 1
            return Staged(raw.external_id, Action.REJECTED, None, None, None), None
        action = Action.UPDATE if before else Action.CREATE
        self._counts["courses_updated" if before else "courses_created"] += 1
        return Staged(raw.external_id, action, course, digest, None), document

    def _note(self, tx: Transaction, found: list[Finding]) -> None:
        for finding in found:
            if finding.severity == ERROR:
                self._counts["error_count"] += 1
            elif finding.severity == WARNING:
                self._counts["warning_count"] += 1
        kept = found[: max(0, KEPT_FINDINGS - self._findings)]
        if kept:
            feed_runs.add_findings(tx, self._run, self._findings, kept)
        self._findings += len(kept)

    # --- judging

    def judge(self) -> bool:
        """Writes the counts down and decides how to go on; True: apply now."""
        good = self._counts["records_in"] - self._counts["records_rejected"]
        with transaction(self._engine) as tx:  # alone: others that count wait for its end
            staging.analyze(tx)
        with self._turn.writing() as tx:
            source, grace = self._source.id, self._grace
            counted = course_store.count_present(tx, source, self._run, grace, guard.WEEK)
            present, missing, going, lately = counted
            verdict = guard.judge(
                guard.Situation(
                    complete=self._complete,
                    partial=self._row.partial,
                    records_in=self._counts["records_in"],
                    nameless=self._nameless,
                    present=present,
                    missing=missing,
                    limit_percent=self._source.removal_limit_percent,
                    gone=lately,
                )
            )
            values: dict[str, Any] = {name: self._counts[name] for name in COUNTED}
            values |= {"staged": True, "reading": {}, "complete": self._complete, "removes": verdict.removes}
            gone, waiting = (going, missing - going) if verdict.removes else (0, 0)
            values |= {"hold_reason": verdict.hold, "courses_removed": gone, "courses_missing": waiting}
            if not self._complete:  # a broken file changes nothing: the last good one stays served
                values |= {"records_rejected": self._counts["records_in"]}
                values |= dict.fromkeys(CHANGES, 0)
                values["state"] = FeedRun.STATE_FAILED
            elif verdict.hold:
                values["records_held"] = good
                values["state"] = FeedRun.STATE_SUCCEEDED if self._row.dry_run else FeedRun.STATE_HELD
            else:
                values["records_accepted"] = good
                values["state"] = FeedRun.STATE_SUCCEEDED if self._row.dry_run else FeedRun.STATE_RUNNING
            if self._complete:
                feed_changes.note(tx, source, self._run, grace, removes=verdict.removes)
            row = feed_runs.change(tx, self._run, **values)
            if row.state in (FeedRun.STATE_SUCCEEDED, FeedRun.STATE_FAILED):
                staging.forget(tx, self._run)
        return bool(row.state == FeedRun.STATE_RUNNING)

    # --- applying

    def apply(self) -> None:
        """Writes staged courses with their events, a batch a transaction, together with the cursor."""
        after = self._row.applied_to
        while True:
            with self._turn.writing() as tx:
                rows = staging.to_apply(tx, self._run, after, APPLY_BATCH)
                if not rows:
                    return
                apply_batch(tx, self._source, self._run, rows, after)
                after = rows[-1].external_id
                feed_runs.change(tx, self._run, applied_to=after, applied_count=feed_runs.applied(len(rows)))

    def remove(self) -> None:
        """Marks courses that the feed no longer names as missing, and as removed once the grace is over."""
        source = self._source
        while True:
            with self._turn.writing() as tx:
                rows = course_store.leave_out(tx, source.id, self._run, self._grace, APPLY_BATCH)
                feed_runs.change(tx, self._run, applied_count=feed_runs.applied(len(rows)))
                for row in rows:
                    if row.told:
                        tx.publish(
                            events.course_changed(
                                str(row.id),
                                row.version,
                                source.organisation_id,
                                row.document,
                                removed=row.goes,
                                held=False,  # it has no session anyway
                            )
                        )
            if not rows:
                return

    def finish(self) -> None:
        """Ends the run as SUCCEEDED."""
        with self._turn.writing() as tx:
            if self._row.records_rejected:
                course_store.not_left_out(tx, self._source.id, self._run)
            staging.forget(tx, self._run)
            row = feed_runs.change(tx, self._run, state=FeedRun.STATE_SUCCEEDED)
            if row.rolls_back_to:
                feed_runs.mark_rolled_back(tx, row)


CHANGES = ("courses_created", "courses_updated", "courses_unchanged", "courses_removed", "courses_missing")
COUNTED = (
    "records_in",
    "records_rejected",
    "courses_created",
    "courses_updated",
    "courses_unchanged",
    "error_count",
    "warning_count",
)


def apply_batch(tx: Transaction, source: Any, run: str, rows: Sequence[Any], after: str) -> None:
    """Upserts the staged courses `rows`, which follow `after`, with corrections re-applied;

    Publishes them.
    """
    kept = course_store.corrections(tx, [row.course_id for row in rows])
    documents = {row.course_id: row.document for row in rows}
    for row in rows:
        if row.course_id in kept:
            merged = courses.corrected(row.document, kept[row.course_id])
            documents[row.course_id] = merged
            staging.correct(tx, run, row.external_id, merged, row.document)
    organisation = source.organisation_id
    versions = course_store.upsert(tx, source.id, organisation, run, (after, rows[-1].external_id))
    held = quality_holds.held_courses(tx, documents)  # after the upsert, whose locks a hold waits for
    for course, document in documents.items():
        told = versions[course], organisation, document
        tx.publish(events.course_changed(course, *told, removed=False, held=course in held))
