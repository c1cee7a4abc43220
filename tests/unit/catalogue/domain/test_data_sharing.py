"""Data sharing: whose, for what, which fields; terms add up, and nothing else is readable."""

from __future__ import annotations

import pytest
from waymark.catalogue.v1 import contact_details_pb2

from services.catalogue.domain.data_sharing import SHAREABLE, Term, readable, term_faults

TERMS = [
    Term("pes", [1], ["phone", "email"]),
    Term("pes", [1, 3], ["billing_email"]),
    Term("harbour", [1], ["town"]),
]


@pytest.mark.parametrize(
    ("giver", "purpose", "fields"),
    [
        ("pes", 1, ["email", "phone", "billing_email"]),
        ("pes", 3, ["billing_email"]),
        ("pes", 2, []),
        ("pes", 0, []),
        ("harbour", 1, ["town"]),
        ("union", 1, []),
    ],
)
def test_what_is_readable(giver: str, purpose: int, fields: list[str]) -> None:
    assert readable(TERMS, giver, purpose) == fields


def test_terms_name_parties_and_fields_that_exist() -> None:
    assert term_faults(TERMS, ["pes", "harbour"]) == []
    wrong = [*TERMS, Term("pes", [1], ["readable_fields"])]
    assert [fault.field for fault in term_faults(wrong, ["pes"])] == [
        "agreement.data_sharing[2].giver",
        "agreement.data_sharing[3].fields",
    ]


def test_every_field_that_can_be_shared_is_one_of_the_contract_and_the_other_way_round() -> None:
    fields = {field.name for field in contact_details_pb2.ContactDetails.DESCRIPTOR.fields}
    assert fields - {*SHAREABLE} == {"name", "readable_fields", "etag"}
