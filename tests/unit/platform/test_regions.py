"""Which codes are regions of NUTS 2024, and which around a code are not."""

import pytest

from services.platform import regions


@pytest.mark.parametrize(
    ("code", "strange"),
    [
        ("BE", set()),
        ("BE211", set()),
        ("FRY", set()),
        ("BE299", {"BE29", "BE299"}),
        ("PT170", {"PT17", "PT170"}),
        ("GBX", {"GB", "GBX"}),
        ("", set()),
    ],
)
def test_what_of_a_code_is_no_region(code: str, strange: set[str]) -> None:
    assert regions.beyond(code) == strange
