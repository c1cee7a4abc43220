"""Tests of domains stand in folders of their own and do no I/O, so that all of them run in seconds."""

from __future__ import annotations

import ast
from pathlib import Path

UNIT = Path(__file__).parent
# Of the platform what reads and writes nothing.
FREE = tuple(
    f"services.platform.{name}" for name in ("errors", "seals", "signing", "rpc.interceptors.validation")
)


def beyond_domains(source: str) -> set[str]:
    """Returns what a module imports of services that is neither a domain nor free of I/O itself."""
    imported = {
        f"{node.module}.{name.name}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
    }
    ours = {name for name in imported if name.startswith("services.")}
    return {name for name in ours if ".domain" not in name and not name.startswith(FREE)}


def test_tests_of_domains_import_domains_alone() -> None:
    files = sorted(UNIT.glob("*/domain/**/test_*.py"))
    assert len(files) > 60
    assert {str(path): found for path in files if (found := beyond_domains(path.read_text()))} == {}


def test_control_a_test_of_a_store_is_none_of_a_domain() -> None:
    assert beyond_domains("from services.vouchers.store import vouchers") == {
        "services.vouchers.store.vouchers"
    }
    assert beyond_domains("from services.vouchers.domain import vouchers") == set()
