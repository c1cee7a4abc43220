"""Rules of the contracts that buf does not know, and the check of them, seen red on a broken copy."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from waymark.errors.v1 import reason_pb2

from services.platform.edge.contract_rules import faults
from tests.support.contract import CONTRACT

ROOT = Path(__file__).resolve().parents[2]


def test_every_rpc_and_event_keeps_the_rules() -> None:
    assert faults(CONTRACT) == []


def test_every_rpc_says_who_how_and_what_goes_wrong() -> None:
    for rpc in CONTRACT.rpcs:
        assert rpc.policy is not None, rpc.path
        assert rpc.bindings, rpc.path
        assert all(binding.template.startswith("/v1/") for binding in rpc.bindings), rpc.path
        assert rpc.description, rpc.path
        assert re.search(r"^Errors:", rpc.comment, re.MULTILINE), rpc.path


def test_every_reason_has_code_text_and_remedy_and_is_raised() -> None:
    raised = raised_reasons()
    for value in reason_pb2.Reason.DESCRIPTOR.values:
        info = value.GetOptions().Extensions[reason_pb2.info]
        if value.number:
            assert info.code, value.name
            assert info.text.endswith("."), value.name
            assert info.remedy.endswith("."), value.name
            assert value.name in raised, f"{value.name}: nothing in services/ makes a refusal of it"


# What makes a refusal of a reason: itself, a subclass of it, and those who collect what is wrong with a file.
MAKERS = {"Refusal", "__init__", "Problems", "Form"}


def raised_reasons() -> set[str]:
    """Reasons that code under services/ makes refusals of."""
    return set().union(*(reasons_in(path.read_text()) for path in (ROOT / "services").rglob("*.py")))


def reasons_in(source: str) -> set[str]:
    """Reasons that a source hands to what makes a refusal, or to a name or a table for that; one that is only
    compared with, or among those to look for, is not raised there."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        values: Sequence[ast.expr | None] = ()
        if isinstance(node, ast.Call) and name_of(node.func) in MAKERS:
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.Dict):
            values = node.values
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            values = [node.value]
        found |= {name_of(value) for value in values}
    return {name for name in found if name.startswith("REASON_")}


def name_of(node: ast.expr | None) -> str:
    """The last word of a name, empty for anything else."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize(
    ("source", "raised"),
    [
        ("raise Refusal(reason_pb2.REASON_LOCKED)", True),
        ("refuse = {State.OVER: reason_pb2.REASON_LOCKED}", True),
        ("MISSING = reason_pb2.REASON_LOCKED", True),
        ("if error.reason == reason_pb2.REASON_LOCKED: pass", False),
        ("PASSING = frozenset({reason_pb2.REASON_LOCKED})", False),
        ("reason_name(reason_pb2.REASON_LOCKED)  # REASON_LOCKED", False),
    ],
)
def test_what_counts_as_raised(source: str, raised: bool) -> None:
    assert ("REASON_LOCKED" in reasons_in(source)) is raised


def test_every_reason_of_a_service_is_named_by_one_of_its_rpcs() -> None:
    """Reasons 1-99 can come from any call and need not be named."""
    named = {f"REASON_{reason}" for rpc in CONTRACT.rpcs for reason in rpc.reasons}
    own = {name for name, number in reason_pb2.Reason.items() if number >= 100}
    assert sorted(own - named) == []


def test_resources_have_names_of_their_own() -> None:
    """No two RPCs of two services share an address: the edge could not tell them apart."""
    seen: dict[tuple[str, str], str] = {}
    for rpc in CONTRACT.rpcs:
        for binding in rpc.bindings:
            other = seen.setdefault((binding.verb, binding.template), rpc.path)
            assert other == rpc.path


class TestTheCheckGoesRed:
    """`python -m proto.generate --check` on a copy of the project with one thing broken; `make check` is the
    control, on the project as it is."""

    @pytest.fixture
    def copy(self, tmp_path: Path) -> Path:
        ignore = shutil.ignore_patterns("__pycache__")
        for name in ("proto", "docs", "services/platform"):
            shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
        shutil.copyfile(ROOT / "services" / "__init__.py", tmp_path / "services" / "__init__.py")
        return tmp_path

    def check(self, copy: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "proto.generate", "--check"]
        return subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=120, check=False)

    def change(self, copy: Path, change: Callable[[str], str], name: str) -> None:
        path = copy / "proto" / "waymark" / name
        before = path.read_text()
        assert change(before) != before
        path.write_text(change(before))

    def test_a_breaking_change(self, copy: Path) -> None:
        self.change(
            copy,
            lambda text: text.replace("string voucher = 1;", "int64 voucher = 1;"),
            "vouchers/v1/events.proto",
        )
        done = self.check(copy)
        assert done.returncode != 0
        assert "voucher" in done.stdout + done.stderr
        assert "breaking" in done.stderr

    def test_rules_that_buf_does_not_know(self, copy: Path) -> None:
        policy = "    option (waymark.options.v1.policy) = {public: true};\n"
        course, allocation = "catalogue/v1/course.proto", "vouchers/v1/allocation.proto"
        self.change(copy, lambda text: text.replace(policy, "", 1), course)
        self.change(copy, lambda text: text.replace("Errors: ", "Errors: NO_SUCH_REASON, ", 1), course)
        named = "Errors: NOT_FOUND, PAGE_TOKEN_INVALID."
        self.change(
            copy,
            lambda text: text.replace(named, "Errors: PAGE_TOKEN_INVALID."),
            "vouchers/v1/payable.proto",
        )
        self.change(copy, lambda text: re.sub(r"(Errors: \w+),", r"\1.", text, count=1), allocation)
        done = self.check(copy)
        assert done.returncode != 0
        assert "has no (waymark.options.v1.policy)" in done.stderr
        assert "NO_SUCH_REASON" in done.stderr
        assert "ListPayables asks for a relationship" in done.stderr
        assert "does not say its errors" in done.stderr

    def test_what_was_not_generated_or_written_by_hand(self, copy: Path) -> None:
        self.change(copy, lambda text: text.replace("// ", "// Surely: ", 1), "vouchers/v1/voucher.proto")
        (copy / "docs" / "errors.md").write_text("# Errors\n")
        done = self.check(copy)
        assert done.returncode != 0
        assert "make proto" in done.stderr
        assert "voucher" in done.stderr
        assert "docs/errors.md" in done.stderr

    def test_a_badly_formatted_file(self, copy: Path) -> None:
        self.change(copy, lambda text: text.replace("  ", "     ", 1), "vouchers/v1/events.proto")
        done = self.check(copy)
        assert done.returncode != 0
        assert "format" in done.stderr
