"""Asking the parts of this machine whether they answer, and Envoy to let go."""

import socket
import time
import urllib.error
import urllib.request

DRAIN_SECONDS = 10.0


def accepts(port: int) -> bool:
    """Tell whether something takes connections on the port of 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def answers(url: str) -> bool:
    """Tell whether an HTTP server of this machine answers without a server error."""
    try:
        fetch(url)
        return True
    except urllib.error.HTTPError as error:
        error.close()
        return error.code < 500
    except OSError:
        return False


def fetch(url: str, method: str = "GET") -> str:
    """Return what a server of this machine answers; no proxy has a business with it.

    Raises:
        OSError: no answer, or one with an error status.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, method=method)  # noqa: S310  (addresses of this stack only)
    with opener.open(request, timeout=2) as answer:
        return str(answer.read().decode())


def drain_edge(admin_port: int) -> None:
    """Let Envoy take no new connections and wait, up to `DRAIN_SECONDS`, until no request is under way."""
    admin = f"http://127.0.0.1:{admin_port}"
    deadline = time.monotonic() + DRAIN_SECONDS
    try:
        fetch(f"{admin}/drain_listeners", "POST")
        while time.monotonic() < deadline:
            active = fetch(f"{admin}/stats?filter=http.edge.downstream_rq_active")
            if active.rpartition(":")[2].strip() in ("", "0"):
                return
            time.sleep(0.1)
    except OSError:
        # It is gone already; nothing to wait for.
        return
