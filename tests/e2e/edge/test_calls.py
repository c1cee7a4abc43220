"""One edge, three ways in: gRPC, gRPC-Web and REST, each with its errors complete."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from services.platform.edge import filters
from tests.support.edges import Edge, MakeEdge
from tests.support.probe import Probe

WEB = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}


def frame(message: Any) -> bytes:
    """One gRPC-Web data frame: flag, length, message."""
    body = message.SerializeToString()
    return b"\0" + struct.pack(">I", len(body)) + body


def frames(body: bytes) -> tuple[list[bytes], dict[str, str]]:
    """Messages and trailers of a gRPC-Web answer."""
    messages, trailers = [], {}
    while body:
        flag, (length,) = body[0], struct.unpack(">I", body[1:5])
        content, body = body[5 : 5 + length], body[5 + length :]
        if flag & 0x80:
            trailers = dict(line.split(":", 1) for line in content.decode().split("\r\n") if line)
        else:
            messages.append(content)
    return messages, trailers


def details_of(encoded: str) -> status_pb2.Status:
    return status_pb2.Status.FromString(base64.b64decode(encoded + "=" * (-len(encoded) % 4)))


def assert_refusal(status: status_pb2.Status | None) -> None:
    assert status is not None
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(bad)
    assert (info.reason, info.domain, info.metadata["state"]) == ("WRONG_STATE", "waymark", "HELD")
    assert bad.field_violations[0].field == "name"


class TestGrpc:
    def test_a_call_goes_through_with_its_token(self, running: Edge, probe: Probe) -> None:
        with grpc.insecure_channel(running.address) as channel:
            stub = probe.stubs.ProbeServiceStub(channel)
            request = probe.messages.GreetRequest(name="tellings/a", text="xyz")
            answer = stub.Tell(request, metadata=list(running.bearer().items()), timeout=7)
        assert answer.length == 3
        assert answer.metadata["authorization"].startswith("Bearer ")
        # Less than the ten seconds of a call without one; gRPC rounds what it passes on.
        assert 0 < float(answer.metadata["seconds-left"]) < 8

    def test_a_deadline_is_cut_to_the_longest_allowed(self, running: Edge, probe: Probe) -> None:
        with grpc.insecure_channel(running.address) as channel:
            stub = probe.stubs.ProbeServiceStub(channel)
            for timeout in (3000, None):
                answer = stub.Greet(probe.messages.GreetRequest(name="a"), timeout=timeout)
                assert 0 < float(answer.metadata["seconds-left"]) <= 60

    def test_a_stream_arrives_whole(self, running: Edge, probe: Probe) -> None:
        with grpc.insecure_channel(running.address) as channel:
            stub = probe.stubs.ProbeServiceStub(channel)
            request = probe.messages.GreetRequest(name="a", times=500)
            assert sum(1 for _ in stub.Follow(request, metadata=list(running.bearer().items()))) == 500

    def test_error_details_arrive(self, running: Edge, probe: Probe) -> None:
        with grpc.insecure_channel(running.address) as channel:
            stub = probe.stubs.ProbeServiceStub(channel)
            request = probe.messages.GreetRequest(name="tellings/refuse")
            with pytest.raises(grpc.RpcError) as raised:
                stub.Tell(request, metadata=list(running.bearer().items()))
        assert_refusal(rpc_status.from_call(raised.value))

    def test_without_a_token_the_refusal_is_a_whole_status(self, running: Edge, probe: Probe) -> None:
        with grpc.insecure_channel(running.address) as channel, pytest.raises(grpc.RpcError) as raised:
            probe.stubs.ProbeServiceStub(channel).Tell(probe.messages.GreetRequest(name="tellings/a"))
        assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
        status = rpc_status.from_call(raised.value)
        info = error_details_pb2.ErrorInfo()
        assert status.details[0].Unpack(info)
        assert info.reason == "UNAUTHENTICATED"


class TestGrpcWeb:
    PATH = "/waymark.probe.v1.ProbeService/"

    def test_a_call_and_its_trailers(self, running: Edge, probe: Probe) -> None:
        body = frame(probe.messages.GreetRequest(name="tellings/a", text="xyz"))
        with running.client() as client:
            answer = client.post(f"{self.PATH}Tell", content=body, headers={**WEB, **running.bearer()})
        messages, trailers = frames(answer.content)
        assert answer.headers["content-type"] == "application/grpc-web+proto"
        assert probe.messages.GreetResponse.FromString(messages[0]).length == 3
        assert trailers["grpc-status"] == "0"

    def test_error_details_arrive(self, running: Edge, probe: Probe) -> None:
        body = frame(probe.messages.GreetRequest(name="tellings/refuse"))
        with running.client() as client:
            answer = client.post(f"{self.PATH}Tell", content=body, headers={**WEB, **running.bearer()})
        said = dict(answer.headers) | frames(answer.content)[1]
        assert said["grpc-status"] == "9"
        assert_refusal(details_of(said["grpc-status-details-bin"]))

    def test_a_refusal_by_the_edge_is_readable_too(self, running: Edge, probe: Probe) -> None:
        with running.client() as client:
            answer = client.post(
                f"{self.PATH}Tell", content=frame(probe.messages.GreetRequest()), headers=WEB
            )
        assert answer.status_code == 200
        assert answer.headers["grpc-status"] == "16"
        assert details_of(answer.headers["grpc-status-details-bin"]).code == 16

    def test_streams(self, running: Edge, probe: Probe) -> None:
        body = frame(probe.messages.GreetRequest(name="a", times=7))
        with running.client() as client:
            answer = client.post(f"{self.PATH}Follow", content=body, headers={**WEB, **running.bearer()})
        assert len(frames(answer.content)[0]) == 7


class TestRest:
    def test_path_body_and_answer_are_mapped(self, running: Edge) -> None:
        with running.client() as client:
            answer = client.post("/v1/tellings/a:tell", json={"text": "xyz"}, headers=running.bearer())
        assert answer.status_code == 200
        assert answer.json()["name"] == "tellings/a"
        assert answer.json()["length"] == 3

    def test_a_plus_in_a_query_is_a_blank_as_browsers_write_it(self, running: Edge) -> None:
        with running.client() as client:
            said = client.get("/v1/greetings/x?text=a+b%20c%2Bd").json()["text"]
        assert said == "a b c+d"

    def test_zero_values_are_written_out(self, running: Edge) -> None:
        with running.client() as client:
            assert client.get("/v1/greetings/x").json()["length"] == 0

    def test_error_bodies_are_complete(self, running: Edge) -> None:
        with running.client() as client:
            answer = client.post("/v1/tellings/refuse:tell", json={}, headers=running.bearer())
        assert answer.status_code == 400
        info, bad = answer.json()["details"]
        assert info == {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "WRONG_STATE",
            "domain": "waymark",
            "metadata": {"state": "HELD"},
        }
        assert bad["fieldViolations"][0]["field"] == "name"

    def test_without_error_details_in_the_descriptor_set_bodies_come_out_empty(
        self, probe: Probe, make_edge: MakeEdge
    ) -> None:
        """The control: what the descriptor set of the contracts holds error_details for."""
        from google.protobuf.descriptor_pb2 import FileDescriptorSet

        from services.platform.edge.contract import Contract

        described = FileDescriptorSet.FromString(probe.descriptors)
        kept = [file for file in described.file if file.name != "google/rpc/error_details.proto"]
        lacking = make_edge(contract=Contract(FileDescriptorSet(file=kept).SerializeToString()))
        with lacking.client() as client:
            answer = client.post("/v1/tellings/refuse:tell", json={}, headers=lacking.bearer())
        assert "WRONG_STATE" not in answer.text

    @pytest.mark.parametrize(
        ("verb", "path", "content", "status", "reason"),
        [
            ("POST", "/v1/tellings/a:tell", b'{"text":', 400, "INVALID_ARGUMENT"),
            ("POST", "/v1/tellings/a:tell", b'{"times": "many"}', 400, "INVALID_ARGUMENT"),
            ("GET", "/v1/greetings/x?unknown=1", None, 400, "INVALID_ARGUMENT"),
            ("GET", "/v1/nothing/here", None, 404, "NOT_FOUND"),
            ("DELETE", "/v1/tellings/a", None, 404, "NOT_FOUND"),
            ("GET", "/elsewhere", None, 404, "NOT_FOUND"),
            ("GET", "/v1/greetings/a%2Fb", None, 400, "INVALID_ARGUMENT"),
        ],
    )
    def test_the_edge_refuses_in_the_same_form(
        self, running: Edge, verb: str, path: str, content: bytes | None, status: int, reason: str
    ) -> None:
        with running.client() as client:
            answer = client.request(verb, path, content=content, headers=running.bearer())
        assert answer.status_code == status
        assert answer.json()["details"][0]["reason"] == reason
        assert answer.json()["message"]

    def test_an_unknown_field_of_a_body_is_dropped_unseen(self, running: Edge) -> None:
        """A limit of the transcoder: the day this fails, docs/decisions/0031 has come to its end."""
        with running.client() as client:
            answer = client.post(
                "/v1/tellings/a:tell", json={"text": "xyz", "txet": "a"}, headers=running.bearer()
            )
        assert (answer.status_code, answer.json()["length"]) == (200, 3)

    def test_control_ignored_on_purpose_an_unknown_query_parameter_gets_in(
        self, make_edge: MakeEdge, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        transcoder = filters._transcoder

        def lenient(*given: Any) -> dict[str, Any]:
            made = transcoder(*given)
            del made["typed_config"]["request_validation_options"]
            made["typed_config"]["ignore_unknown_query_parameters"] = True
            return made

        monkeypatch.setattr(filters, "_transcoder", lenient)
        with make_edge().client() as client:
            assert client.get("/v1/greetings/x?unknown=1").status_code == 200

    def test_a_stream_is_a_json_document_a_line(self, running: Edge) -> None:
        with running.client() as client:
            answer = client.get("/v1/followings/a?times=3", headers=running.bearer())
        assert [json.loads(line)["name"] for line in answer.text.splitlines()] == ["a", "a", "a"]

    def test_the_openapi_document_is_served(self, running: Edge) -> None:
        with running.client() as client:
            answer = client.get("/openapi.json")
        assert answer.headers["content-type"] == "application/json"
        assert "/v1/tellings/{tellingsId}:tell" in answer.json()["paths"]


ASK = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}


class TestBrowsers:
    def test_a_preflight_from_a_known_origin_is_answered(self, running: Edge) -> None:
        with running.client() as client:
            headers = {**ASK, "origin": "http://localhost:5173"}
            answer = client.options("/v1/tellings/a:tell", headers=headers)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
        assert "authorization" in answer.headers["access-control-allow-headers"]

    def test_a_stranger_gets_no_leave(self, running: Edge) -> None:
        with running.client() as client:
            headers = {**ASK, "origin": "https://stranger.example"}
            preflight = client.options("/v1/tellings/a:tell", headers=headers)
            call = client.get("/v1/greetings/x", headers={"origin": "https://stranger.example"})
        assert "access-control-allow-origin" not in preflight.headers
        assert "access-control-allow-origin" not in call.headers

    @pytest.mark.parametrize("path", ["/v1/greetings/x", "/v1/nothing"])
    def test_answers_name_the_origin_and_expose_error_details(self, running: Edge, path: str) -> None:
        with running.client() as client:
            answer = client.get(path, headers={"origin": "http://localhost:5173"})
        assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
        assert "grpc-status-details-bin" in answer.headers["access-control-expose-headers"]
