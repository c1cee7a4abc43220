"""Who calls: the access token of the `authorization` header, checked; no header means an anonymous caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.platform.identity.principals import Principal
from services.platform.rpc.call import Call

Verify = Callable[[str], Principal]


def identity(verify: Verify) -> Callable[[Call], None]:
    """Returns the check; `verify` makes a principal of a token or raises Refusal(UNAUTHENTICATED)."""

    def check(call: Call) -> None:
        header = call.authorization
        if header is None:
            return
        scheme, _separator, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(reason_pb2.REASON_UNAUTHENTICATED)
        call.principal = replace(verify(token), address=call.address)

    return check
