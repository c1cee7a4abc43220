"""Prerequisites of steps: a directed graph without cycles, in which an alternative stands in for a step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.portfolio.domain.steps import DONE, State


@dataclass(frozen=True)
class Node:
    """A step as far as its place in the graph goes. `alternatives_label`: steps of one label replace one
    another."""

    id: str
    state: State
    prerequisites: frozenset[str] = frozenset()
    alternatives_label: str = ""


def check_acyclic(prerequisites: Mapping[str, Collection[str]]) -> None:
    """Raises Refusal(PATHWAY_CYCLE) naming the steps when one waits for itself. `prerequisites`: step → steps
    before it."""
    try:
        TopologicalSorter(prerequisites).prepare()
    except CycleError as error:
        cycle = ",".join(error.args[1])
        raise Refusal(reason_pb2.REASON_PATHWAY_CYCLE, metadata={"cycle": cycle}) from None


def blocking(step: Node, steps: Iterable[Node]) -> list[str]:
    """Returns the prerequisites of `step` that are not done, and of which no alternative is."""
    return [node.id for node in open_steps(steps) if node.id in step.prerequisites]


def open_steps(steps: Iterable[Node]) -> list[Node]:
    """Returns the steps that are not done and have no alternative that is."""
    nodes = list(steps)
    done_labels = {node.alternatives_label for node in nodes if node.state in DONE} - {""}
    return [node for node in nodes if node.state not in DONE and node.alternatives_label not in done_labels]
