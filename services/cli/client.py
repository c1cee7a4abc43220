"""Calls a running stack through its edge by gRPC and REST, with tokens; refusals become `Failure`."""

from __future__ import annotations

import hashlib
import json
import random
import time
import uuid
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import grpc
import httpx
from google.protobuf.json_format import ParseDict, ParseError
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from waymark.errors.v1 import reason_pb2

from services.cli.downloads import broke_off, draft_of
from services.cli.exits import ExitCode, Failure, FieldViolation
from services.cli.stack.paths import home_dir, option
from services.cli.stack.state import StackState, read_state
from services.cli.token import NoIssuer, request_token

DEADLINE = 30.0
UNREACHABLE = "The stack in {home} does not answer at {address}."
START = "Look with `waymark status {option}`; start it with `waymark up {option}`."
# A call lost on its way is sent again with the same request_id, which takes effect once.
RETRIES = json.dumps(
    {
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.2s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
)
Stub = TypeVar("Stub")
Answer = TypeVar("Answer")


class Client:
    """One running stack, found by the state file its supervisor keeps in `home`."""

    def __init__(self, home: Path | None) -> None:
        self.home = home_dir(home)
        self.state: StackState = read_state(self.home)
        target = self.state.edge.removeprefix("http://").removeprefix("https://")
        options = [("grpc.service_config", RETRIES), ("grpc.max_receive_message_length", 16 * 1024 * 1024)]
        self.channel = grpc.insecure_channel(target, options=options)
        self._http: dict[bool, httpx.Client] = {}
        self._tokens: dict[tuple[str, str, str], str] = {}

    def close(self) -> None:
        """Closes the connections."""
        self.channel.close()
        for http in self._http.values():
            http.close()

    def http(self, url: str = "") -> httpx.Client:
        """What calls `url`, which when empty or relative is the edge's. It loads certificates only where TLS
        needs them: that takes longer than most calls."""
        secure = (url if "://" in url else self.state.edge).startswith("https://")
        if secure not in self._http:
            # trust_env off: a proxy has no business with an address on this machine.
            self._http[secure] = httpx.Client(
                base_url=self.state.edge, timeout=DEADLINE, trust_env=False, verify=secure
            )
        return self._http[secure]

    def acting_as(self, role: str, subject: str = "", organisation: str = "") -> Caller:
        """A caller with a token of the development issuer; raises Failure when it does not answer.

        `role` is a role name such as `finance`, `subject` a UUID or a name that becomes a stable one,
        `organisation` an `organisations/{id}`.
        """
        key = (role, subject, organisation)
        if key not in self._tokens:
            try:
                answer = request_token(self.home, role, subject=subject, organisation=organisation)
            except NoIssuer as error:
                raise Failure(ExitCode.UNREACHABLE, str(error)) from error
            except ValueError as error:
                raise Failure(ExitCode.USAGE, str(error)) from error
            self._tokens[key] = answer["access_token"]
        return Caller(self, self._tokens[key])

    def anonymous(self, key: str = "") -> Caller:
        """A caller without a token; with an API key where one is given."""
        return Caller(self, "", key)


class Caller:
    """Makes calls in the name of one principal."""

    def __init__(self, client: Client, token: str, key: str = "") -> None:
        self.client = client
        self._token = token
        self._key = key

    def stub(self, stub: Callable[[grpc.Channel], Stub]) -> Stub:
        """The stub of a service over the edge, with token and deadline; its refusals raise Failure."""
        channel = grpc.intercept_channel(self.client.channel, _Calls(self))
        return stub(channel)

    def rest(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any
    ) -> dict[str, Any]:
        """One REST call, for example `rest("GET", "/v1/programmes", page_size=10)`; raises Failure."""
        decoded: dict[str, Any] = self._request(method, path, body, query).json()
        return decoded

    def rest_bytes(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any
    ) -> bytes:
        """One REST call whose answer is a file (google.api.HttpBody); raises Failure."""
        return self._request(method, path, body, query).content

    def rest_to_file(self, path: str, file: Path, **query: Any) -> int:
        """GETs a file that streams (google.api.HttpBody) into `file`, as it comes; returns its size in bytes.

        Raises Failure, and leaves no file behind that is not whole.
        """
        draft = draft_of(file)
        try:
            size = self.rest_added(path, draft, **query)
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
        return size

    def rest_added(
        self,
        path: str,
        file: Path,
        moved: Callable[[int], None] = lambda _: None,
        silent: float = DEADLINE,
        **query: Any,
    ) -> int:
        """GETs a file that streams and adds it to `file` as it comes, which is there from the first byte on;
        returns how many bytes came. `moved` is told of them; `silent`: seconds without any that are too many.
        Raises Failure."""
        timeout = httpx.Timeout(DEADLINE, read=silent)
        given = {name: value for name, value in query.items() if value not in ("", [])}
        with (
            self.reached(),
            self.client.http().stream(
                "GET", path, params=given, headers=self.headers(), timeout=timeout
            ) as answer,
        ):
            if answer.status_code >= 400:
                answer.read()
                raise failure_of_rest(answer)
            size = 0
            try:
                with file.open("ab") as target:
                    for part in answer.iter_bytes():
                        size += target.write(part)
                        moved(len(part))
            except httpx.TransportError as error:
                raise broke_off(size) from error
        return size

    def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, Any]
    ) -> httpx.Response:
        given = {name: value for name, value in query.items() if value not in ("", [])}

        def once() -> httpx.Response:
            with self.reached():
                http, headers = self.client.http(), self.headers()
                answer = http.request(method, path, json=body, params=given, headers=headers)
            if answer.status_code >= 400:
                raise failure_of_rest(answer)
            return answer

        return patiently(once)

    def upload(self, url: str, headers: Mapping[str, str], content: bytes | Iterable[bytes]) -> None:
        """PUTs `content` to the address of an upload ticket, with the ticket's headers; raises Failure."""
        with self.reached():
            answer = self.client.http(url).put(url, content=content, headers=dict(headers))
        if answer.status_code >= 400:
            raise Failure(ExitCode.REFUSED, f"The upload was refused with HTTP {answer.status_code}.")

    def download(self, url: str, begin: int = 0) -> bytes:
        """GETs a download address, from byte `begin` on; raises Failure."""
        with self.reached():
            answer = self.client.http(url).get(url, headers={"range": f"bytes={begin}-"} if begin else {})
        if answer.status_code >= 400:
            raise Failure(ExitCode.REFUSED, f"The download was refused with HTTP {answer.status_code}.")
        return answer.content if "content-range" in answer.headers else answer.content[begin:]

    @property
    def subject(self) -> str:
        """Subject of the token, unchecked: checking it is the services' business. Raises Failure."""
        try:
            return str(self._claims()["sub"])
        except (IndexError, KeyError, ValueError):
            raise Failure(
                ExitCode.USAGE, "The token does not say who you are.", remedy="Name the portfolio you mean."
            ) from None

    def own(self, **named: str) -> dict[str, str]:
        """Returns what a list is narrowed to, of `learner`, `organisation` and `employer` what it knows:
        as `named`, else to callers themselves where by their token they are a learner, a provider or an
        employer and nothing else, as they may see no others."""
        try:
            claims = self._claims()
        except (IndexError, ValueError):
            return named  # a token in a form of its issuer's own
        whole = str(claims.get("org", ""))
        own = {
            "learner": ("learner", f"learners/{claims.get('sub', '')}"),
            "organisation": ("provider", whole),
            "employer": ("employer", whole),
        }
        if any(named.values()):
            return named
        return {field: own[field][1] if claims.get("roles") == [own[field][0]] else "" for field in named}

    def _claims(self) -> dict[str, Any]:
        payload = self._token.split(".")[1]
        return dict(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))

    def headers(self) -> dict[str, str]:
        """The headers that carry the token and the API key."""
        given = {"authorization": self._token and f"Bearer {self._token}", "x-api-key": self._key}
        return {name: value for name, value in given.items() if value}

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Turns a broken HTTP connection into a Failure that names the stack, and one without an answer into
        another."""
        try:
            yield
        except httpx.TransportError as error:
            waited = isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout)
            raise late() if waited else unreachable(self.client) from error


class _Calls(
    grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamStreamClientInterceptor
):
    """Adds token and deadline to each call and raises Failure instead of RpcError."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def _details(self, details: grpc.ClientCallDetails) -> grpc.ClientCallDetails:
        metadata = (*(details.metadata or ()), *self._caller.headers().items())
        return _Details(details.method, details.timeout or DEADLINE, metadata)

    def intercept_unary_unary(self, proceed: Any, details: Any, request: Any) -> Any:
        def once() -> Any:
            call = proceed(self._details(details), request)
            error = call.exception()
            if error is not None:
                raise failure_of_grpc(error, self._caller.client) from error
            return call

        return patiently(once)

    def intercept_unary_stream(self, proceed: Any, details: Any, request: Any) -> Any:
        return self._answers(proceed(self._details(details), request))

    def intercept_stream_stream(self, proceed: Any, details: Any, requests: Any) -> Any:
        return self._answers(proceed(self._details(details), requests))

    def _answers(self, call: Any) -> Iterator[Any]:
        try:
            yield from call
        except grpc.RpcError as error:
            raise failure_of_grpc(error, self._caller.client) from error


class _Details(grpc.ClientCallDetails):
    def __init__(self, method: str, timeout: float, metadata: tuple[tuple[str, str | bytes], ...]) -> None:
        self.method = method
        self.timeout = timeout
        self.metadata = metadata
        self.credentials = None
        self.wait_for_ready = None
        self.compression = None


def patiently(call: Callable[[], Answer]) -> Answer:
    """Returns what `call` returns. While the service has more work than it can take, waits as it says and
    calls again, for about DEADLINE seconds: what is refused so has not begun. Raises the last Failure."""
    until = time.monotonic() + DEADLINE
    while True:
        try:
            return call()
        except Failure as failure:
            if failure.reason != "OVERLOADED" or not failure.retry_after or time.monotonic() > until:
                raise
            time.sleep(failure.retry_after * random.uniform(1, 2))  # noqa: S311 - not all at once


def request_id() -> str:
    """A new request id; send the same one when repeating a call."""
    return str(uuid.uuid4())


def sha256(content: bytes) -> str:
    """SHA-256 in hex, as upload tickets want it."""
    return hashlib.sha256(content).hexdigest()


def unreachable(client: Client) -> Failure:
    """The failure for a stack that does not answer."""
    text = UNREACHABLE.format(home=client.home, address=client.state.edge)
    return Failure(ExitCode.UNREACHABLE, text, remedy=START.format(option=option(client.home)))


def late() -> Failure:
    """The failure for a call that reached the stack and whose answer did not come in time."""
    return Failure(
        ExitCode.REFUSED,
        "The answer did not come in time.",
        remedy="What was asked may still take effect: look before you ask again.",
        reason="DEADLINE_EXCEEDED",
    )


def failure_of_grpc(error: Any, client: Client) -> Failure:
    """The Failure for a grpc.RpcError: reason, violations and remedy from its status details."""
    status = rpc_status.from_call(error)
    if status is not None and status.details:
        return failure_of_status(status)
    if error.code() == grpc.StatusCode.UNAVAILABLE:
        return unreachable(client)
    if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
        return late()
    status = status_pb2.Status(code=error.code().value[0], message=error.details() or error.code().name)
    return failure_of_status(status)


def failure_of_rest(answer: httpx.Response) -> Failure:
    """The Failure for an HTTP answer of 400 or more; its body is a google.rpc.Status in JSON."""
    try:
        status = ParseDict(answer.json(), status_pb2.Status(), ignore_unknown_fields=True)
    except (ValueError, ParseError):
        code = ExitCode.UNREACHABLE if answer.status_code in {502, 503, 504} else ExitCode.REFUSED
        return Failure(code, f"HTTP {answer.status_code}: {answer.text[:200]}")
    return failure_of_status(status)


def failure_of_status(status: status_pb2.Status) -> Failure:
    """The Failure for a google.rpc.Status; the remedy comes from the published catalogue of reasons."""
    reason, violations, metadata, retry_after = "", [], {}, 0.0
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = error_details_pb2.BadRequest()
            detail.Unpack(bad)
            violations += [FieldViolation(each.field, each.description) for each in bad.field_violations]
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            hint = error_details_pb2.RetryInfo()
            detail.Unpack(hint)
            retry_after = hint.retry_delay.ToTimedelta().total_seconds()
    trace_id = metadata.pop("trace_id", "")
    violations += [FieldViolation(key, value) for key, value in metadata.items()]
    not_found = status.code == grpc.StatusCode.NOT_FOUND.value[0]
    return Failure(
        ExitCode.NOT_FOUND if not_found else ExitCode.REFUSED,
        status.message,
        reason=reason,
        remedy=remedy_of(reason),
        violations=violations,
        trace_id=trace_id,
        retry_after=retry_after,
    )


def remedy_of(reason: str) -> str:
    """What a caller can do about a reason (name without `REASON_`); empty for an unknown one."""
    value = reason_pb2.Reason.DESCRIPTOR.values_by_name.get(f"REASON_{reason}")
    if value is None:
        return ""
    remedy: str = value.GetOptions().Extensions[reason_pb2.info].remedy
    return remedy
