"""A server on loopback that misbehaves as a test tells it to, byte by byte."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

WAIT = 15.0  # seconds after which a server gives up on its test


@dataclass
class Exchange:
    """One request that came, and the connection to misbehave on. `seen` is set by a test once it has seen enough."""

    connection: socket.socket
    request: bytes
    seen: threading.Event
    left: threading.Event

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def bytewise(self, data: bytes) -> None:
        for at in range(len(data)):
            self.connection.sendall(data[at : at + 1])

    def gone(self) -> None:
        """Wait until the client has gone away."""
        with contextlib.suppress(OSError):
            while self.connection.recv(65536):
                pass
        self.left.set()

    def reset(self) -> None:
        """End the connection with an RST instead of a FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


# What happens to a request that was read. The connection is closed after it, unless it gives True.
Behaviour = Callable[[Exchange], bool | None]


@dataclass
class FaultyServer:
    """Meets each request with the next behaviour, the last one for good. `connections` counts those accepted.

    `closed` is set when it has closed one. `unread` leaves the bodies of requests unread.
    """

    behaviours: list[Behaviour]
    tls: ssl.SSLContext | None = None
    unread: bool = False
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    seen: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    _open: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _changing: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._begin(self._accept)

    def stop(self) -> None:
        self.seen.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WAIT)
            assert not thread.is_alive()

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"{self.origin}/v1"

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(WAIT)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                self._open.append(connection)
                self._begin(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection = self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
            self._open.append(connection)
            while (request := _request(connection, self.unread)) and self._behaviour(request)(
                Exchange(connection, request, self.seen, self.left)
            ):
                pass
        connection.close()
        self.closed.set()

    def _behaviour(self, request: bytes) -> Behaviour:
        with self._changing:
            self.requests.append(request)
            return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]


@contextmanager
def faulty(*behaviours: Behaviour, tls: ssl.SSLContext | None = None, unread: bool = False) -> Iterator[FaultyServer]:
    """A started server, stopped at the end of the block."""
    server = FaultyServer(list(behaviours), tls, unread)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _request(connection: socket.socket, unread: bool) -> bytes:
    """One request, its head and, unless that is to be left, its body; nothing once the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (piece := connection.recv(65536)):
            return b""
        data += piece
        if data[:1] == b"\x16":  # the first byte of a TLS handshake: no HTTP follows
            return data
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    pieces, missing = [data], int(lengths[0]) - len(body) if lengths and not unread else 0
    while missing > 0:
        if not (piece := connection.recv(65536)):
            return b""
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def head(status: str = "200 OK", kind: str = "text/event-stream", **fields: object) -> bytes:
    """The head of an answer; without a length its body ends with the connection."""
    named = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in fields.items()}}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def whole(body: bytes, status: str = "200 OK", kind: str = "text/event-stream", **fields: object) -> bytes:
    """An answer that keeps to the rules."""
    return head(status, kind, Content_Length=len(body), **fields) + body


def chunked(pieces: Iterable[bytes]) -> bytes:
    """A body in chunks, without the last one, which ends it."""
    return b"".join([b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces])


def answers(*pieces: bytes, keep: bool = False) -> Behaviour:
    """Send these bytes, each piece on its own, and close the connection unless told to `keep` it."""

    def behave(exchange: Exchange) -> bool:
        for piece in pieces:
            exchange.send(piece)
        return keep

    return behave


def silent(*pieces: bytes) -> Behaviour:
    """Send these, then nothing, until the client has gone."""

    def behave(exchange: Exchange) -> None:
        exchange.send(b"".join(pieces))
        exchange.gone()

    return behave


def endless(first: bytes, piece: bytes) -> Behaviour:
    """Send one piece again and again, in chunks, a few at a time as the client reads them."""

    def behave(exchange: Exchange) -> None:
        exchange.send(first)
        while not exchange.left.wait(0.01):
            exchange.send(chunked([piece]))

    return behave
