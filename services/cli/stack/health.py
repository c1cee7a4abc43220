"""What the gRPC servers of this machine say of themselves (grpc.health.v1)."""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

SECONDS = 2.0  # for one answer
# Why a check does not pass although the database answers.
TROUBLES = {
    "": "it is being stopped",
    "outbox": "events have waited too long to be published",
    "consumer": "too many events wait to be consumed, or nobody says how many",
}
NO_DATABASE = "its database does not answer"
# A channel of its own for each question, so that none waits out the back-off of an earlier failure; no proxy
# has a business between the parts of one machine.
_OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]


def lives(port: int) -> bool:
    """Tell whether a server answers on the port of 127.0.0.1, whatever it says of itself."""
    try:
        _serving(port, "")
    except grpc.RpcError:
        return False
    return True


def trouble(port: int, check: str) -> str:
    """Return why a check of the server on the port does not pass; "" when it does, or when nobody answers.

    Args:
        port: of 127.0.0.1.
        check: "" for the server as a whole, "outbox" or "consumer".
    """
    try:
        well, database = _serving(port, check, "database")
    except grpc.RpcError:
        return ""
    if well:
        return ""
    return TROUBLES[check] if database else NO_DATABASE


def _serving(port: int, *checks: str) -> list[bool]:
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        answers = [
            stub.Check(health_pb2.HealthCheckRequest(service=check), timeout=SECONDS) for check in checks
        ]
    return [answer.status == health_pb2.HealthCheckResponse.SERVING for answer in answers]
