"""Kafka clients that leave nothing open: kafka-python forgets sockets, and itself when it finds no broker.

It leaves to the garbage collector a socket whose connection is refused, and one that is still connecting or
has bytes to send when the client is closed; and a client whose constructor fails keeps its thread and
descriptors for as long as the process lives. Only its own hooks are used here: `selector`, `proxy_url` and
`kafka_client`.
"""

from __future__ import annotations

import selectors
import socket
from typing import Any
from weakref import WeakSet

from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket

NO_PROXY = "direct"


class ClosingSelector(selectors.DefaultSelector):
    """Closes, when the client's loop ends, every socket that it has waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._waited_for: WeakSet[socket.socket] = WeakSet()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Notes the socket, and registers it."""
        self._waited_for.add(fileobj)
        return super().register(fileobj, events, data)

    def close(self) -> None:
        """Closes the selector, then the sockets; harmless for those that are closed."""
        super().close()
        for one in list(self._waited_for):
            one.close()


class DirectSocket(KafkaNetSocket):  # type: ignore[misc]  # kafka-python has no types
    """Connects without a proxy, like its base, and closes the socket when no connection comes about."""

    SCHEMES = (NO_PROXY,)

    async def sock_connect(self, net: Any, sock: socket.socket, *address: Any, **options: Any) -> Any:
        """Returns the connected socket; raises as its base does."""
        try:
            return await super().sock_connect(net, sock, *address, **options)
        except BaseException:  # also when the client is closed meanwhile
            sock.close()
            raise


def open_client(kind: Any, **options: Any) -> Any:
    """Returns a client of `kind` (KafkaConsumer, KafkaProducer, KafkaAdminClient) with these options.

    Raises what its constructor raises, after taking apart what that leaves behind.
    """
    inner: list[Any] = []

    def make_inner(**configs: Any) -> Any:
        inner.append(KafkaNetClient(**configs))
        return inner[-1]

    hooks = {"selector": ClosingSelector, "proxy_url": f"{NO_PROXY}://", "kafka_client": make_inner}
    try:
        return kind(**hooks, **options)
    except BaseException:
        for each in inner:
            each.close()
        raise
