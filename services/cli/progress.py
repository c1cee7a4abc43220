"""Bars for what takes a while, on standard error, so that output stays for programs."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


def bars() -> Progress:
    """Bars that count bytes, gone when all are done; none where the output is no terminal."""
    return _bars(DownloadColumn(), TransferSpeedColumn())


def counts() -> Progress:
    """Bars that count things, gone when all are done; none where the output is no terminal."""
    return _bars(MofNCompleteColumn(), TimeRemainingColumn())


def _bars(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    shown = (TextColumn("{task.description}"), BarColumn(), *columns)
    return Progress(*shown, console=console, transient=True, disable=not console.is_terminal)
