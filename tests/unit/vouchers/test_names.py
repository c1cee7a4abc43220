"""Names of resources: one spelling for each."""

from __future__ import annotations

import uuid

import pytest

from services.vouchers.store.names import uuid_if_any

KEY = "01a216e6-8b42-7066-bf78-d9dc1cabd400"


def test_the_id_of_a_name_is_its_last_part_in_the_collection() -> None:
    assert uuid_if_any(f"vouchers/{KEY}", "vouchers") == KEY
    assert uuid_if_any(f"levyAccounts/{KEY}/claims/{KEY}", "claims") == KEY
    assert uuid_if_any(f"vouchers/{KEY}", "redemptions") is None


@pytest.mark.parametrize("other", [KEY.replace("-", ""), KEY.upper(), f"{{{KEY}}}", uuid.UUID(KEY).urn])
def test_another_spelling_of_an_id_names_nothing(other: str) -> None:
    assert uuid.UUID(other) == uuid.UUID(KEY)
    assert uuid_if_any(f"vouchers/{other}", "vouchers") is None
