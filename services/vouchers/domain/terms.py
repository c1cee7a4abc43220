"""What everybody may know of a programme's version before a person is looked at."""

from __future__ import annotations

from collections.abc import Mapping

from waymark.vouchers.v1 import events_pb2

from services.vouchers.domain.money import cents_of
from services.vouchers.domain.programme import Version


def public_terms(display_names: Mapping[str, str], version: Version) -> events_pb2.ProgrammeTerms:
    """Returns the terms of a version under the programme's names; nothing of who gave or gets the money."""
    amount = version.amount_rule
    values = [
        group.face_value if group.HasField("face_value") else amount.face_value
        for group in version.target_groups
    ]
    covers = [group.cover_percent for group in version.target_groups]
    terms = events_pb2.ProgrammeTerms(
        display_names=display_names,
        effective_date=version.effective_date,
        face_value=max(values, key=cents_of),
        min_cover_percent=min(covers),
        max_cover_percent=max(covers),
    )
    for rule in ("shortage_rule", "course_rule", "opening_rule"):
        if version.HasField(rule):
            getattr(terms, rule).CopyFrom(getattr(version, rule))
    return terms
