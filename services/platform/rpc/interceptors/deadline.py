"""Every call ends: the caller's deadline, or a default, shaved so that the answer arrives in time."""

from __future__ import annotations

from services.platform.rpc.call import Call

DEFAULT = 10.0  # seconds, for callers that set none
LONGEST = 60.0  # seconds; a caller that asks for more waits for somebody else's locks and connections
LONGEST_STREAM = 600.0  # also for callers that set none: over REST hardly anybody does
SHAVED = 0.02  # seconds kept for the way back
SHAVED_SHARE = 0.05  # of short deadlines, so that 50 ms still leave something to work with


def deadline(call: Call) -> None:
    """Sets `call.deadline`; raises Refusal(DEADLINE_EXCEEDED) when it passed while the call was queued."""
    left = call.context.time_remaining()
    longest, usual = (LONGEST_STREAM, LONGEST_STREAM) if call.method.server_streaming else (LONGEST, DEFAULT)
    # gRPC gives "no deadline" as a moment centuries away.
    seconds = usual if left > 86_400 else min(left, longest)
    call.deadline = call.started + seconds - min(SHAVED, seconds * SHAVED_SHARE)
    call.remaining()
