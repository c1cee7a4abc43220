"""What keeps the edge upright: tokens, rates, sizes, and what its log and headers do not tell."""

from __future__ import annotations

import socket
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2
from joserfc import jwt
from joserfc.jwk import ECKey

from services.cli.stack.issuer_keys import ALGORITHM
from services.platform.edge import filters
from services.platform.edge.contract import Contract
from services.platform.edge.limits import Limits
from tests.support import http2
from tests.support.edges import Edge, MakeEdge, edge, issuing
from tests.support.probe import Probe
from tests.support.refusals import detail_of, reason_of

TELL = "/v1/tellings/a:tell"


@pytest.fixture(scope="module")
def limited(make_edge: MakeEdge) -> Edge:
    return make_edge(limits=Limits(principal_per_second=1, principal_burst=5))


@pytest.fixture(scope="module")
def small(make_edge: MakeEdge) -> Edge:
    return make_edge(limits=Limits(body_bytes=10_000, request_headers=1))


def tell(edge: Edge, token: str) -> httpx.Response:
    with edge.client() as client:
        return client.post(TELL, json={}, headers={"authorization": f"Bearer {token}"})


def claims(edge: Edge, **changed: Any) -> dict[str, Any]:
    issuer, now = edge.issuer.issuer, int(time.time())
    body = {
        "iss": issuer.address,
        "aud": issuer.audience,
        "sub": str(uuid.uuid4()),
        "exp": now + 60,
        **changed,
    }
    return {key: value for key, value in body.items() if value is not None}


def signed(edge: Edge, key: Any = None, alg: str = ALGORITHM, **changed: Any) -> str:
    key = key or edge.issuer.issuer.keys.signing()
    return jwt.encode({"alg": alg, "kid": key.kid}, claims(edge, **changed), key, algorithms=[alg])


class TestTokens:
    def test_control_a_token_made_here_is_taken(self, running: Edge) -> None:
        assert tell(running, signed(running)).status_code == 200

    @pytest.mark.parametrize(
        "changed",
        [
            {"exp": int(time.time()) - 60},
            {"exp": None},
            {"nbf": int(time.time()) + 3600},
            {"iss": "https://stranger.example"},
            {"aud": "another-service"},
            {"aud": None},
        ],
        ids=["expired", "endless", "not yet", "foreign issuer", "foreign audience", "no audience"],
    )
    def test_wrong_claims_are_refused(self, running: Edge, changed: dict[str, Any]) -> None:
        answer = tell(running, signed(running, **changed))
        assert answer.status_code in (401, 403)
        assert answer.json()["details"][0]["reason"] in ("UNAUTHENTICATED", "PERMISSION_DENIED")

    def test_a_token_of_another_issuer_is_refused(self, running: Edge, tmp_path: Path) -> None:
        with issuing(tmp_path) as stranger:
            key = stranger.issuer.keys.signing()
        assert tell(running, signed(running, key=key)).status_code == 401

    def test_a_key_id_that_is_ours_does_not_help_a_foreign_key(self, running: Edge) -> None:
        kid = running.issuer.issuer.keys.signing().kid
        foreign = ECKey.generate_key("P-256", {"kid": kid})
        assert tell(running, signed(running, key=foreign)).status_code == 401

    def test_unsigned_tokens_are_refused(self, running: Edge) -> None:
        head, body, _ = signed(running).split(".")
        assert tell(running, f"{head}.{body}.").status_code == 401

    def test_public_calls_need_none_but_a_bad_one_is_refused(self, running: Edge) -> None:
        with running.client() as client:
            assert client.get("/v1/greetings/x").status_code == 200
            assert client.get("/v1/greetings/x", headers=running.bearer()).status_code == 200
            bad = {"authorization": f"Bearer {signed(running, exp=1)}"}
            assert client.get("/v1/greetings/x", headers=bad).status_code == 401

    def test_a_token_in_the_query_is_none(self, running: Edge) -> None:
        with running.client() as client:
            assert client.get(f"/v1/followings/a?access_token={signed(running)}").status_code in (400, 401)

    def test_a_token_of_a_rotated_key_is_taken(self, running: Edge) -> None:
        before = signed(running)
        running.issuer.issuer.keys.rotate()
        assert tell(running, before).status_code == 200
        assert tell(running, running.token()).status_code == 200


class TestRates:
    def statuses(self, edge: Edge, count: int, **names: str) -> list[int]:
        headers = edge.bearer(**names)
        with edge.client() as client:
            return [client.post(TELL, json={}, headers=headers).status_code for _ in range(count)]

    def first_refusal(self, edge: Edge, path: str = TELL, **names: str) -> httpx.Response:
        """Calls until it is refused: on a slow machine the bucket is refilled meanwhile."""
        headers = edge.bearer(**names) if names else {}
        with edge.client() as client:
            calls = (client.request("POST" if names else "GET", path, headers=headers) for _ in range(200))
            return next(answer for answer in calls if answer.status_code != 200)

    def test_a_principal_above_the_rate_is_told_when_to_come_back(self, limited: Edge) -> None:
        answer = self.first_refusal(limited, subject="hurried")
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        info, retry, told = answer.json()["details"]
        assert info["reason"] == "OVERLOADED"
        assert retry["retryDelay"] == "1s"
        assert "send the same request again" in told["message"]

    def test_over_grpc_the_hint_is_retry_info(self, limited: Edge, probe: Probe) -> None:
        metadata = list(limited.bearer(subject="hurried by grpc").items())
        with grpc.insecure_channel(limited.address) as channel:
            stub = probe.stubs.ProbeServiceStub(channel)
            request = probe.messages.GreetRequest(name="tellings/a")
            with pytest.raises(grpc.RpcError) as raised:
                [stub.Tell(request, metadata=metadata) for _ in range(200)]
        assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert detail_of(raised.value, error_details_pb2.RetryInfo).retry_delay.seconds == 1
        assert "again" in detail_of(raised.value, error_details_pb2.LocalizedMessage).message

    def test_one_principal_does_not_spend_the_budget_of_another(self, limited: Edge) -> None:
        assert self.first_refusal(limited, subject="greedy").status_code == 429
        assert set(self.statuses(limited, 3, subject="modest")) == {200}

    def test_an_address_has_a_budget_too(self, make_edge: MakeEdge) -> None:
        edge = make_edge(limits=Limits(address_per_second=1, address_burst=8))
        assert self.first_refusal(edge, "/v1/greetings/x").status_code == 429
        neighbour = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(base_url=edge.url, transport=neighbour) as client:
            assert client.get("/v1/greetings/x").status_code == 200

    def test_control_without_limits_everything_passes(self, make_edge: MakeEdge) -> None:
        limits = Limits(
            principal_per_second=1, principal_burst=5, address_per_second=1, address_burst=8, rates=False
        )
        assert set(self.statuses(make_edge(limits=limits), 30)) == {200}


class TestSizes:
    def test_a_body_above_the_limit_is_refused(self, small: Edge) -> None:
        with small.client() as client:
            answer = client.post(TELL, json={"text": "x" * 20_000}, headers=small.bearer())
        assert answer.status_code == 413
        assert answer.json()["details"][0]["reason"] == "REQUEST_TOO_LARGE"

    def test_so_is_one_that_does_not_say_its_length(self, small: Edge) -> None:
        parts = [b'{"text": "', *[b"x" * 1000] * 20, b'"}']
        with small.client() as client:
            assert client.post(TELL, content=iter(parts), headers=small.bearer()).status_code == 413

    def test_and_one_that_comes_by_grpc(self, small: Edge, probe: Probe) -> None:
        with grpc.insecure_channel(small.address) as channel:
            stub = probe.stubs.ProbeServiceStub(channel)
            with pytest.raises(grpc.RpcError) as raised:
                stub.Greet(probe.messages.GreetRequest(text="x" * 20_000))
        assert reason_of(raised.value) == "REQUEST_TOO_LARGE"

    def test_control_with_a_wider_limit_it_passes(self, running: Edge) -> None:
        with running.client() as client:
            answer = client.post(TELL, json={"text": "x" * 20_000}, headers=running.bearer())
        assert answer.json()["length"] == 20_000

    @pytest.mark.parametrize(
        "headers",
        [{"x-long": "x" * 60_000}, {f"x-{number}": "1" for number in range(200)}],
        ids=["long", "many"],
    )
    def test_headers_are_bounded(self, running: Edge, headers: dict[str, str]) -> None:
        with running.client() as client:
            assert client.get("/v1/greetings/x", headers=headers).status_code == 431

    def test_a_request_that_is_never_finished_is_dropped(self, small: Edge) -> None:
        host, _, port = small.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(b"GET /v1/greetings/x HTTP/1.1\r\nhost: x\r\n")
            assert b"408" in connection.recv(4096)


def opened(edge: Edge, stack: ExitStack) -> socket.socket:
    host, _, port = edge.address.partition(":")
    return stack.enter_context(socket.create_connection((host, int(port)), timeout=30))


class TestConnections:
    """Those of nobody in particular: no token has been seen yet."""

    @pytest.mark.parametrize(("most", "taken"), [(2, False), (3, True)])
    def test_there_are_only_so_many_and_control(self, make_edge: MakeEdge, most: int, taken: bool) -> None:
        edge = make_edge(limits=Limits(connections=most))
        time.sleep(1.5)  # until those that asked whether it is up have gone
        with ExitStack() as stack:
            for _ in range(2):
                one = opened(edge, stack)
                one.sendall(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
                assert b"200" in one.recv(4096)
            another = opened(edge, stack)
            try:
                another.sendall(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
                answer = another.recv(4096)
            except ConnectionError:
                answer = b""
        assert bool(answer) is taken

    @pytest.mark.parametrize(("most", "taken"), [(2, False), (3, True)])
    def test_one_carries_only_so_many_calls_at_once_and_control(
        self, make_edge: MakeEdge, most: int, taken: bool
    ) -> None:
        """Of a peer that opens a third one whatever it was told."""
        edge = make_edge(limits=Limits(streams=most))
        with http2.speaking(edge.address, seconds=2 if taken else 30) as peer:
            calls = (http2.request(stream, "/probe.v1.ProbeService/Greet") for stream in (1, 3, 5))
            peer.sendall(b"".join(calls))
            assert http2.refused(peer) == (0 if taken else 5)

    @pytest.mark.parametrize(("idle", "dropped"), [(1, True), (30, False)])
    def test_a_body_that_never_comes_is_not_waited_for_and_control(
        self, make_edge: MakeEdge, idle: int, dropped: bool
    ) -> None:
        edge = make_edge(limits=Limits(idle=idle))
        head = f"POST {TELL} HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\ncontent-type: application/json\r\n"
        with ExitStack() as stack:
            one = opened(edge, stack)
            one.settimeout(30 if dropped else 3)
            one.sendall(f"{head}authorization: Bearer {edge.token()}\r\n\r\n".encode())
            try:
                answer = one.recv(4096)
            except TimeoutError:
                answer = b"none yet"
        assert (answer != b"none yet") is dropped
        assert b"408" in answer or not dropped


class TestWhatIsNotTold:
    def test_answers_name_no_software(self, running: Edge) -> None:
        with running.client() as client:
            for path in ("/v1/greetings/x", "/v1/nothing", "/livez", "/openapi.json"):
                headers = client.get(path).headers
                assert not {"server", "x-powered-by", "x-envoy-upstream-service-time"} & headers.keys()

    def test_the_log_holds_neither_names_nor_tokens_nor_addresses(self, running: Edge) -> None:
        token = running.token(subject="anna-canary")
        subject = jwt.decode(token, running.issuer.issuer.keys.signing(), algorithms=[ALGORITHM]).claims[
            "sub"
        ]
        with running.client() as client:
            client.post(
                "/v1/tellings/anna-canary:tell", json={}, headers={"authorization": f"Bearer {token}"}
            )
            client.get("/v1/anna-canary?name=anna-canary", headers={"x-forwarded-for": "198.51.100.7"})
            marked = client.get("/v1/greetings/anna-canary").headers["x-request-id"]
        entry = running.wait_for_log(lambda entry: entry.get("request_id") == marked)
        assert entry["route"] == "probe.v1.ProbeService/Greet"
        written = running.log.read_text()
        for secret in ("anna-canary", token, str(subject), "198.51.100.7"):
            assert secret not in written

    def test_the_log_tells_the_outcome_of_each_protocol(self, running: Edge, probe: Probe) -> None:
        bearer = running.bearer()
        with running.client() as client:
            rest = client.post("/v1/tellings/refuse:tell", json={}, headers=bearer).headers["x-request-id"]
        with grpc.insecure_channel(running.address) as channel:
            stub = probe.stubs.ProbeServiceStub(channel)
            for name in ("tellings/a", "tellings/refuse"):
                call = stub.Tell.future(probe.messages.GreetRequest(name=name), metadata=list(bearer.items()))
                call.exception()
        refused = running.wait_for_log(lambda entry: entry.get("request_id") == rest)
        assert refused["status"] == 400
        calls = [
            running.wait_for_log(lambda entry, code=code: entry.get("grpc_status") == code) for code in "09"
        ]
        assert {entry["status"] for entry in calls} == {200}

    def test_services_see_no_forged_caller(self, running: Edge) -> None:
        forged = {
            "x-envoy-external-address": "198.51.100.7",
            "x-forwarded-for": "198.51.100.7",
            "cookie": "a=b",
        }
        with running.client() as client:
            seen = client.get("/v1/greetings/x", headers=forged).json()["metadata"]
        assert "198.51.100.7" not in str(seen)
        assert "cookie" not in seen


def test_a_name_that_some_servers_take_for_another_is_refused(running: Edge) -> None:
    """`x_forwarded_for` is `x-forwarded-for` where names become variables."""
    with running.client() as client:
        assert client.get("/v1/greetings/x", headers={"x-fine": "1"}).status_code == 200
        assert client.get("/v1/greetings/x", headers={"x_forwarded_for": "1"}).status_code == 400


def test_a_path_has_one_form(running: Edge) -> None:
    with running.client() as client:
        for path in ("/v1//greetings/x", "/v1/./greetings/x", "/v1/anything/../greetings/x"):
            assert (
                client.send(client.build_request("GET", f"http://{running.address}{path}")).status_code == 200
            )


STRANGE = {"odd|name": "1", "x-bytes-bin": "not base64", "x-words": "grüße".encode("latin-1")}


def strange_call(edge: Edge) -> httpx.Response:
    with edge.client() as client:
        return client.get("/v1/greetings/x", headers=STRANGE)  # type: ignore[arg-type]


def test_strange_headers_do_not_reach_a_service(running: Edge) -> None:
    answer = strange_call(running)
    assert answer.status_code == 200
    assert not STRANGE.keys() & answer.json()["metadata"].keys()


def test_control_they_would_end_in_an_internal_error(
    make_edge: MakeEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "lua", lambda name: "function envoy_on_request(handle) end")
    assert strange_call(make_edge()).status_code >= 500


def test_the_identity_provider_may_be_away(probe: Probe, probe_address: str, tmp_path: Path) -> None:
    """Keys once fetched stay in use; only new ones must wait until it is back."""
    with ExitStack() as stack:
        with issuing(tmp_path) as issuer:
            options = {"contract": Contract(probe.descriptors)}
            running = stack.enter_context(
                edge(tmp_path / "edge", issuer, {"probe": probe_address}, **options)
            )
            assert tell(running, running.token()).status_code == 200
        assert tell(running, running.token()).status_code == 200
