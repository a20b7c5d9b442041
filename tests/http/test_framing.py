"""Requests that servers read in different ways are refused, and the connection is closed."""
import socket

import h11
import pytest

from support.http_client import exchange

HOST = b"Host: h\r\n"
POST = b"POST /?cat HTTP/1.1\r\n" + HOST


def h11_refuses(request):
    server = h11.Connection(h11.SERVER)
    try:
        server.receive_data(request)
        while True:
            event = server.next_event()
            if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.EndOfMessage):
                return False
    except h11.RemoteProtocolError:
        return True


# name: request, status, does h11 refuse it too? (None: it is laxer, as RFC 9112 allows)
VECTORS = {
    "length_and_coding": (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, None),
    "coding_and_length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400, None),
    "two_codings": (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, True),
    "chunked_twice": (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400, True),
    "unknown_coding": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501, True),
    "gzip_then_chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, True),
    "identity_coding": (POST + b"Transfer-Encoding: identity\r\n\r\n", 501, True),
    "coding_in_http_1_0": (b"POST /?cat HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, None),
    "space_before_colon": (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, True),
    "tab_before_colon": (POST + b"Content-Length\t: 3\r\n\r\nabc", 400, True),
    "folded_field": (POST + b"X: a\r\n b\r\n\r\n", 400, None),
    "bare_lf_line": (b"GET /_/health HTTP/1.1\nHost: h\r\n\r\n", 400, None),
    "bare_lf_field": (POST + b"X: a\nContent-Length: 3\r\n\r\nabc", 400, None),
    "bare_cr_in_field": (POST + b"X: a\rContent-Length: 3\r\n\r\nabc", 400, True),
    "nul_in_field": (POST + b"X: a\0b\r\n\r\n", 400, True),
    "two_lengths": (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400, True),
    "two_equal_lengths": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, None),
    "length_list": (POST + b"Content-Length: 3, 3\r\n\r\nabc", 400, None),
    "length_plus": (POST + b"Content-Length: +3\r\n\r\nabc", 400, True),
    "length_negative": (POST + b"Content-Length: -3\r\n\r\nabc", 400, True),
    "length_hex": (POST + b"Content-Length: 0x3\r\n\r\nabc", 400, True),
    "length_overflow": (POST + b"Content-Length: 18446744073709551619\r\n\r\nabc", 400, None),
    "no_host": (b"GET /_/health HTTP/1.1\r\n\r\n", 400, True),
    "two_hosts": (b"GET /_/health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, True),
    "host_with_space": (b"GET /_/health HTTP/1.1\r\nHost: a b\r\n\r\n", 400, None),
    "two_spaces": (b"GET  /_/health HTTP/1.1\r\n" + HOST + b"\r\n", 400, True),
    "no_version": (b"GET /_/health\r\n\r\n", 400, True),
    "version_2": (b"GET /_/health HTTP/2.0\r\n" + HOST + b"\r\n", 505, None),
    "chunk_size_hex_prefix": (POST + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 400, True),
    "chunk_size_negative": (POST + b"Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", 400, True),
    "chunk_size_space": (POST + b"Transfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n", 400, None),
    "chunk_size_overflow": (POST + b"Transfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n", 400, None),
    "chunk_bare_lf": (POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", 400, None),
    "chunk_too_long": (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400, True),
    "absolute_with_user": (b"GET http://a@b/_/health HTTP/1.1\r\n" + HOST + b"\r\n", 400, None),
    "asterisk_with_get": (b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", 400, None),
    "coding_list_with_chunked_first": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 501, True),
    "empty_coding": (POST + b"Transfer-Encoding: \r\nContent-Length: 3\r\n\r\nabc", 400, None),
    "coding_with_vertical_tab": (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400, True),
    "coding_quoted": (POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', 501, True),
    "coding_with_parameter": (POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 501, True),
    "coding_folded": (POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400, None),
    "first_field_folded": (b"POST /?cat HTTP/1.1\r\n Host: h\r\nContent-Length: 3\r\n\r\nabc", 400, None),
    "control_before_name": (POST + b"\x01Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, True),
    "high_byte_in_name": (POST + b"Transfer-Encoding\xff: chunked\r\n\r\n0\r\n\r\n", 400, True),
    "empty_name": (POST + b": x\r\n\r\n", 400, True),
    "field_without_colon": (POST + b"Content-Length 3\r\n\r\nabc", 400, True),
    "length_empty": (POST + b"Content-Length: \r\n\r\nabc", 400, None),
    "length_with_space_inside": (POST + b"Content-Length: 3 3\r\n\r\nabc", 400, True),
    "length_underscore": (POST + b"Content-Length: 1_0\r\n\r\n0123456789", 400, True),
    "length_then_coding_after_fields": (POST + b"Content-Length: 3\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, None),
    "chunk_size_empty": (POST + b"Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n", 400, True),
    "chunk_size_plus": (POST + b"Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n", 400, True),
    "chunk_size_leading_space": (POST + b"Transfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n0\r\n\r\n", 400, None),
    "chunk_extension_bare_cr": (POST + b"Transfer-Encoding: chunked\r\n\r\n3;a\rb\r\nabc\r\n0\r\n\r\n", 400, None),
    "chunk_extension_bare_lf": (POST + b"Transfer-Encoding: chunked\r\n\r\n3;a\nabc\r\n0\r\n\r\n", 400, None),
    "chunk_data_without_crlf": (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc0\r\n\r\n", 400, True),
    "chunk_data_bare_lf": (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n", 400, True),
    "trailer_bare_lf": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\n\r\n", 400, None),
    "bare_cr_ends_the_line": (b"GET /_/health HTTP/1.1\rHost: h\r\n\r\n", 400, None),
    "space_before_line": (b" GET /_/health HTTP/1.1\r\n" + HOST + b"\r\n", 400, None),
    "tab_in_line": (b"GET\t/_/health\tHTTP/1.1\r\n" + HOST + b"\r\n", 400, True),
    "space_after_version": (b"GET /_/health HTTP/1.1 \r\n" + HOST + b"\r\n", 400, None),
    "version_lower_case": (b"GET /_/health http/1.1\r\n" + HOST + b"\r\n", 400, True),
    "version_1_2": (b"GET /_/health HTTP/1.2\r\n" + HOST + b"\r\n", 505, None),
    "version_0_9_with_fields": (b"GET /_/health HTTP/0.9\r\n" + HOST + b"\r\n", 505, None),
    "two_empty_lines_first": (b"\r\n\r\nGET /_/health HTTP/1.1\r\n" + HOST + b"\r\n", 400, None),
    "target_with_space": (b"GET /_/health x HTTP/1.1\r\n" + HOST + b"\r\n", 400, None),
    "target_with_nul": (b"GET /_/health\0 HTTP/1.1\r\n" + HOST + b"\r\n", 400, None),
    "target_with_fragment": (b"GET /_/health#x HTTP/1.1\r\n" + HOST + b"\r\n", 400, None),
    "target_of_connect": (b"CONNECT h:80 HTTP/1.1\r\n" + HOST + b"\r\n", 501, None),
    "host_with_user": (b"GET /_/health HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, None),
    "host_with_path": (b"GET /_/health HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, None),
    "host_twice_in_other_cases": (b"GET /_/health HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n", 400, None),
    "expectation_unknown": (POST + b"Expect: x\r\nContent-Length: 3\r\n\r\nabc", 417, None),
    "not_http_at_all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, None),
}


@pytest.mark.parametrize("name", VECTORS)
def test_ambiguous_request_is_refused_and_the_connection_closed(address, name):
    request, status, by_h11 = VECTORS[name]
    answer = exchange(address, request + b"GET /_/health HTTP/1.1\r\nHost: h\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert answer.count(b"\r\nDate: ") == 1
    if by_h11:
        assert h11_refuses(request)


ACCEPTED = {
    "absolute_form": b"GET http://other/_/health HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "one_empty_line_first": b"\r\nGET /_/health HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "chunk_extension": b"POST /?cat HTTP/1.1\r\n" + HOST +
                       b"Transfer-Encoding: Chunked\r\nConnection: close\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: x\r\n\r\n",
    "http_1_0": b"GET /_/health HTTP/1.0\r\n\r\n",
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_unusual_but_valid_request_is_served(address, name):
    assert exchange(address, ACCEPTED[name]).startswith(b"HTTP/1.1 200 ")


def test_pipelined_requests_are_answered_in_order(address):
    one = b"GET /?echo&%d HTTP/1.1\r\nHost: h\r\n%s\r\n"
    answer = exchange(address, one % (1, b"") + one % (2, b"") + one % (3, b"Connection: close\r\n"))
    bodies = [part.split(b"\r\n\r\n", 1)[1] for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert bodies == [b"1\n", b"2\n", b"3\n"]


def test_request_cut_at_any_byte_is_read_the_same(address):
    request = (b"POST /?cat HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"
               b"Connection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    for cut in range(1, len(request)):
        with socket.create_connection(address, timeout=10) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.sendall(request[:cut])
            client.sendall(request[cut:])
            answer = b""
            while piece := client.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"\r\n\r\nhello"), cut


# Whole requests of each kind of framing: each beginning of one is no request.
WHOLE = {
    "no_body": b"GET /?echo&x HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    "length": POST + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello",
    "chunked": POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                      b"5;x=y\r\nhello\r\n0\r\nT: v\r\n\r\n",
}


@pytest.mark.parametrize("kind", WHOLE)
def test_request_that_ends_early_is_never_run(address, kind):
    """A client that sends a part and then its FIN gets no 200: at most a word of complaint."""
    request = WHOLE[kind]
    for cut in range(1, len(request)):
        with socket.create_connection(address, timeout=10) as client:
            client.sendall(request[:cut])
            client.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := client.recv(65536):
                answer += piece
        assert not answer.startswith(b"HTTP/1.1 2"), (cut, answer[:60])


def test_answers_are_what_a_strict_client_takes(address):
    """h11 as the client: framing, fields and trailers of every kind of answer, one connection."""
    client = h11.Connection(h11.CLIENT)
    with socket.create_connection(address, timeout=30) as sock:
        for target, method, body, status in (
                ("/?echo&x", "GET", b"", 200), ("/?cat", "POST", b"y" * 100000, 200),
                ("/?seq&9&_format=stream", "GET", b"", 200), ("/?false", "GET", b"", 422),
                ("/_/health", "HEAD", b"", 200), ("/", "OPTIONS", b"", 204),
                ("/nothing", "GET", b"", 404), ("/?_x=1", "GET", b"", 400),
                ("/?echo&x&_format=json", "GET", b"", 200),
                ("/?echo&x&_format=multipart", "GET", b"", 200),
                ("/?echo&x&_format=tar", "GET", b"", 200)):
            fields = [("Host", "h"), ("Content-Length", str(len(body)))] if body else [("Host", "h")]
            data = client.send(h11.Request(method=method, target=target, headers=fields))
            if body:
                data += client.send(h11.Data(data=body))
            sock.sendall(data + client.send(h11.EndOfMessage()))
            seen = None
            while not isinstance(event := client.next_event(), h11.EndOfMessage):
                if event is h11.NEED_DATA:
                    client.receive_data(sock.recv(65536))
                elif isinstance(event, h11.Response):
                    seen = event.status_code
            assert seen == status, target
            client.start_next_cycle()
