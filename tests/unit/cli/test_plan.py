import tempfile
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from services.cli.exits import ExitCode, Failure
from services.cli.stack.fork_server import PROGRAMS
from services.cli.stack.parts import EDGE, STORES, Program, members
from services.cli.stack.plan import FOR_SERVICES, OFFSETS, WIDTH, Plan
from services.platform.service import SERVICES
from services.platform.settings import Settings


class FixedPassword(Plan):
    def database_password(self, service: str) -> str:
        return "a/b c"


def names(environ: dict[str, str]) -> set[str]:
    return {member.name for member in members(Plan(Path("/nowhere"), 8080, environ))}


def test_ports_are_distinct_and_within_the_range() -> None:
    assert len(set(OFFSETS.values())) == len(OFFSETS)
    assert max(OFFSETS.values()) < WIDTH


@pytest.mark.parametrize(
    ("setting", "part"),
    [
        ("WAYMARK_DATABASE_URL", "postgres"),
        ("WAYMARK_KAFKA_BOOTSTRAP", "kafka"),
        ("WAYMARK_S3_ENDPOINT", "s3"),
        ("WAYMARK_OIDC_ISSUER", "issuer"),
    ],
)
def test_one_setting_replaces_one_part(setting: str, part: str) -> None:
    assert names({}) - names({setting: "https://outside.example"}) == {part}
    assert names({setting: "  "}) == names({})


def test_every_need_is_a_part_on_the_same_or_a_lower_floor() -> None:
    everything = {member.name: member for member in members(Plan(Path("/nowhere"), 8080, {}))}
    for member in everything.values():
        for need in member.needs:
            assert everything[need].floor <= member.floor
    assert everything["edge"].floor == EDGE
    assert everything["kafka"].floor == STORES


def test_every_service_has_server_relay_and_consumer() -> None:
    expected = {f"{service}-{kind}" for service in SERVICES for kind in ("server", "relay", "consumer")}
    assert expected <= names({})


@pytest.mark.parametrize(("processes", "servers"), [("1", 3), ("2", 0)])
def test_the_project_s_own_are_forked_but_a_server_of_several_processes(processes: str, servers: int) -> None:
    parts = [
        member.part for member in members(Plan(Path("/nowhere"), 8080, {"WAYMARK_PROCESSES": processes}))
    ]
    forked = [part for part in parts if isinstance(part, Program) and part.forked]
    assert len([part for part in forked if part.name.endswith("-server")]) == servers
    assert len(forked) == servers + 7  # relays, consumers and the setting up
    assert {part.argv()[0] for part in forked} <= set(PROGRAMS)


def test_a_service_s_url_keeps_host_and_options_of_an_outside_server() -> None:
    admin = "postgresql://boss:pa%2Fss@db.example:6432/postgres?sslmode=verify-full"
    url = FixedPassword(Path("/nowhere"), 8080, {"WAYMARK_DATABASE_URL": admin}).database_url("vouchers")
    assert (
        url == "postgresql://waymark_vouchers:a%2Fb%20c@db.example:6432/waymark_vouchers?sslmode=verify-full"
    )
    assert "boss" not in url


@pytest.mark.parametrize(("home", "folder"), [("/short", "/short/postgres/run"), ("/" + "x" * 100, None)])
def test_a_service_s_url_leads_to_the_embedded_server_s_socket(home: str, folder: str | None) -> None:
    plan = FixedPassword(Path(home), 8080, {})
    url = make_url(plan.database_url("vouchers"))
    assert (url.username, url.password, url.host) == ("waymark_vouchers", "a/b c", None)
    assert url.database == "waymark_vouchers"
    assert url.query["port"] == str(plan.port("postgres"))
    socket = str(url.query["host"])
    assert socket == folder if folder else Path(socket).parent == Path(tempfile.gettempdir())


def test_kafka_security_reaches_the_services() -> None:
    told = {
        "WAYMARK_KAFKA_BOOTSTRAP": "broker.example:9093",
        "WAYMARK_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "WAYMARK_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "WAYMARK_KAFKA_SASL_USERNAME": "waymark",
        "WAYMARK_KAFKA_SASL_PASSWORD": "secret",
        "WAYMARK_KAFKA_CAFILE": "/etc/broker.pem",
    }
    assert Plan(Path("/nowhere"), 8080, told).kafka_environment() == told


# What `waymark up` decides itself, or tells other parts by other means.
DECIDED = {
    "WAYMARK_LISTEN",
    "WAYMARK_METRICS_PORT",
    "WAYMARK_INSTANCE",
    "WAYMARK_SECRETS_DIR",
    "WAYMARK_INDEX_DIR",
}
OF_THE_ISSUER = {"WAYMARK_OIDC_ISSUER", "WAYMARK_OIDC_JWKS_URI"}


class Asked(dict[str, str]):
    """An environment that notes which variables are asked for."""

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override]
        self[key] = f"told {key}"
        return default


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_that_a_service_reads_is_handed_on_to_it(tmp_path: Path, service: str) -> None:
    asked = Asked()
    Settings.from_environment(service, asked)
    told = {**dict(asked), "WAYMARK_DATABASE_URL": "postgresql://boss:word@db.example/postgres"}
    given = FixedPassword(tmp_path, 8080, told).service_environment(service)
    others = {name for each in SERVICES if each != service for name in FOR_SERVICES[each]}
    own = f"WAYMARK_{service.upper()}_DATABASE_URL"
    expected = set(told) - {own, "WAYMARK_DATABASE_URL"} - (others - set(FOR_SERVICES[service]))
    assert {name for name in expected if given.get(name) != told[name]} == DECIDED | OF_THE_ISSUER


def test_a_pause_that_is_no_number_is_a_wrong_use(tmp_path: Path) -> None:
    assert Plan(tmp_path, 8080, {}).longest_pause == 30
    assert Plan(tmp_path, 8080, {"WAYMARK_LONGEST_PAUSE_SECONDS": "1.5"}).longest_pause == 1.5
    with pytest.raises(Failure, match="no number of seconds") as failure:
        _ = Plan(tmp_path, 8080, {"WAYMARK_LONGEST_PAUSE_SECONDS": "soon"}).longest_pause
    assert failure.value.code == ExitCode.USAGE
