"""The programmes on the page of an occupation: which may pay, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from google.protobuf.json_format import ParseDict
from waymark.catalogue.v1.occupation_pb2 import PayingProgramme
from waymark.vouchers.v1.events_pb2 import ProgrammeTerms

from services.catalogue.api.messages import last, put_date
from services.catalogue.api.shortage_versions import entry_message
from services.catalogue.domain import paying, shortage
from services.catalogue.domain.shortage import Entry, Occupation, Validity
from services.catalogue.store import programme_terms
from services.platform.db.transaction import Transaction

Entries = Mapping[tuple[str, int], Sequence[Entry]]


def paying_programmes(
    tx: Transaction,
    published: Mapping[str, list[Validity]],
    entries: Entries,
    occupation: Occupation,
    place: str,
) -> Iterator[PayingProgramme]:
    """Yields the programmes in force today that may pay for courses for the occupation in the place, by name.

    `published`: list id → its versions; `entries`: (list id, number) → those that may name the occupation.
    """
    today = tx.today
    for row in programme_terms.in_force(tx.connection, today):
        # What a later release of the vouchers service tells besides is left out.
        terms = ParseDict(row.terms, ProgrammeTerms(), ignore_unknown_fields=True)
        message = _message(row, terms)
        if terms.HasField("shortage_rule"):
            rule, list_id = terms.shortage_rule, last(terms.shortage_rule.shortage_list)
            version = shortage.in_force(published.get(list_id, []), today)
            listed = entries.get((list_id, version.number), ()) if version else ()
            need = paying.Need(rule.nuts_code, rule.min_severity, rule.concept_only)
            entry = paying.deciding(listed, occupation, place, need)
            if version is None or entry is None:
                continue
            message.shortage_list_version = f"shortageLists/{list_id}/versions/{version.number}"
            message.shortage_entry.CopyFrom(entry_message(list_id, version.number, entry))
        yield message


def _message(row: Any, terms: ProgrammeTerms) -> PayingProgramme:
    course, opening = terms.course_rule, terms.opening_rule
    message = PayingProgramme(
        programme=f"programmes/{row.programme}",
        version=f"programmes/{row.programme}/versions/{row.number}",
        display_names=terms.display_names,
        face_value=terms.face_value,
        min_cover_percent=terms.min_cover_percent,
        max_cover_percent=terms.max_cover_percent,
        course_kinds=course.kinds,
        min_eqf_level=course.min_eqf_level,
        max_eqf_level=course.max_eqf_level,
        price_cap=course.price_cap if course.HasField("price_cap") else None,
        accreditation_required=course.accreditation_required,
        open_time=opening.open_time if terms.HasField("opening_rule") else None,
        close_time=opening.close_time if terms.HasField("opening_rule") else None,
        money_left=row.money_left,
    )
    put_date(message.effective_date, row.effective_date)
    put_date(message.last_date, row.successor - timedelta(days=1) if row.successor else None)
    return message
