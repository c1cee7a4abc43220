"""Every RPC has a command: read off the source of the command line, by the addresses in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from services import cli
from services.platform.edge.contract import Binding
from tests.support.contract import CONTRACT

CLI = Path(cli.__file__).parent
SHARED = ("call", "client", "output", "downloads")  # how commands call; they name no address
# What no person at a terminal calls, and why.
WITHOUT: Mapping[str, str] = {
    "catalogue.GetLogo": "`organisation logo` calls it, by the name that the organisation tells",
}
# How commands call (`services.cli.call`): the HTTP verb, and which argument is the path.
CALLS = {
    **dict.fromkeys(("get", "many", "each", "pages", "save", "rest_to_file"), ("get", 0)),
    **dict.fromkeys(("post", "posted"), ("post", 0)),
    **dict.fromkeys(("patch", "replace"), ("patch", 0)),
    "delete": ("delete", 0),
    "listed": ("get", 1),
}
ANY = "[^:]+"
CUSTOM = re.compile(r"^[^ ]+:(?:[A-Za-z]+|\[\^:\]\+)$")  # an address of a custom method, as a pattern


class Called(NamedTuple):
    """An address that a module has, as a pattern; its HTTP verb, empty where it is not known; all texts of
    the module and of those that use it."""

    verb: str
    pattern: str
    texts: str

    def may_be(self, binding: Binding) -> bool:
        """True when it may be the address of a binding. A custom method is known by its address alone; one
        that is all variables counts where the module's texts name what the binding is of."""
        path, kind, custom = _address(binding.template)
        if (self.verb != binding.verb and not custom) or not _compiled(self.pattern).fullmatch(path):
            return False
        said = re.search("[A-Za-z]", self.pattern.replace(ANY, ""))
        if said or (self.verb == "post" and not custom):
            return bool(said)
        named = rf"\b{kind}\b" if custom else rf"^{kind}$|\b{kind}/"
        return re.search(named, self.texts, re.MULTILINE) is not None


_compiled = cache(re.compile)


@cache
def _address(template: str) -> tuple[str, str, bool]:
    """A path that a template matches, the kind of thing or method it ends in, whether that is a method."""
    plain = re.sub(r"\{[^=}]+=([^}]+)\}|\{[^}]+\}", lambda found: found[1] or "*", template)
    path = plain.removeprefix("/v1/").replace("**", "x").replace("*", "x")
    return path, re.findall(r"[A-Za-z][A-Za-z]+", plain)[-1], ":" in plain


def addresses(sources: Mapping[str, str]) -> Iterator[Called]:
    """Yields what modules call."""
    trees = {name: ast.parse(source) for name, source in sources.items()}
    texts = {name: "\n".join(_texts(tree)) for name, tree in trees.items()}
    for name, tree in trees.items():
        used = re.compile(rf"from services\.cli(\.{name} import| import .*\b{name}\b)")
        users = (texts[each] for each, source in sources.items() if used.search(source))
        around = "\n".join((texts[name], *users))
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr | ast.Constant) and CUSTOM.search(pattern := _pattern(node)):
                yield Called("", pattern, around)
            elif isinstance(node, ast.Call) and (found := _called(node)):
                for address in _meant(found[1], tree):
                    yield Called(found[0], _pattern(address), around)


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _called(node: ast.Call) -> tuple[str, ast.expr] | None:
    """The verb and path of a call of the service; None for a call of anything else."""
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    on = ast.unparse(node.func.value).rpartition(".")[2] if isinstance(node.func, ast.Attribute) else "call"
    if on not in ("call", "caller") or not node.args:
        return None
    if name == "rest" and isinstance(node.args[0], ast.Constant):
        return str(node.args[0].value).lower(), node.args[1]
    verb, place = CALLS.get(name, ("", 0))
    return (verb, node.args[place]) if verb else None


def _meant(path: ast.expr, tree: ast.Module) -> list[ast.expr]:
    """What a path may be: itself, what the module assigns to its name, what its function returns."""
    found = [path]
    for node in ast.walk(tree) if isinstance(path, ast.Name | ast.Call) else ():
        if isinstance(path, ast.Name) and isinstance(node, ast.Assign):
            found += [node.value for target in node.targets if ast.unparse(target) == path.id]
        elif isinstance(path, ast.Call) and isinstance(node, ast.FunctionDef):
            named = node.name == ast.unparse(path.func)
            found += [
                each.value for each in node.body if named and isinstance(each, ast.Return) and each.value
            ]
    return found


def _pattern(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_pattern, node.values)).removeprefix("/v1/")
    return re.escape(str(node.value)).removeprefix("/v1/") if isinstance(node, ast.Constant) else ANY


def lacking(sources: Mapping[str, str]) -> set[str]:
    """Returns the RPCs that have no command in these modules."""
    called = set(addresses(sources))
    stubs = set(re.findall(r"\.([A-Z]\w+)\(", "\n".join(sources.values())))
    return {
        f"{rpc.service}.{rpc.name}"
        for rpc in CONTRACT.rpcs
        if rpc.name not in stubs and not any(each.may_be(bound) for bound in rpc.bindings for each in called)
    }


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return {path.stem: path.read_text() for path in sorted(CLI.glob("*.py")) if path.stem not in SHARED}


def test_every_rpc_has_a_command_or_a_reason_why_not(sources: dict[str, str]) -> None:
    assert lacking(sources) == WITHOUT.keys()


@pytest.mark.parametrize(
    ("module", "lost"),
    [
        ("skill", {"portfolio.CreateSkillClaim"}),
        ("credential", {"portfolio.ClaimCredentialSkills"}),
        ("sanction", {"vouchers.GetSanction", "vouchers.ListSanctions", "vouchers.ProposeSanction"}),
        ("shortage_questions", {"catalogue.CheckShortages"}),
    ],
)
def test_control_without_a_module_what_it_calls_is_missed(
    sources: dict[str, str], module: str, lost: set[str]
) -> None:
    assert lost <= lacking({name: source for name, source in sources.items() if name != module})
