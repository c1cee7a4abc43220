"""A whole stack from outside: the command line, real processes, real signals."""

import json
import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from services.cli.stack.health import NO_DATABASE
from services.cli.stack.leftovers import left_overs
from services.cli.stack.plan import SERVICES, Plan
from services.cli.stack.probes import accepts
from tests.support.memory import holds
from tests.support.parts import held
from tests.support.stacks import WAYMARK, Stack, bare_environment, free_base
from tests.support.waiting import eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack that the tests here share, in whatever state the last one left it."""
    shared = Stack(tmp_path_factory.mktemp("stack"), free_base())
    yield shared
    shared.call("down")
    shared.until_gone()


@pytest.fixture
def stack(home: Stack) -> Stack:
    """The shared stack, running: tests come in any order."""
    if not home.ready:
        home.up()
    return home


def answers(edge: str) -> bool:
    """A service behind the edge answers; without a token that is a refusal."""
    try:
        with urllib.request.urlopen(f"{edge}/v1/programmes", timeout=30):
            return True
    except urllib.error.HTTPError as error:
        with error:
            return error.code < 500
    except OSError:
        return False


def test_status_shows_every_part_ready(stack: Stack) -> None:
    shown = stack.call("status", "--json")
    assert shown.returncode == 0
    status = json.loads(shown.stdout)
    assert status["ready"]
    expected = {"postgres", "kafka", "s3", "issuer", "setup", "edge"}
    expected |= {f"{service}-{kind}" for service in SERVICES for kind in ("server", "relay", "consumer")}
    assert set(status["parts"]) == expected
    assert "postgres" in stack.call("status").stdout
    assert answers(status["edge"])


def test_a_second_supervisor_is_refused_and_up_detached_is_content(stack: Stack) -> None:
    refused = stack.call("up")
    assert refused.returncode == 1
    assert "already runs" in refused.stderr
    pid = stack.state.pid
    stack.up()
    assert stack.state.pid == pid


def test_logs_of_one_part_and_of_a_part_that_is_none(stack: Stack) -> None:
    assert "database system is ready" in stack.call("logs", "postgres", "--lines", "1000").stdout
    unknown = stack.call("logs", "postgras")
    assert unknown.returncode == 5
    assert "postgres" in unknown.stderr


def test_reset_is_refused_while_the_stack_runs(stack: Stack) -> None:
    refused = stack.call("reset", "--yes")
    assert refused.returncode == 1
    assert "is running" in refused.stderr


def test_a_part_is_told_no_other_service_s_secrets(stack: Stack) -> None:
    plan = Plan(stack.home, stack.base, {})
    passwords = {service: plan.database_password(service).encode() for service in SERVICES}
    server = plan.postgres
    assert server is not None
    for part in stack.state.parts.values():
        service, _, kind = part.name.partition("-")
        if not kind:
            continue
        known = {each for each, password in passwords.items() if holds(part.pid, password)}
        assert known == {service}, part.name
        assert not holds(part.pid, server.password.encode()), part.name
        assert psutil.Process(part.pid).cmdline()[0].endswith(f" {service}")


def database(url: str, name: str) -> str:
    """The same server and role, another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def test_a_service_s_role_reaches_its_own_database_only(stack: Stack) -> None:
    plan = Plan(stack.home, stack.base, {})
    for service in SERVICES:
        url = plan.database_url(service)
        psycopg.connect(url).close()
        for other in {*(f"waymark_{name}" for name in SERVICES), "postgres", "template1"} - {
            f"waymark_{service}"
        }:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(database(url, other))


def test_services_reach_their_databases_by_the_socket_and_with_their_passwords(stack: Stack) -> None:
    plan, roles = Plan(stack.home, stack.base, {}), {f"waymark_{service}" for service in SERVICES}
    seen: dict[str, set[str | None]] = {}

    def all_seen() -> bool:  # one that was just started again has no session for a moment
        for role, address in admin.execute("""SELECT usename, client_addr FROM pg_stat_activity
          WHERE usename LIKE 'waymark%'"""):
            seen.setdefault(role, set()).add(address)
        return seen.keys() >= roles

    with psycopg.connect(plan.admin_database_url(), autocommit=True) as admin:
        eventually(all_seen)
    assert seen == {role: {None} for role in roles}
    credentials, _, host = plan.database_url("vouchers").rpartition("@")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"{credentials}x@{host}")


def test_the_control_role_without_the_wall_reads_another_database(stack: Stack) -> None:
    plan = Plan(stack.home, stack.base, {})
    crossing = database(plan.database_url("vouchers"), "waymark_portfolio")
    with psycopg.connect(plan.admin_database_url(), autocommit=True) as admin:
        admin.execute("grant connect on database waymark_portfolio to public")
        try:
            psycopg.connect(crossing).close()
        finally:
            admin.execute("revoke connect on database waymark_portfolio from public")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(crossing)


@pytest.mark.parametrize("name", ["postgres", "kafka", "s3", "issuer", "edge"])
def test_a_killed_part_comes_back(stack: Stack, name: str) -> None:
    before = stack.state.parts[name]
    psutil.Process(before.pid).kill()
    stack.until(lambda state: state.parts[name].restarts > before.restarts and state.ready)
    assert stack.state.parts[name].pid != before.pid
    assert answers(stack.state.edge)


def test_every_process_of_the_services_killed_at_once_comes_back(stack: Stack) -> None:
    before = {name: part.pid for name, part in stack.state.parts.items() if "-" in name}
    for pid in before.values():
        psutil.Process(pid).kill()
    stack.until(lambda state: state.ready and all(state.parts[name].pid != before[name] for name in before))
    assert answers(stack.state.edge)


def test_the_fork_server_killed_comes_back_with_all_it_had_made(stack: Stack) -> None:
    before = {name: part.pid for name, part in stack.state.parts.items() if "-" in name}
    server = psutil.Process(before["catalogue-server"]).parent()
    assert server is not None
    server.kill()
    stack.until(lambda state: state.ready and all(state.parts[name].pid != before[name] for name in before))
    assert answers(stack.state.edge)


def test_a_database_that_hangs_shows_at_every_part_that_needs_it(stack: Stack) -> None:
    workers = [f"{service}-{kind}" for service in SERVICES for kind in ("server", "relay", "consumer")]
    before = stack.state.parts
    server = psutil.Process(before["postgres"].pid)
    frozen = [server, *server.children(recursive=True)]
    for process in frozen:
        process.suspend()
    try:
        stack.until(lambda state: {state.parts[name].state for name in workers} == {"not serving"})
        shown = stack.call("status", "--json")
        assert shown.returncode == 1
        told = json.loads(shown.stdout)
        assert not told["ready"]
        assert {told["parts"][name]["reason"] for name in workers} == {NO_DATABASE}
        assert NO_DATABASE in stack.call("status").stdout
        # Control: by their ports alone all of them would be up.
        ports = [*(f"{service}-server" for service in SERVICES), "vouchers-relay", "vouchers-consumer"]
        assert all(accepts(Plan(stack.home, stack.base, {}).port(name)) for name in ports)
    finally:
        for process in frozen:
            process.resume()
    stack.until(lambda state: state.ready)
    after = stack.state.parts
    assert {name: after[name].pid for name in workers} == {name: before[name].pid for name in workers}


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Stack]:
    """A second stack, not yet started."""
    made = Stack(tmp_path / "other", free_base())
    yield made
    if left_overs(made.home):
        made.call("down")


def test_a_second_stack_runs_beside_the_first_outlives_its_supervisor_and_stops_floor_by_floor(
    stack: Stack, other: Stack
) -> None:
    """In one go, because each start of a stack takes ten seconds of a processor."""
    other.up()
    assert answers(other.state.edge)
    assert answers(stack.state.edge)
    pids = [{part.pid for part in each.state.parts.values()} for each in (other, stack)]
    assert pids[0] & pids[1] <= {0}
    said = killed_and_started_again(other)
    assert not left_overs(other.home)
    assert_stopped_floor_by_floor(said, last={"postgres", "kafka", "s3"})
    assert stack.state.alive
    assert answers(stack.state.edge)
    assert other.call("status").returncode == 3
    sockets = Plan(other.home, other.base, {}).postgres.socket_dir
    assert sockets.exists()
    assert other.call("reset", "--yes").returncode == 0
    assert not list(other.home.iterdir())
    assert not sockets.exists()


def killed_and_started_again(stack: Stack) -> str:
    """Kills the supervisor: no orphan is left, and the next one, which nobody detached, finds all data.
    Returns what that one says when it is interrupted."""
    plan = Plan(stack.home, stack.base, {})
    with psycopg.connect(plan.admin_database_url(), autocommit=True) as admin:
        admin.execute("create table survived as select 1 as one")
    psutil.Process(stack.state.pid).kill()
    stack.until_gone()
    assert stack.call("status").returncode == 3
    with in_the_foreground(stack) as running:
        with psycopg.connect(plan.admin_database_url(), autocommit=True) as admin:
            assert admin.execute("select one from survived").fetchone() == (1,)
        assert answers(stack.state.edge)
        # `down` sends SIGTERM; this is what Ctrl-C sends to one that nobody detached.
        return ended(running, signal.SIGINT)


def assert_stopped_floor_by_floor(said: str, *, last: set[str]) -> None:
    lines = [line.split() for line in said.splitlines()]
    ends = [line[0] for line in lines if line[1:] == ["stopped"]]
    assert ends[0] == "edge"
    assert set(ends[-len(last) :]) == last
    assert ends.index("vouchers-server") < ends.index("vouchers-consumer") < ends.index("vouchers-relay")


@pytest.fixture
def outside(stack: Stack) -> Iterator[dict[str, str]]:
    """Settings that name parts of their own: the shared ones' roles and topics belong to other tests."""
    run = f"outside-{os.getpid()}"
    with held("postgres", run) as postgres, held("kafka", run) as kafka, held("s3", run) as s3:
        yield {
            "WAYMARK_DATABASE_URL": postgres["url"],
            "WAYMARK_KAFKA_BOOTSTRAP": kafka["bootstrap"],
            "WAYMARK_S3_ENDPOINT": s3["endpoint"],
            "WAYMARK_S3_ACCESS_KEY": s3["access_key"],
            "WAYMARK_S3_SECRET_KEY": s3["secret_key"],
            "WAYMARK_OIDC_ISSUER": stack.state.issuer,
        }


def test_outside_parts_are_used_and_not_started(outside: dict[str, str], other: Stack) -> None:
    other.up(**outside)
    assert not {"postgres", "kafka", "s3", "issuer"} & set(other.state.parts)
    assert other.state.kafka == outside["WAYMARK_KAFKA_BOOTSTRAP"]
    assert answers(other.state.edge)
    assert other.call("down").stdout.strip() == "stopped"
    assert not left_overs(other.home)
    assert_stopped_floor_by_floor(other.log(), last={"setup"})
    with psycopg.connect(outside["WAYMARK_DATABASE_URL"]) as admin:
        names = {row[0] for row in admin.execute("select datname from pg_database")}
    assert {f"waymark_{service}" for service in SERVICES} <= names


def test_an_up_that_is_told_to_end_while_it_starts_leaves_nothing(other: Stack) -> None:
    command = [*WAYMARK, "up", "--detach", "--home", str(other.home), "--port-base", str(other.base)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=bare_environment()) as starting:
        assert starting.stderr is not None
        assert starting.stderr.readline()  # of the first part that starts
        starting.terminate()
        starting.stderr.read()
    assert starting.returncode not in (0, -signal.SIGTERM)
    other.until_gone()


def test_a_taken_port_is_named_with_the_option_that_helps(tmp_path: Path) -> None:
    base = free_base(25_000)  # a range that the other worker's stacks do not begin in
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", base + 4))
        taken.listen()
        refused = Stack(tmp_path, base).call("up", "--port-base", str(base))
    assert refused.returncode == 1
    assert f"Port {base + 4}, wanted for kafka" in refused.stderr
    assert "--port-base" in refused.stderr


def test_nothing_runs_yet(tmp_path: Path) -> None:
    empty = Stack(tmp_path / "empty", 0)
    assert empty.call("status").returncode == 3
    assert "nothing was running" in empty.call("down").stdout


@contextmanager
def in_the_foreground(stack: Stack) -> Iterator[subprocess.Popen[str]]:
    """A supervisor that nobody detached, once it says that it is ready."""
    command = [*WAYMARK, "up", "--home", str(stack.home), "--port-base", str(stack.base)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=bare_environment()) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "Waymark is ready" in line:
                break
        yield running


def ended(running: subprocess.Popen[str], number: signal.Signals) -> str:
    """Sends a signal; returns what the supervisor said until it ended well."""
    assert running.stdout is not None
    running.send_signal(number)
    rest = running.stdout.read()
    assert running.wait() == 0
    return rest
