"""The real services behind the real edge: one answer over three protocols, errors whole, files by ticket."""

from __future__ import annotations

import hashlib
import struct
import uuid
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from waymark.catalogue.v1 import (
    course_pb2,
    course_pb2_grpc,
    organisation_pb2,
    organisation_pb2_grpc,
)

from services.cli.stack.ports import free_port
from services.platform.service import SERVICES
from tests.support.edges import edge
from tests.support.refusals import reason_of
from tests.support.servers import token as foreign_token
from tests.support.world import World

MANAGER = "catalogue_manager"


def test_rest_errors_hold_reason_and_fields(whole: World) -> None:
    with whole.edge.client() as client:
        answer = client.post(
            "/v1/catalogueUploads",
            json={"sizeBytes": "0", "contentType": "text/html", "sha256": "no", "requestId": "no"},
            headers=whole.edge.bearer(MANAGER),
        )
    assert answer.status_code == 400
    by_type = {detail["@type"].rpartition(".")[2]: detail for detail in answer.json()["details"]}
    assert by_type["ErrorInfo"]["reason"] == "INVALID_ARGUMENT"
    assert by_type["ErrorInfo"]["domain"] == "waymark"
    violations = {one["field"]: one["description"] for one in by_type["BadRequest"]["fieldViolations"]}
    assert violations.keys() >= {"size_bytes", "content_type", "sha256", "request_id"}
    assert all(violations.values())


def test_one_list_over_three_protocols(whole: World) -> None:
    request = course_pb2.ListCoursesRequest(page_size=10)
    with grpc.insecure_channel(whole.edge.address) as channel:
        by_grpc = course_pb2_grpc.CourseServiceStub(channel).ListCourses(request, timeout=10)
    body = request.SerializeToString()
    with whole.edge.client() as client:
        web = client.post(
            "/waymark.catalogue.v1.CourseService/ListCourses",
            content=b"\0" + struct.pack(">I", len(body)) + body,
            headers={"content-type": "application/grpc-web+proto", "x-grpc-web": "1"},
        )
        rest = client.get("/v1/courses", params={"pageSize": 10})
    (length,) = struct.unpack(">I", web.content[1:5])
    assert course_pb2.ListCoursesResponse.FromString(web.content[5 : 5 + length]) == by_grpc
    assert rest.json() == {"courses": [], "nextPageToken": ""}


@pytest.mark.parametrize(
    ("role", "status", "reason"), [("", 401, "UNAUTHENTICATED"), ("learner", 403, "PERMISSION_DENIED")]
)
def test_who_may_not_is_told_so(whole: World, role: str, status: int, reason: str) -> None:
    headers = whole.edge.bearer(role) if role else {}
    with whole.edge.client() as client:
        answer = client.get("/v1/payoutBatches", headers=headers)
    assert answer.status_code == status
    assert answer.json()["details"][0]["reason"] == reason


def test_a_foreign_token_is_refused_at_the_edge_and_by_the_service_behind_it(whole: World) -> None:
    metadata = [("authorization", f"Bearer {foreign_token(MANAGER)}")]
    request = organisation_pb2.GetOrganisationRequest(name="organisations/nobody")
    for address in (whole.edge.address, whole.served["catalogue"].address):
        with grpc.insecure_channel(address) as channel:
            stub = organisation_pb2_grpc.OrganisationServiceStub(channel)
            with pytest.raises(grpc.RpcError) as raised:
                stub.GetOrganisation(request, metadata=metadata, timeout=10)
        assert reason_of(raised.value) == "UNAUTHENTICATED"


class TestUploads:
    CONTENT = b"title;price\nWelding;100\n"

    def ask(self, whole: World, client: httpx.Client, headers: dict[str, str]) -> dict[str, Any]:
        body = {
            "sizeBytes": str(len(self.CONTENT)),
            "contentType": "text/csv",
            "sha256": hashlib.sha256(self.CONTENT).hexdigest(),
            "requestId": str(uuid.uuid4()),
        }
        answer = client.post("/v1/catalogueUploads", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        asked: dict[str, Any] = answer.json()
        return asked

    def test_ticket_bytes_finalize(self, whole: World) -> None:
        with whole.edge.client() as client:
            headers = whole.edge.bearer(MANAGER)
            ticket = self.ask(whole, client, headers)
            assert ticket["uploadUrl"].startswith(whole.edge.url)
            put = client.put(ticket["uploadUrl"], content=self.CONTENT, headers=ticket["uploadHeaders"])
            assert put.status_code == 200, put.text
            done = client.post(f"/v1/{ticket['name']}:finalize", json={}, headers=headers)
        assert done.status_code == 200, done.text
        assert done.json()["state"] == "STATE_READY"

    def test_without_bytes_there_is_nothing_to_finalize(self, whole: World) -> None:
        with whole.edge.client() as client:
            headers = whole.edge.bearer(MANAGER)
            ticket = self.ask(whole, client, headers)
            answer = client.post(f"/v1/{ticket['name']}:finalize", json={}, headers=headers)
        assert answer.json()["details"][0]["reason"] == "UPLOAD_MISSING"

    def test_other_bytes_are_not_taken(self, whole: World) -> None:
        other = self.CONTENT[::-1]
        with whole.edge.client() as client:
            headers = whole.edge.bearer(MANAGER)
            ticket = self.ask(whole, client, headers)
            client.put(ticket["uploadUrl"], content=other, headers=ticket["uploadHeaders"])
            answer = client.post(f"/v1/{ticket['name']}:finalize", json={}, headers=headers)
        assert answer.json()["details"][0]["reason"] in ("UPLOAD_MISMATCH", "UPLOAD_MISSING")


def test_a_service_that_is_gone_is_unavailable_with_a_hint(whole: World, tmp_path: Path) -> None:
    nobody = dict.fromkeys(SERVICES, f"127.0.0.1:{free_port()}")
    with edge(tmp_path, whole.edge.issuer, nobody) as alone, alone.client() as client:
        answer = client.get("/v1/courses")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["details"][0]["reason"] == "UNAVAILABLE"
