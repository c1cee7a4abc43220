"""The scripts that pgbench runs keep up with the statements that the service sends."""

from __future__ import annotations

import pytest

from bench.redeem_sql import scripts


@pytest.mark.parametrize("pipelined", [True, False])
def test_each_write_has_a_script_with_every_value_in_its_place(pipelined: bool) -> None:
    made = scripts(pipelined=pipelined)
    assert set(made) == {"reserve", "authorise", "accept"}
    assert all(script.endswith("\n") and "COMMIT;" in script for script in made.values())
