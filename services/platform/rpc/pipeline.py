"""Puts the interceptors around each servicer method, once at start-up and not once per call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import grpc

from services.platform.rpc.body import parsed
from services.platform.rpc.breaking import serializer, visibly
from services.platform.rpc.call import Call
from services.platform.rpc.exchange import received
from services.platform.rpc.interceptors.deadline import deadline
from services.platform.rpc.interceptors.errors import Errors
from services.platform.rpc.interceptors.identity import Verify, identity
from services.platform.rpc.interceptors.log import Log
from services.platform.rpc.interceptors.policy import policy
from services.platform.rpc.interceptors.trace import Trace
from services.platform.rpc.interceptors.validation import validation
from services.platform.rpc.method import ContractError, Method
from services.platform.rpc.pool import Gathered
from services.platform.rpc.streams import Places, Streams

Parse = Callable[[bytes], Any]
Check = Callable[[Call], None]


def checks(verify: Verify) -> Sequence[Check]:
    """Returns what every caller must pass, in order; its requests must pass `validation` besides."""
    return (deadline, identity(verify), policy)


def intercept(
    method: Method,
    handler: grpc.RpcMethodHandler[Any, Any],
    before: Sequence[Check],
    gathered: Gathered | None = None,
    streams: Streams | None = None,
) -> grpc.RpcMethodHandler[Any, Any]:
    """Returns `handler` inside the interceptors; raises ContractError for what must not be served.

    `gathered` runs the methods that it takes; without it each call gets a thread. `streams` are the places
    for streams.
    """
    if handler.request_streaming and not handler.response_streaming:
        raise ContractError(
            f"{method.path} streams requests, so it must answer by a stream: what is kept so far."
        )
    both: Any = handler.stream_stream
    behaviour: Any = both or (handler.unary_stream if method.server_streaming else handler.unary_unary)
    if not getattr(behaviour, "asks_relationships", False):
        raise ContractError(
            f"{method.path} is not implemented with @mutation, @query, @query_stream, @watch or @exchange."
        )
    parse = cast("Parse", handler.request_deserializer)
    serialize = cast("Callable[[Any], bytes]", handler.response_serializer)
    streams = streams or Streams()
    if both:
        exchange = _exchange(method, behaviour, before, parse, streams)
        return grpc.stream_stream_rpc_method_handler(exchange, None, serializer(serialize))
    if method.server_streaming:
        stream = _stream(method, behaviour, before, parse, streams)
        if behaviour.watches:
            stream.experimental_thread_pool = streams.watchers
        return grpc.unary_stream_rpc_method_handler(stream, None, serializer(serialize))
    unary = _unary(method, behaviour, before, parse)
    if gathered and gathered.takes(behaviour):
        unary.experimental_thread_pool = gathered
    return grpc.unary_unary_rpc_method_handler(unary, None, serialize)


def _unary(method: Method, behaviour: Any, before: Sequence[Check], parse: Parse) -> Any:
    def serve(body: bytes, context: grpc.ServicerContext) -> Any:
        call = Call(method, context)
        with Trace(call), Log(call), Errors(call):
            request = parsed(parse, body)
            for check in before:
                check(call)
            validation(request, body)
            return behaviour(request, call)

    return serve


def _stream(method: Method, behaviour: Any, before: Sequence[Check], parse: Parse, streams: Streams) -> Any:
    places: Places = streams.watching if behaviour.watches else streams.moving

    def serve(body: bytes, context: grpc.ServicerContext) -> Iterator[Any]:
        call = Call(method, context, streams.ending)
        with Trace(call), Log(call), Errors(call):
            request = parsed(parse, body)
            for check in before:
                check(call)
            validation(request, body)
            with places.place(call) as held:
                yield from visibly(call, held.sending(behaviour(request, call)))

    return serve


def _exchange(method: Method, behaviour: Any, before: Sequence[Check], parse: Parse, streams: Streams) -> Any:
    def serve(bodies: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[Any]:
        call = Call(method, context)
        with Trace(call), Log(call), Errors(call):
            for check in before:
                check(call)
            with streams.moving.place(call) as held:
                came = received(parse, held.receiving(bodies))
                yield from visibly(call, held.sending(behaviour(came, call)))

    return serve
