"""May this caller call this RPC at all? Default: no. Relationships are left to the handler's transaction."""

from __future__ import annotations

from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.platform.rpc.call import Call


def policy(call: Call) -> None:
    """Lets the call pass by role, or notes the relationships of which one must hold.

    Raises Refusal: UNAUTHENTICATED without a token, PERMISSION_DENIED when no role of the caller is named.
    """
    method, principal = call.method, call.principal
    if method.public or not principal.roles.isdisjoint(method.open_roles):
        return
    if principal.anonymous:
        raise Refusal(reason_pb2.REASON_UNAUTHENTICATED)
    call.pending = [holds for role, holds in method.related if role in principal.roles]
    if not call.pending:
        raise Refusal(reason_pb2.REASON_PERMISSION_DENIED)
