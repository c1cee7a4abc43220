"""What the edge lets through: sizes, times and rates, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of one edge process. Rates are a bucket of `burst` tokens refilled by `per_second`."""

    # A caseworker's page makes dozens of calls at once; a script in a loop makes hundreds.
    principal_per_second: int = 200
    principal_burst: int = 400
    # Many people share one address behind a municipal proxy, so this is the wider of the two.
    address_per_second: int = 1000
    address_burst: int = 2000
    # Off only in tests that show what the limits are for.
    rates: bool = True
    # RPCs that nobody may call without an API key, as products name them: `catalogue.v1.SearchService` or
    # `catalogue.v1.SearchService/SearchCourses`.
    keyed: tuple[str, ...] = ()
    # How many principals and addresses are remembered at once (least recently used go first).
    remembered: int = 10_000
    # Connections at once, of all callers together.
    connections: int = 4096
    # Calls at once on one connection of HTTP/2.
    streams: int = 100
    # What the services themselves take: metadata of 16 KiB, messages of 1 MiB. The edge says no first.
    header_kib: int = 12
    headers: int = 64
    body_bytes: int = 1024 * 1024
    answer_bytes: int = 32 * 1024 * 1024
    upload_bytes: int = 512 * 1024 * 1024
    # Seconds: for all headers to arrive, the longest deadline (and that of a call without one), the longest
    # stream or transfer, and how long a connection may be silent.
    request_headers: int = 10
    longest_deadline: int = 60
    longest_stream: int = 3600
    idle: int = 300
