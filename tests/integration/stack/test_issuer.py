"""The development issuer over HTTP: what it grants, what it refuses, and how its keys change."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import typer
from joserfc import jwt
from joserfc.jwk import KeySet
from typer.testing import CliRunner

from services.cli import token as token_command
from services.cli.stack import issuer as issuer_module
from services.cli.stack.development_grant import DEVELOPMENT_GRANT
from services.cli.stack.issuer import IssuerServer
from services.cli.stack.issuer_keys import ALGORITHM, RETIRE_AFTER, SigningKeys


@pytest.fixture
def server(tmp_path: Path) -> Iterator[IssuerServer]:
    with IssuerServer(tmp_path, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(server: IssuerServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.issuer.address, trust_env=False) as client:
        yield client


def claims_of(token: str, client: httpx.Client) -> dict[str, object]:
    discovery = client.get("/.well-known/openid-configuration").json()
    keys = KeySet.import_key_set(client.get(discovery["jwks_uri"]).json())
    return jwt.decode(token, keys, algorithms=[ALGORITHM]).claims


def test_development_grant_names_role_subject_and_organisation(client: httpx.Client) -> None:
    subject = str(uuid.uuid4())
    form = {
        "grant_type": DEVELOPMENT_GRANT,
        "role": "provider auditor",
        "subject": subject,
        "org": "organisations/a1",
    }
    claims = claims_of(client.post("/token", data=form).json()["access_token"], client)
    assert claims["sub"] == subject
    assert claims["roles"] == ["provider", "auditor"]
    assert claims["org"] == "organisations/a1"
    assert claims["aud"] == "waymark"
    assert claims["iss"] == str(client.base_url).rstrip("/")
    assert claims["exp"] == int(str(claims["iat"])) + 3600
    assert uuid.UUID(str(claims["jti"]))


def test_a_name_becomes_a_stable_opaque_subject(client: httpx.Client) -> None:
    form = {"grant_type": DEVELOPMENT_GRANT, "role": "learner", "subject": "Anna"}
    first, second = (
        claims_of(client.post("/token", data=form).json()["access_token"], client) for _ in range(2)
    )
    assert first["sub"] == second["sub"]
    assert uuid.UUID(str(first["sub"]))
    assert first["jti"] != second["jti"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": DEVELOPMENT_GRANT, "role": "king"}, "invalid_request"),
        ({"grant_type": DEVELOPMENT_GRANT}, "invalid_request"),
        ({"grant_type": DEVELOPMENT_GRANT, "role": "provider", "org": "../x"}, "invalid_request"),
        ({"grant_type": DEVELOPMENT_GRANT, "role": "learner", "lifetime": "soon"}, "invalid_request"),
        ({"grant_type": DEVELOPMENT_GRANT, "role": "learner", "lifetime": "99999999"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        (
            {"grant_type": "client_credentials", "client_id": "back-office", "client_secret": "no"},
            "invalid_client",
        ),
        (
            {"grant_type": "client_credentials", "client_id": "stranger", "client_secret": ""},
            "invalid_client",
        ),
    ],
)
def test_refusals_are_oauth_errors(client: httpx.Client, form: dict[str, str], error: str) -> None:
    answer = client.post("/token", data=form)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]


def test_client_credentials_give_a_system_token(client: httpx.Client, server: IssuerServer) -> None:
    secret = server.issuer.clients["back-office"]["secret"]
    answer = client.post("/token", data={"grant_type": "client_credentials"}, auth=("back-office", secret))
    assert claims_of(answer.json()["access_token"], client)["roles"] == ["system"]


def test_published_keys_hold_no_private_part(client: httpx.Client) -> None:
    (key,) = client.get("/jwks.json").json()["keys"]
    assert key.keys() >= {"kty", "crv", "x", "y", "kid"}
    assert "d" not in key


def test_a_new_key_is_published_before_it_signs(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path / "keys")
    first = keys.signing().kid
    second = keys.rotate()
    assert {key["kid"] for key in keys.public()["keys"]} == {first, second}
    assert keys.signing().kid == first
    # The control: without the lead a verifier with a cached key set would meet an unknown key id.
    assert SigningKeys(tmp_path / "keys", publish_lead=0).signing().kid == second


def test_a_replaced_key_goes_once_its_tokens_have_run_out(tmp_path: Path) -> None:
    keys = SigningKeys(tmp_path, publish_lead=0)
    first, second = keys.signing().kid, keys.rotate()
    for path in tmp_path.glob("*.jwk.json"):
        past = path.stat().st_mtime - RETIRE_AFTER - 1
        os.utime(path, (past, past))
    third = keys.rotate()
    assert {key["kid"] for key in keys.public()["keys"]} == {second, third}
    assert first not in {second, third}


def test_keys_are_readable_by_their_owner_only_and_survive_a_restart(tmp_path: Path) -> None:
    kid = SigningKeys(tmp_path).signing().kid
    assert SigningKeys(tmp_path).signing().kid == kid
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_refuses_to_run_in_production(tmp_path: Path) -> None:
    environment = {**os.environ, "WAYMARK_ENVIRONMENT": "production"}
    command = [sys.executable, "-m", "services.cli.stack.issuer", "--home", str(tmp_path), "--port", "0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "production" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_process_serves_in_development_and_leaves_on_sigterm(tmp_path: Path) -> None:
    environment = {**os.environ, "WAYMARK_ENVIRONMENT": "development"}
    command = [sys.executable, "-m", "services.cli.stack.issuer", "--home", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip().rpartition(" ")[2]
        assert httpx.get(f"{address}/jwks.json", trust_env=False).status_code == 200
        process.terminate()
        assert process.wait(60) == 0


class TestTokenCommand:
    @pytest.fixture
    def app(self) -> typer.Typer:
        app = typer.Typer()
        token_command.register(app)
        return app

    def test_prints_a_token_of_the_running_stack(
        self, app: typer.Typer, server: IssuerServer, client: httpx.Client, tmp_path: Path
    ) -> None:
        done = CliRunner().invoke(app, ["learner", "--home", str(tmp_path)])
        assert done.exit_code == 0, done.output
        assert claims_of(done.output.strip(), client)["roles"] == ["learner"]

    def test_says_what_to_do_without_a_stack(self, app: typer.Typer, tmp_path: Path) -> None:
        done = CliRunner().invoke(app, ["learner"], env={"WAYMARK_HOME": str(tmp_path)})
        assert done.exit_code == 3
        assert "waymark up" in done.output

    def test_says_which_roles_there_are(self, app: typer.Typer, server: IssuerServer, tmp_path: Path) -> None:
        done = CliRunner().invoke(app, ["king", "--home", str(tmp_path)])
        assert done.exit_code == 2
        assert "learner" in done.output


def test_roles_are_those_of_the_contract() -> None:
    assert "programme_manager" in issuer_module.ROLES
    assert "unspecified" not in issuer_module.ROLES
