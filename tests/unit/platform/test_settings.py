"""Settings from the environment, and what production refuses."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from services.platform.settings import DEVELOPMENT_MARK, Settings, SettingsError, check_stack

GOOD = {"WAYMARK_OIDC_ISSUER": "https://login.example", "WAYMARK_VOUCHERS_DATABASE_URL": "postgresql://h/d"}


def settings(tmp_path: Path, **environ: str) -> Settings:
    return Settings.from_environment(
        "vouchers", {**GOOD, "WAYMARK_SECRETS_DIR": str(tmp_path / "secrets"), **environ}
    )


def test_defaults_and_names(tmp_path: Path) -> None:
    read = settings(
        tmp_path, WAYMARK_S3_ENDPOINT="http://s3", WAYMARK_THREADS="3", WAYMARK_CLAMAV="scan:3310"
    )
    assert (read.clamav, settings(tmp_path, WAYMARK_CLAMAV="/run/clamd").clamav) == (
        "scan:3310",
        "/run/clamd",
    )
    assert read.database_url == "postgresql://h/d"
    assert (read.threads, read.processes, read.audience) == (3, 1, "waymark")
    assert read.s3_public_endpoint == "http://s3"
    assert not read.production


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WAYMARK_ENVIRONMENT", "prod"),
        ("WAYMARK_THREADS", "0"),
        ("WAYMARK_THREADS", "many"),
        ("WAYMARK_THREADS", "-1"),
        ("WAYMARK_PROCESSES", "1000"),
        ("WAYMARK_DAILY_PEOPLE", "0"),
        ("WAYMARK_TIME_ZONE", "Europe/Bruxelles"),
        ("WAYMARK_TIME_ZONE", "../etc/localtime"),
        ("WAYMARK_FEED_COPIES", "1"),
        ("WAYMARK_FEED_DAYS", "0"),
        ("WAYMARK_FEED_PLACES", "0"),
        ("WAYMARK_METRICS_PORT", "70000"),
        ("WAYMARK_CLAMAV", "clamav"),
        ("WAYMARK_CLAMAV", "clamav:70000"),
        ("WAYMARK_EMBEDDINGS_URL", "localhost:8200"),
        ("WAYMARK_EMBEDDINGS_URL", "file:///v1"),
        ("WAYMARK_EMBEDDINGS_URL", "http://user:word@localhost/v1"),
        ("WAYMARK_EMBEDDINGS_URL", "http://[::1/v1"),
        ("WAYMARK_KAFKA_SECURITY_PROTOCOL", "TLS"),
        ("WAYMARK_KAFKA_SASL_MECHANISM", "GSSAPI"),
        ("WAYMARK_KAFKA_BOOTSTRAP", "broker"),
        ("WAYMARK_KAFKA_BOOTSTRAP", "broker:9092,"),
        ("WAYMARK_KAFKA_BOOTSTRAP", "http://broker:9092"),
        ("WAYMARK_VOUCHERS_DATABASE_URL", "mysql://h/d"),
        ("WAYMARK_VOUCHERS_DATABASE_URL", "h:5432"),
        ("WAYMARK_S3_ENDPOINT", "s3.example:9000"),
        ("WAYMARK_S3_PUBLIC_ENDPOINT", "waymark.example"),
        ("WAYMARK_OIDC_ISSUER", "login.example"),
        ("WAYMARK_OIDC_JWKS_URI", "/jwks.json"),
        ("WAYMARK_OIDC_ALGORITHMS", "none"),
        ("WAYMARK_OIDC_ALGORITHMS", "RS256,HS256"),
    ],
)
def test_a_wrong_value_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        settings(tmp_path, **{name: value})


def test_an_address_of_a_database_is_not_in_the_error_since_it_holds_a_password(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, WAYMARK_VOUCHERS_DATABASE_URL="mysql://u:hush@h/d")
    assert "hush" not in str(refused.value)


def test_an_issuer_keeps_the_slash_that_its_tokens_have(tmp_path: Path) -> None:
    assert settings(tmp_path, WAYMARK_OIDC_ISSUER="https://id.example/").issuer == "https://id.example/"


STACK = {
    "WAYMARK_S3_ENDPOINT": "http://s3:9000",
    "WAYMARK_S3_ACCESS_KEY": "a",
    "WAYMARK_S3_SECRET_KEY": "s",
    "WAYMARK_KAFKA_BOOTSTRAP": "one:9092, two:9092",
    "WAYMARK_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "WAYMARK_KAFKA_SASL_USERNAME": "u",
    "WAYMARK_KAFKA_SASL_PASSWORD": "p",
    "WAYMARK_DATABASE_URL": "postgresql://u:p@h:5432/postgres?sslmode=verify-full",
}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"WAYMARK_S3_SECRET_KEY": ""}, "WAYMARK_S3_SECRET_KEY must be set"),
        ({"WAYMARK_KAFKA_SASL_USERNAME": ""}, "WAYMARK_KAFKA_SASL_USERNAME"),
        ({"WAYMARK_KAFKA_CAFILE": "/none.pem"}, "WAYMARK_KAFKA_CAFILE is '/none.pem'"),
        ({"WAYMARK_KAFKA_BOOTSTRAP": ""}, "set WAYMARK_KAFKA_BOOTSTRAP too"),
        ({"WAYMARK_DATABASE_URL": "h:5432"}, "WAYMARK_DATABASE_URL must be like postgresql://"),
        ({"WAYMARK_ENVIRONMENT": "production"}, "WAYMARK_OIDC_ISSUER must be an https address"),
    ],
)
def test_what_a_stack_is_told_is_looked_at_before_it_starts(changed: dict[str, str], named: str) -> None:
    check_stack(STACK, "http://127.0.0.1")
    with pytest.raises(SettingsError, match=named):
        check_stack({**STACK, **changed}, "http://127.0.0.1")


def test_secrets_do_not_show(tmp_path: Path) -> None:
    read = settings(
        tmp_path,
        WAYMARK_S3_SECRET_KEY="hush",
        WAYMARK_KAFKA_SASL_PASSWORD="hush",
        WAYMARK_VOUCHERS_DATABASE_URL="postgresql://u:hush@h/d",
    )
    assert "hush" not in repr(read) + repr(read.kafka_security)


def test_development_makes_a_key_once(tmp_path: Path) -> None:
    read = settings(tmp_path)
    key = read.secret("voucher-code.key", size=32)
    assert len(key) == 32
    assert read.secret("voucher-code.key", size=32) == key
    path = tmp_path / "secrets" / "voucher-code.key"
    assert path.read_bytes() == DEVELOPMENT_MARK + key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["voucher-code.key"]


def test_the_first_of_two_makers_wins(tmp_path: Path) -> None:
    read = settings(tmp_path)
    assert read.store_secret("ledger-checkpoint.pem", b"first") == b"first"
    assert read.store_secret("ledger-checkpoint.pem", b"second") == b"first"
    assert read.secret("ledger-checkpoint.pem") == b"first"
    assert read.secret("other.pem") == b""


def test_production_refuses_missing_and_development_keys(tmp_path: Path) -> None:
    settings(tmp_path).secret("page-token.key", size=32)
    production = settings(tmp_path, WAYMARK_ENVIRONMENT="production")
    with pytest.raises(SettingsError, match=r"page-token\.key is a development key"):
        production.secret("page-token.key", size=32)
    with pytest.raises(SettingsError, match=r"voucher-code\.key is missing"):
        production.secret("voucher-code.key", size=32)
    with pytest.raises(SettingsError, match="makes no keys"):
        production.store_secret("voucher-code.key", b"x" * 32)
    (tmp_path / "secrets" / "voucher-code.key").write_bytes(b"k" * 32)
    assert production.secret("voucher-code.key", size=32) == b"k" * 32


def test_a_key_of_the_wrong_length_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "voucher-code.key").write_bytes(b"short")
    with pytest.raises(SettingsError, match="must have 32"):
        settings(tmp_path).secret("voucher-code.key", size=32)


def test_former_keys_lie_beside_the_present_one(tmp_path: Path) -> None:
    read, folder = settings(tmp_path), tmp_path / "secrets"
    read.secret("voucher-notes.key", size=32)
    assert read.former_secrets("voucher-notes.key", size=32) == []
    for name in (
        "voucher-notes.former-2",
        "voucher-notes.former-1",
        "voucher-code.former",
        "voucher-notes.old",
    ):
        (folder / f"{name}.key").write_bytes(name.encode()[-1:] * 32)
    assert read.former_secrets("voucher-notes.key", size=32) == [b"1" * 32, b"2" * 32]
    (folder / "voucher-notes.former.key").write_bytes(b"short")
    with pytest.raises(SettingsError, match=r"voucher-notes\.former\.key has 5 bytes"):
        read.former_secrets("voucher-notes.key", size=32)


@pytest.mark.parametrize(
    "environ",
    [
        {"WAYMARK_OIDC_ISSUER": "http://login.example"},
        {"WAYMARK_OIDC_ISSUER": ""},
        {"WAYMARK_OIDC_JWKS_URI": "http://login.example/keys"},
    ],
)
def test_production_refuses_issuers_over_plain_http(tmp_path: Path, environ: dict[str, str]) -> None:
    assert settings(tmp_path, **environ)
    with pytest.raises(SettingsError, match="https"):
        settings(tmp_path, WAYMARK_ENVIRONMENT="production", **environ)


def test_what_people_search_for_is_embedded_on_this_machine_or_over_https(tmp_path: Path) -> None:
    inside = "http://embeddings.inside:8200/v1"
    assert settings(tmp_path, WAYMARK_EMBEDDINGS_URL=inside + "/").embeddings_url == inside
    production = {"WAYMARK_ENVIRONMENT": "production", "WAYMARK_OIDC_ISSUER": "https://id.test"}
    for url in ("http://127.0.0.1:8200/v1", "http://[::1]:8200/v1", "https://embeddings.inside/v1", ""):
        assert settings(tmp_path, **production, WAYMARK_EMBEDDINGS_URL=url).embeddings_url == url
    with pytest.raises(SettingsError, match="WAYMARK_EMBEDDINGS_URL"):
        settings(tmp_path, **production, WAYMARK_EMBEDDINGS_URL=inside)


def test_an_instance_has_a_name_that_the_broker_takes(tmp_path: Path) -> None:
    assert settings(tmp_path).instance == ""
    assert settings(tmp_path, WAYMARK_INSTANCE="relay-0.pes_be").instance == "relay-0.pes_be"
    for name in ("relay 0", "..", "é", "a" * 201):
        with pytest.raises(SettingsError, match="WAYMARK_INSTANCE"):
            settings(tmp_path, WAYMARK_INSTANCE=name)


def test_calls_go_inside_in_development_alone(tmp_path: Path) -> None:
    assert settings(tmp_path).reach.inside == {"localhost", "127.0.0.1", "::1"}
    named = settings(tmp_path, WAYMARK_INSIDE_HOSTS="feeds.test, Other.test").reach
    assert (named.inside, named.schemes) == ({"feeds.test", "other.test"}, ("https", "http"))
    production = settings(tmp_path, WAYMARK_ENVIRONMENT="production").reach
    assert (production.inside, production.schemes) == (frozenset(), ("https",))
    for name in ("WAYMARK_KEY_SERVICE", "WAYMARK_FORMER_KEY_SERVICES"):
        told = {name: "http://vault.example/v1/transit/keys/x", "WAYMARK_ENVIRONMENT": "production"}
        with pytest.raises(SettingsError, match="WAYMARK_KEY_SERVICE must be an https"):
            settings(tmp_path, **told)
    with pytest.raises(SettingsError, match="WAYMARK_INSIDE_HOSTS"):
        settings(tmp_path, WAYMARK_ENVIRONMENT="production", WAYMARK_INSIDE_HOSTS="feeds.test")
