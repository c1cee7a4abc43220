"""A partner's web server: a real HTTP server of the tests that answers as told and keeps what was asked."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A request: method, path with query, headers by names in lower case, body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """An answer. `length`: what Content-Length says, "" for none, None for the truth. `parts`: the body as it
    comes, each when the one before was sent."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: str | None = None
    parts: Callable[[], Iterator[bytes]] | None = None


@dataclass
class Origin:
    """`answer` makes the replies, `asked` keeps the requests; `url` has no slash at its end."""

    answer: Callable[[Asked], Reply]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def origin(
    answer: Callable[[Asked], Reply] = lambda _: Reply(), tls: ssl.SSLContext | None = None
) -> Iterator[Origin]:
    """Listens on this machine until the block ends, with TLS where that is given."""
    found = Origin(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            asked = Asked(self.command, self.path, headers, body)
            found.asked.append(asked)
            self._send(found.answer(asked))

        do_POST = do_GET

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.parts is None and reply.length != "":
                self.send_header("content-length", reply.length or str(len(reply.body)))
            self.end_headers()
            try:
                for part in reply.parts() if reply.parts else [reply.body]:
                    self.wfile.write(part)
                    self.wfile.flush()
            except OSError:
                pass  # the caller had enough

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        found.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
