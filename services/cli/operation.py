"""`waymark operation`: work in the background."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from services.cli.call import Call, calls
from services.cli.exits import ExitCode, Failure
from services.cli.options import Limit
from services.cli.progress import counts

operation = typer.Typer(help="Work in the background: how far it is, stopping it, letting it go on.")
MANAGER = "programme_manager:maker"
OPEN = ("STATE_QUEUED", "STATE_RUNNING")
PATIENCE = 60  # seconds that the stack may be away, such as while a part is started anew
OPERATION = {
    "operation": "name",
    "state": "state",
    "done": "doneCount",
    "of": "totalCount",
    "because": "reason",
    "asked for": "createTime",
}
SIMULATION = {
    "rules": "simulation.programmeVersion",
    "unchanged": "simulation.unchangedCount",
    "granted instead of refused": "simulation.newlyGrantedCount",
    "refused instead of granted": "simulation.newlyRefusedCount",
    "another amount": "simulation.amountChangedCount",
    "to a caseworker instead": "simulation.toQueueCount",
    "unreadable": "simulation.unreadableCount",
    "granted": "simulation.grantedBefore",
    "would have granted": "simulation.grantedAfter",
    "learners' share": "simulation.learnerShareBefore",
    "would have been": "simulation.learnerShareAfter",
}
WORK = {  # what each kind of work has to say, and the command that says more
    "simulation": (SIMULATION, "who: waymark operation changes"),
    "allocation": (
        {
            "only tried": "allocation.dryRun",
            "allocated": "allocation.allocatedCount",
            "refused": "allocation.refusedCount",
            "unreadable": "allocation.invalidCount",
            "worth": "allocation.amount",
        },
        "rows: waymark allocation rows",
    ),
    "learnerFactImport": (
        {
            "only tried": "learnerFactImport.dryRun",
            "stored": "learnerFactImport.storedCount",
            "wrong": "learnerFactImport.invalidCount",
        },
        "what is wrong: waymark facts findings",
    ),
}
CHANGES = {
    "application": "application",
    "was": "before",
    "would be": "after",
    "granted": "amountBefore",
    "would have granted": "amountAfter",
    "because": "reasonCodes",
}
Name = Annotated[str, typer.Argument(metavar="OPERATION", help="voucherOperations/{id}")]


def register(app: typer.Typer) -> None:
    """Adds `operation` to the command line `app`."""
    app.add_typer(operation, name="operation", no_args_is_help=True)


@operation.command("list", epilog="Example:  waymark operation list")
@calls("auditor")
def list_(call: Call, limit: Limit = 50) -> None:
    """List work, newest first."""
    call.many("voucherOperations", OPERATION, limit, key="operations", empty="nothing was asked for yet")


@operation.command(epilog="Example:  waymark operation show voucherOperations/0198…")
@calls("auditor")
def show(call: Call, name: Name) -> None:
    """Show how far work is and what has come out."""
    tell(call, call.get(name))


@operation.command(epilog="Example:  waymark operation wait voucherOperations/0198…")
@calls("auditor")
def wait(call: Call, name: Name) -> None:
    """Wait for the end of work, with a bar; exit code 1 when it failed or was stopped."""
    tell(call, until_done(call, call.get(name)))


@operation.command(epilog="Example:  waymark operation cancel voucherOperations/0198…")
@calls(MANAGER)
def cancel(call: Call, name: Name) -> None:
    """Stop work; what is done stays done."""
    call.one(call.post(f"{name}:cancel"), OPERATION)


@operation.command(epilog="Example:  waymark operation resume voucherOperations/0198…")
@calls(MANAGER)
def resume(call: Call, name: Name) -> None:
    """Let work go on that was stopped or failed."""
    call.one(call.post(f"{name}:resume"), OPERATION)


@operation.command(epilog="Example:  waymark operation changes voucherOperations/0198… --limit 500")
@calls("auditor")
def changes(call: Call, name: Name, limit: Limit = 50) -> None:
    """List the applications that would come out differently by a simulation."""
    call.many(f"{name}/changes", CHANGES, limit, empty="none would come out differently")


def until_done(call: Call, found: dict[str, Any]) -> dict[str, Any]:
    """Waits for the end of work, with a bar. Raises Failure when it failed or was stopped."""
    with counts() as bar:
        task = bar.add_task("done", total=None)
        while found["state"] in OPEN:
            time.sleep(0.5)
            found = _look(call, found["name"])
            total = int(found.get("totalCount", 0)) or None
            bar.update(task, completed=int(found.get("doneCount", 0)), total=total)
    if found["state"] != "STATE_SUCCEEDED":
        said = " ".join(filter(None, (found.get("reason", ""), found.get("explanation", ""))))
        raise Failure(
            ExitCode.OTHER,
            f"{found['name']} is {found['state'].removeprefix('STATE_').lower()}. {said}".strip(),
            remedy="Mend the file and hand it over anew."
            if found.get("reason", "").endswith("_FILE_INVALID")
            else f"`waymark operation resume {found['name']}` lets it go on.",
        )
    return found


def _look(call: Call, name: str) -> dict[str, Any]:
    """Reads work, which goes on without us: again while the stack does not answer, at most PATIENCE. Raises
    Failure saying how to come back to it."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return call.get(name)
        except Failure as failure:
            away = failure.code == ExitCode.UNREACHABLE or failure.reason == "UNAVAILABLE"
            if not away or time.monotonic() >= end:
                failure.remedy += f" `waymark operation wait {name}` waits for the end of what was begun."
                raise
        time.sleep(1)


def tell(call: Call, found: dict[str, Any]) -> None:
    """Prints work with what its kind has to say."""
    fields, more = next((said for kind, said in WORK.items() if kind in found), ({}, ""))
    call.one(found, OPERATION | fields)
    if more and not call.as_json:
        typer.echo(f"{more} {found['name']}")
