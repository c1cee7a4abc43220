"""How every benchmark reports: a table for people, then one JSON line for programs."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, le

from rich.console import Console
from rich.table import Table

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {"≤": le, "≥": ge}


@dataclass(frozen=True)
class Goal:
    """A figure that has to be reached.

    Attributes:
        name: key of the figure in `figures`.
        comparison: "≤" or "≥".
        goal: the limit, in the figure's unit.
        unit: for people, "" for a ratio.
    """

    name: str
    comparison: str
    goal: float
    unit: str = ""

    def met(self, measured: float) -> bool:
        """Tell whether `measured` reaches the goal."""
        return COMPARISONS[self.comparison](measured, self.goal)


def report(bench: str, figures: Mapping[str, float], goals: Sequence[Goal]) -> bool:
    """Print figures and goals as a table, then the JSON line.

    Args:
        bench: name of the benchmark.
        figures: every figure measured, by name; the unit belongs into the name (`p99_ms`).
        goals: the figures that have a limit.

    Returns:
        Whether all goals were met.
    """
    by_name = {goal.name: goal for goal in goals}
    table = Table(title=bench, title_justify="left", header_style="bold")
    for heading in ("figure", "measured", "goal", "met"):
        table.add_column(heading, justify="right" if heading == "measured" else "left")
    for name, value in figures.items():
        goal = by_name.get(name)
        limit = f"{goal.comparison} {goal.goal:g} {goal.unit}".strip() if goal else ""
        met = ("yes" if goal.met(value) else "NO") if goal else ""
        table.add_row(name, f"{value:,.3f}".rstrip("0").rstrip("."), limit, met)
    Console(highlight=False, width=100).print(table)
    rounded = {name: round(value, 3) for name, value in figures.items()}
    reached = [
        {"name": g.name, "goal": g.goal, "measured": rounded[g.name], "met": g.met(figures[g.name])}
        for g in goals
    ]
    print(json.dumps({"bench": bench, "figures": rounded, "goals": reached}, ensure_ascii=False))
    return all(goal["met"] for goal in reached)
