"""HTTP/1.1 on threads: one a connection. A request keeps its bytes as they came, because
signatures are over them; a 512 KiB body is received into one buffer."""
import dataclasses
import socket
import ssl
import struct
import threading

HEAD_LIMIT = 64 << 10
BODY_LIMIT = 16 << 20
REASONS = {200: "OK", 201: "Created", 202: "Accepted", 400: "Bad Request", 401: "Unauthorized",
           403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
           412: "Precondition Failed", 413: "Content Too Large", 500: "Internal Server Error",
           503: "Service Unavailable"}


class Malformed(Exception):
    """Not HTTP: the connection is closed."""


@dataclasses.dataclass
class Request:
    method: str
    target: str             # path and query as sent
    headers: list           # of (name, value) as sent
    body: bytes
    proxied: bool = False   # the target was a whole URL

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return self.target.partition("?")[2]

    def header(self, name, otherwise=None):
        name = name.lower()
        return next((v for n, v in self.headers if n.lower() == name), otherwise)


@dataclasses.dataclass
class Reply:
    status: int
    headers: dict
    body: bytes = b""

    def bytes(self):
        head = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Unknown')}",
                f"Content-Length: {len(self.body)}"]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + self.body


class Connection:
    def __init__(self, stream):
        self.stream, self.rest = stream, b""
        # One call for a whole block: each return to Python is a wait for its lock.
        self.flags = 0 if isinstance(stream, ssl.SSLSocket) else socket.MSG_WAITALL

    def head(self):
        while (end := self.rest.find(b"\r\n\r\n")) < 0:
            if len(self.rest) > HEAD_LIMIT:
                raise Malformed("head too long")
            more = self.stream.recv(65536)
            if not more:
                if self.rest:
                    raise Malformed("head cut off")
                return None
            self.rest += more
        head, self.rest = self.rest[:end], self.rest[end + 4:]
        return head.decode("latin-1").split("\r\n")

    def exactly(self, size):
        """The next size bytes."""
        buffer = bytearray(size)
        have = min(size, len(self.rest))
        buffer[:have] = self.rest[:have]
        self.rest = self.rest[have:]
        view = memoryview(buffer)
        while have < size:
            got = self.stream.recv_into(view[have:], 0, self.flags)
            if not got:
                raise Malformed("body cut off")
            have += got
        return bytes(buffer)

    def line(self):
        while b"\r\n" not in self.rest:
            more = self.stream.recv(65536)
            if not more:
                raise Malformed("chunk cut off")
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\r\n")
        return line

    def chunks(self):
        parts, total = [], 0
        while size := int(self.line().partition(b";")[0], 16):
            total += size
            if total > BODY_LIMIT:
                raise Malformed("body too long")
            parts.append(self.exactly(size))
            self.line()
        while self.line():
            pass
        return b"".join(parts)

    def request(self):
        """The next request; None at the connection's end."""
        lines = self.head()
        if lines is None:
            return None
        try:
            method, target, _ = lines[0].split(" ")
            headers = [(name, value.strip(" \t")) for name, colon, value in
                       (line.partition(":") for line in lines[1:]) if colon]
            request = Request(method, target, headers, b"")
            if target.startswith(("http://", "https://")):
                request.target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
                request.proxied = True
            if (request.header("Expect") or "").lower() == "100-continue":
                self.stream.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            if (request.header("Transfer-Encoding") or "").lower() == "chunked":
                request.body = self.chunks()
            elif size := int(request.header("Content-Length", "0")):
                if not 0 < size <= BODY_LIMIT:
                    raise Malformed("body too long")
                request.body = self.exactly(size)
        except ValueError as error:
            raise Malformed(str(error)) from error
        return request

    def reset(self):
        """Ends it with RST, as a balancer that dies does."""
        plain = self.stream
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        plain.close()


class Server:
    """answer(request, connection) returns a Reply, bytes to send before closing, or None to
    close at once."""

    def __init__(self, answer, tls=None):
        self.answer, self.tls = answer, tls
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.open, self.lock, self.stopping = set(), threading.Lock(), False
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while not self.stopping:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(stream,), daemon=True).start()

    def serve(self, stream):
        try:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                stream = self.tls.wrap_socket(stream, server_side=True)
            with self.lock:
                self.open.add(stream)
            connection = Connection(stream)
            while (request := connection.request()) is not None:
                reply = self.answer(request, connection)
                if not isinstance(reply, Reply):
                    if reply:
                        stream.sendall(reply)
                    return
                stream.sendall(reply.bytes())
                if (request.header("Connection") or "").lower() == "close":
                    return
        except (OSError, ssl.SSLError, Malformed):
            pass  # the client's end of it; a test sees it in the log
        finally:
            with self.lock:
                self.open.discard(stream)
            stream.close()

    def stop(self):
        self.stopping = True
        with self.lock:
            streams = list(self.open)
        for stream in (self.listener, *streams):
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.listener.close()
        self.thread.join()
