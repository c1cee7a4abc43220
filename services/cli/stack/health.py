"""What the gRPC servers of this machine say of themselves (grpc.health.v1).

gRPC is imported when a server is asked: commands such as `status`, which only read what a supervisor has
learnt, start without it.
"""

SECONDS = 2.0  # for one answer
HALTED = "too many dead letters, consuming stands still: see `waymark events dead-letters list`"
# Why a check does not pass although the database answers.
TROUBLES = {
    "": "it is being stopped",
    "outbox": "events have waited too long to be published",
    "consumer": "too many events wait to be consumed, or nobody says how many",
    "dead-letters": HALTED,
}
NO_DATABASE = "its database does not answer"
# A channel of its own for each question, so that none waits out the back-off of an earlier failure; no proxy
# has a business between the parts of one machine.
_OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]


def lives(port: int) -> bool:
    """Tell whether a server answers on the port of 127.0.0.1, whatever it says of itself."""
    return _serving(port, "") is not None


def trouble(port: int, *checks: str) -> str:
    """Return why the first of the checks that fails does; "" when all pass, or when nobody answers.

    Args:
        port: of the server, on 127.0.0.1.
        checks: "" for the server as a whole, "outbox", "consumer" or "dead-letters".
    """
    passed = _serving(port, *checks, "database")
    if passed is None or all(passed):
        return ""
    return TROUBLES[checks[passed.index(False)]] if passed[-1] else NO_DATABASE


def _serving(port: int, *checks: str) -> list[bool] | None:
    """Return which checks pass; None when nobody answers in time, or does not know one of them."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS) as channel:
            ask = health_pb2_grpc.HealthStub(channel).Check
            answers = [ask(health_pb2.HealthCheckRequest(service=one), timeout=SECONDS) for one in checks]
    except grpc.RpcError:
        return None
    return [answer.status == health_pb2.HealthCheckResponse.SERVING for answer in answers]
