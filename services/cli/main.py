"""The `waymark` command. Each noun or verb lives in a module of its own, imported when it is called."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from services.cli.examples import show_examples
from services.cli.exits import Failure
from services.cli.faults import failure_of

STACK = "services.cli.stack.commands"
# Command → module that registers it, in the order of `waymark --help`.
MODULES = {
    **dict.fromkeys(("up", "down", "status", "logs", "reset", "run"), STACK),
    "demo": "services.cli.demo.command",
    "token": "services.cli.token",
    "taxonomy": "services.cli.taxonomy",
    "lmi": "services.cli.labour_market",
    "occupation": "services.cli.occupation",
    "assessment": "services.cli.assessment",
    "shortage": "services.cli.shortage",
    "organisation": "services.cli.organisation",
    "partner": "services.cli.partner",
    "place": "services.cli.place",
    "agreement": "services.cli.agreement",
    "contact": "services.cli.contact",
    "api": "services.cli.api",
    "feed": "services.cli.feed",
    "course": "services.cli.course",
    "tag": "services.cli.tag",
    "quality": "services.cli.quality",
    "feedback": "services.cli.feedback",
    **dict.fromkeys(("search", "suggest", "similar", "recommend"), "services.cli.search"),
    "exposure": "services.cli.exposure",
    "funding-source": "services.cli.funding_source",
    "programme": "services.cli.programme",
    "fund-return": "services.cli.fund_return",
    "facts": "services.cli.facts",
    "operation": "services.cli.operation",
    "allocation": "services.cli.allocation",
    "application": "services.cli.application",
    "voucher": "services.cli.voucher",
    "redemption": "services.cli.redemption",
    "hold": "services.cli.hold",
    "monitoring": "services.cli.monitoring",
    "alert": "services.cli.alert",
    "complaint": "services.cli.complaint",
    "sanction": "services.cli.sanction",
    "rebooking": "services.cli.rebooking",
    "result": "services.cli.result",
    "bank-account": "services.cli.bank_account",
    "payout": "services.cli.payout",
    "bank-report": "services.cli.bank_report",
    "receivable": "services.cli.receivable",
    "statement": "services.cli.statement",
    "sandbox": "services.cli.sandbox",
    "levy": "services.cli.levy",
    "outcome": "services.cli.outcome",
    "obligation": "services.cli.obligation",
    "ledger": "services.cli.ledger",
    "statistics": "services.cli.statistics",
    "target": "services.cli.target",
    "report": "services.cli.report",
    "webhook": "services.cli.webhook",
    "holder": "services.cli.holder",
    "entry": "services.cli.entry",
    "skill": "services.cli.skill",
    "evidence": "services.cli.evidence",
    "credential": "services.cli.credential",
    "cv": "services.cli.cv",
    "award": "services.cli.award",
    "attestation": "services.cli.attestation",
    "framework": "services.cli.framework",
    "instrument": "services.cli.instrument",
    "questionnaire": "services.cli.questionnaire",
    "journal": "services.cli.journal",
    "goal": "services.cli.goal",
    "plan": "services.cli.plan",
    "guidance": "services.cli.guidance",
    "handover": "services.cli.handover",
    "consent": "services.cli.consent",
    "pathway": "services.cli.pathway",
    "validation": "services.cli.validation",
    "rights": "services.cli.rights",
    "legal-hold": "services.cli.legal_hold",
    "break-glass": "services.cli.break_glass",
    "mandate": "services.cli.mandate",
    "group": "services.cli.group",
    "page": "services.cli.page",
    "comment": "services.cli.comment",
    "submission": "services.cli.submission",
    "mentor": "services.cli.mentor",
    "mentoring": "services.cli.mentoring",
    "share": "services.cli.share",
    "access-log": "services.cli.access_log",
    "on-behalf": "services.cli.on_behalf",
    "edge": "services.cli.edge",
    "serve": "services.cli.serve",
    "relay": "services.cli.relay",
    "consume": "services.cli.consume",
    "migrate": "services.cli.migrate",
    "events": "services.cli.events",
    "erasure": "services.cli.erasure",
    "fetch": "services.cli.fetch",
    "sbom": "services.cli.sbom",
}
HELP = """Career portfolios, learning vouchers and a course catalogue for public employment services.

Commands find a running stack by `--home` or the variable `WAYMARK_HOME` (default `.waymark`).
"""
EPILOG = """Examples:

`waymark up --detach` starts everything on this machine

`waymark demo` walks from a shortage list to a paid training

`waymark token learner --subject 0198c5f0-7a51-7cc3-9d0a-3a1b2c3d4e5f` prints an access token

`waymark status --json` for programs

Exit codes: 0 done · 1 something else went wrong · 2 wrong usage · 3 not running or unreachable ·
4 refused by a service · 5 not found · `demo`: number of failed steps · 130 stopped by Ctrl-C
"""


class Commands(MutableMapping[str, Any]):
    """Commands by name; a value is imported when it is looked up, so that `waymark status` loads no gRPC."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            module = import_module(MODULES[name])
            part = typer.Typer()
            module.register(part)
            loaded = get_group(part)
            show_examples(loaded)
            self._loaded.update(loaded.commands)
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


class LazyGroup(TyperGroup):
    """The root command."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Commands()


app = typer.Typer(
    cls=LazyGroup,
    help=HELP,
    epilog=EPILOG,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root() -> None:
    """Present so that the root stays a group."""


def main() -> None:
    """Runs the command line and leaves the process with an exit code (see `waymark --help`)."""
    try:
        get_command(app).main(prog_name="waymark")
    except Exception as error:
        failure = error if isinstance(error, Failure) else failure_of(error)
        if failure is None:
            raise
        report(failure, as_json="--json" in sys.argv)
        sys.exit(int(failure.code))


def report(failure: Failure, *, as_json: bool) -> None:
    """Writes a failure to standard error: one JSON object, or what, where and how to mend it."""
    if as_json:
        sys.stderr.write(json.dumps(failure.as_json()) + "\n")
        return
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    label = f"refused ({failure.reason})" if failure.reason else "error"
    console.print(f"{label}: {failure.text}", style="red", markup=False)
    for violation in failure.violations:
        console.print(f"  {violation.field}: {violation.description}", markup=False)
    if failure.remedy:
        console.print(f"remedy: {failure.remedy}", markup=False)
    if failure.trace_id:
        console.print(f"trace: {failure.trace_id}", markup=False)


if __name__ == "__main__":
    main()
