"""http_client.py: requests as the HTTP tests make them: whole ones, and raw bytes."""
import http.client
import socket
import urllib.parse


def call(address, target, method="GET", body=None, timeout=60, **fields):
    """One request on a connection of its own: (answer, body). X_Y=v is the field X-Y."""
    client = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        client.request(method, target, body=body,
                       headers={name.replace("_", "-"): value for name, value in fields.items()})
        answer = client.getresponse()
        return answer, answer.read()
    finally:
        client.close()


def sh(script, *controls):
    """The target that runs a shell script."""
    return "/?" + "&".join(["sh", "-c", urllib.parse.quote(script, safe=""), *controls])


def read_to_end(client):
    """What the peer sends until it closes."""
    answer = b""
    while True:
        try:
            piece = client.recv(65536)
        except ConnectionResetError:
            return answer
        if not piece:
            return answer
        answer += piece


def read_head(client):
    """One head, byte by byte, so that nothing behind it is taken."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = client.recv(1)
        assert byte, f"closed after {head!r}"
        head += byte
    return head


def exchange(address, request, timeout=30):
    """Sends bytes, returns all that comes until the server closes."""
    with socket.create_connection(address, timeout=timeout) as client:
        client.sendall(request)
        return read_to_end(client)


def status_of(answer):
    return int(answer.split(b" ", 2)[1])
