"""Calls with an API key: the edge asks the catalogue; what is refused is a whole error in each protocol."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from waymark.catalogue.v1 import api_product_pb2, api_product_pb2_grpc
from waymark.edge.v1.admission_pb2_grpc import add_AuthorizationServicer_to_server

from services.platform.edge import admission
from services.platform.edge.limits import Limits
from services.platform.rpc.admission import Admission
from tests.support.api_access import METHOD, Seller, Sold
from tests.support.edges import Edge, edge
from tests.support.world import World

PRODUCTS = "/v1/apiProducts"


@pytest.fixture(scope="module")
def seller(whole: World) -> Iterator[Seller]:
    with grpc.insecure_channel(whole.edge.address) as channel:

        def stub(make: Any, role: str, org: str) -> Any:
            bearer = [("authorization", f"Bearer {whole.edge.token(role, org=org)}")]
            made = make(channel)
            return _Sending(made, bearer)

        yield Seller(stub)


class _Sending:
    """A stub whose calls carry metadata."""

    def __init__(self, stub: Any, metadata: Any) -> None:
        self._stub, self._metadata = stub, metadata

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._stub, name)
        return lambda request: call(request, metadata=self._metadata, timeout=20)


def sold(seller: Seller, **quotas: Any) -> Sold:
    name = f"p-{uuid4()}"
    return seller.sell(seller.organisation(name), name, **quotas)


def rest(edge: Edge, key: str, path: str = PRODUCTS) -> httpx.Response:
    with edge.client() as client:
        return client.get(path, headers={"x-api-key": key} if key else {})


def by_grpc(edge: Edge, key: str) -> grpc.RpcError | None:
    request = api_product_pb2.ListApiProductsRequest()
    with grpc.insecure_channel(edge.address) as channel:
        try:
            api_product_pb2_grpc.ApiProductServiceStub(channel).ListApiProducts(
                request, metadata=[("x-api-key", key)], timeout=20
            )
        except grpc.RpcError as error:
            return error
    return None


def by_web(edge: Edge, key: str) -> httpx.Response:
    headers = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1", "x-api-key": key}
    with edge.client() as client:
        return client.post(
            f"/waymark.{METHOD}/ListApiProducts", content=b"\0" + struct.pack(">I", 0), headers=headers
        )


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["details"][0]["reason"])


def test_over_the_quota_each_protocol_is_told_which_and_how_long(whole: World, seller: Seller) -> None:
    bought = sold(seller, per_day=3, per_month=1000)
    key = bought.key.secret
    assert rest(whole.edge, key).status_code == 200
    assert by_grpc(whole.edge, key) is None
    assert by_web(whole.edge, key).headers.get("grpc-status", "0") == "0"

    refused = rest(whole.edge, key)
    assert refused.status_code == 429
    info, retry, _ = refused.json()["details"]
    assert info["reason"] == "API_QUOTA_EXCEEDED"
    assert info["metadata"] == {"quota": "per_day", "limit": "3", "api_grant": bought.grant}
    seconds = int(refused.headers["retry-after"])
    assert retry["retryDelay"] == f"{seconds}s"
    assert 0 < seconds <= 24 * 60 * 60

    error = by_grpc(whole.edge, key)
    assert error is not None
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None
    hint, told = error_details_pb2.RetryInfo(), error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(told)
    assert (told.reason, told.metadata["quota"]) == ("API_QUOTA_EXCEEDED", "per_day")
    assert status.details[1].Unpack(hint)
    assert 0 < hint.retry_delay.seconds <= 24 * 60 * 60

    web = by_web(whole.edge, key)
    assert (web.status_code, web.headers["grpc-status"]) == (200, "8")
    assert web.headers["content-type"].startswith("application/grpc-web")


def test_control_with_quotas_off_everything_passes(
    whole: World, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole.served["catalogue"].app.meter, "_limited", False)
    key = sold(seller, per_day=1).key.secret
    assert [rest(whole.edge, key).status_code for _ in range(3)] == [200] * 3


def test_a_key_that_is_none_or_does_not_cover_the_call_is_refused_and_none_is_needed(
    whole: World, seller: Seller
) -> None:
    key = sold(seller).key.secret
    assert rest(whole.edge, "").status_code == 200
    wrong = rest(whole.edge, "wmk_nobody")
    assert (wrong.status_code, reason(wrong)) == (401, "API_KEY_INVALID")
    error = by_grpc(whole.edge, "wmk_nobody")
    assert error is not None
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    other = rest(whole.edge, key, "/v1/courses")
    assert (other.status_code, reason(other)) == (403, "API_KEY_NOT_FOR_CALL")
    # It comes on top of a token and in place of none.
    protected = rest(whole.edge, key, "/v1/apiGrants")
    assert (protected.status_code, reason(protected)) == (401, "UNAUTHENTICATED")


@pytest.fixture(scope="module")
def for_keys_only(whole: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    limits = Limits(rates=False, keyed=(METHOD,))
    addresses = {name: served.address for name, served in whole.served.items()}
    folder = tmp_path_factory.mktemp("keyed")
    # The portfolio does not answer what the edge asks: stands for a service that is away.
    with edge(folder, whole.edge.issuer, addresses, limits=limits, admitting="portfolio") as running:
        yield running


def test_who_cannot_be_asked_lets_nobody_pass_who_needs_a_key(for_keys_only: Edge) -> None:
    away = rest(for_keys_only, "")
    assert (away.status_code, reason(away)) == (503, "UNAVAILABLE")
    assert rest(for_keys_only, "", "/v1/courses").status_code == 200


@pytest.fixture
def undecided() -> Iterator[tuple[str, threading.Event]]:
    """The address of one who is asked about keys, and the event for which it waits before it lets pass."""
    said = threading.Event()
    server = grpc.server(ThreadPoolExecutor(1))
    add_AuthorizationServicer_to_server(Admission(lambda *_: said.wait(60)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", said
    said.set()
    server.stop(None).wait()


@pytest.mark.parametrize("limit", ["0.5s", "60s"], ids=["limit", "control"])
def test_who_is_asked_and_says_nothing_holds_a_call_up_no_longer_than_the_limit(
    whole: World, undecided: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str
) -> None:
    address, said = undecided
    addresses = {name: served.address for name, served in whole.served.items()} | {"asked": address}
    monkeypatch.setattr(admission, "TIMEOUT", limit)
    with (
        edge(tmp_path, whole.edge.issuer, addresses, admitting="asked") as running,
        ThreadPoolExecutor(1) as pool,
    ):
        called = pool.submit(rest, running, "wmk_any", "/v1/courses")
        answered, _ = wait([called], 20 if limit == "0.5s" else 3)
        assert rest(running, "", "/v1/courses").status_code == 200  # who has no key does not wait
        said.set()
    assert bool(answered) is (limit == "0.5s")
    assert called.result().status_code == (503 if answered else 200)


def test_what_is_for_keys_only_needs_one(whole: World, seller: Seller, tmp_path: Path) -> None:
    addresses = {name: served.address for name, served in whole.served.items()}
    limits = Limits(rates=False, keyed=(METHOD,))
    with edge(tmp_path, whole.edge.issuer, addresses, limits=limits, admitting="catalogue") as running:
        without = rest(running, "")
        assert (without.status_code, reason(without)) == (401, "API_KEY_INVALID")
        assert rest(running, sold(seller).key.secret).status_code == 200
        assert rest(running, "", "/v1/courses").status_code == 200
