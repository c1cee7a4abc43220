"""Answers the edge whether a call that carries an API key may pass (Envoy's external authorization, v3).

A service says by `ServiceDefinition.admits` who may; this makes its refusals whole errors, as the caller's
protocol wants them. The edge routes nobody here: it is asked on the port of the service, inside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import grpc
import structlog
from google.rpc import code_pb2, status_pb2
from waymark.edge.v1 import admission_pb2, admission_pb2_grpc

from services.platform.edge.admission import KEY_HEADER
from services.platform.edge.errors import HTTP_STATUS, body_of, grpc_headers
from services.platform.errors import Refusal
from services.platform.rpc.status import answer_of, refusal_for
from services.platform.service import Admit

# Beside the workers: checks take microseconds, and must not wait behind the calls that they are about.
_CHECKS = ThreadPoolExecutor(2, thread_name_prefix="admission")
_PASSED = admission_pb2.CheckResponse(status=status_pb2.Status(code=code_pb2.OK))
_log = structlog.get_logger()


class Admission(admission_pb2_grpc.AuthorizationServicer):
    """Asks `admit` for each call."""

    def __init__(self, admit: Admit) -> None:
        self._admit = admit

    def Check(
        self, request: admission_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> admission_pb2.CheckResponse:
        """Says whether the call passes. What cannot be found out is UNAVAILABLE, which the edge passes on."""
        http = request.attributes.request.http
        try:
            self._admit(http.headers.get(KEY_HEADER, ""), http.path)
        except Refusal as refusal:
            return _denied(refusal, http.headers)
        except Exception as error:
            _log.warning("admission failed", exc_info=error)
            context.abort_with_status(answer_of(refusal_for(error)))
        return _PASSED

    Check.experimental_thread_pool = _CHECKS  # type: ignore[attr-defined]


def _denied(refusal: Refusal, headers: Mapping[str, str]) -> admission_pb2.CheckResponse:
    status = status_pb2.Status.FromString(answer_of(refusal).status)
    sent = grpc_headers(status)
    body, code = "", 200
    if "x-grpc-web" in headers:
        sent["content-type"] = "application/grpc-web+proto"
    elif not headers.get("content-type", "").startswith("application/grpc") or (
        "x-envoy-original-method" in headers
    ):
        sent = {"content-type": "application/json"}
        body, code = json.dumps(body_of(status)), HTTP_STATUS[status.code]
    if refusal.retry_after is not None:
        sent["retry-after"] = str(int(refusal.retry_after.total_seconds()))
    options = [
        admission_pb2.HeaderValueOption(header=admission_pb2.HeaderValue(key=key, value=value))
        for key, value in sent.items()
    ]
    reply = admission_pb2.DeniedHttpResponse(
        status=admission_pb2.HttpStatus(code=code), headers=options, body=body
    )
    return admission_pb2.CheckResponse(status=status_pb2.Status(code=status.code), denied_response=reply)
