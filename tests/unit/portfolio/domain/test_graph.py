"""Prerequisites: no step ever waits for itself, and an alternative is enough."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waymark.errors.v1 import reason_pb2
from waymark.portfolio.v1.pathway_pb2 import Step

from services.platform.errors import Refusal
from services.portfolio.domain.graph import Node, blocking, check_acyclic, open_steps

NAMES = st.sampled_from("abcdefgh")
GRAPHS = st.dictionaries(NAMES, st.sets(NAMES, max_size=4), max_size=8)


def reaches(graph: dict[str, set[str]], start: str, goal: str) -> bool:
    """Oracle: is `goal` before `start`, by walking every path?"""
    seen: set[str] = set()
    stack = list(graph.get(start, ()))
    while stack:
        node = stack.pop()
        if node == goal:
            return True
        if node not in seen:
            seen.add(node)
            stack.extend(graph.get(node, ()))
    return False


@given(GRAPHS)
def test_exactly_cycles_are_refused(graph: dict[str, set[str]]) -> None:
    if any(reaches(graph, node, node) for node in graph):
        with pytest.raises(Refusal) as caught:
            check_acyclic(graph)
        assert caught.value.reason == reason_pb2.REASON_PATHWAY_CYCLE
        cycle = caught.value.metadata["cycle"].split(",")
        assert cycle[0] == cycle[-1]
        assert all(reaches(graph, node, node) for node in cycle)
    else:
        check_acyclic(graph)


@given(st.lists(st.tuples(NAMES, NAMES)))
def test_a_graph_grown_under_the_check_never_has_a_cycle(edges: list[tuple[str, str]]) -> None:
    graph: dict[str, set[str]] = {}
    for step, before in edges:
        grown = {**graph, step: graph.get(step, set()) | {before}}
        try:
            check_acyclic(grown)
        except Refusal:
            continue
        graph = grown
    assert not any(reaches(graph, node, node) for node in graph)


def test_blocked_until_done_waived_or_replaced() -> None:
    first = Node("first", Step.STATE_PLANNED, alternatives_label="language")
    other = Node("other", Step.STATE_PLANNED, alternatives_label="language")
    exam = Node("exam", Step.STATE_PLANNED, frozenset({"first"}))
    assert blocking(exam, [first, other, exam]) == ["first"]
    for done in (Step.STATE_CONFIRMED, Step.STATE_WAIVED):
        assert blocking(exam, [Node("first", done), other, exam]) == []
        assert blocking(exam, [first, Node("other", done, alternatives_label="language"), exam]) == []
    assert blocking(exam, [Node("first", Step.STATE_FAILED), other, exam]) == ["first"]


def test_open_steps_leave_out_what_an_alternative_covers() -> None:
    steps = [
        Node("a", Step.STATE_CONFIRMED, alternatives_label="x"),
        Node("b", Step.STATE_FAILED, alternatives_label="x"),
        Node("c", Step.STATE_RUNNING),
        Node("d", Step.STATE_PLANNED, alternatives_label="y"),
    ]
    assert [node.id for node in open_steps(steps)] == ["c", "d"]
