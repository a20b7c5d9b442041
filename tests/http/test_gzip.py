"""Bodies in the gzip content coding, undone whatever the body is; bombs are not."""
import gzip
import json
import random
import zlib

import pytest

from support.http_client import call


def post(address, target, body, method="POST", coding="gzip", **fields):
    return call(address, target, method, body, Content_Encoding=coding, **fields)


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
@pytest.mark.parametrize("size", [0, 1, 5000, 3000000])
def test_packed_input_is_unpacked(address, coding, size):
    plain = random.Random(size).randbytes(size // 2) + b"x" * (size - size // 2)
    answer, data = post(address, "/?cat", gzip.compress(plain), coding=coding)
    assert answer.status == 200 and data == plain


def test_every_kind_of_body_is_unpacked(address):
    assert post(address, "/f?cat&f", gzip.compress(b"stored"), "PUT")[1] == b"stored"
    envelope = gzip.compress(json.dumps({"argv": ["echo", "x"]}).encode())
    answer, data = post(address, "/_/run", envelope, Content_Type="application/json")
    assert json.loads(data)["stdout"]["data"] == "x\n"
    form = gzip.compress(b'--b\r\nContent-Disposition: form-data; name="arg"\r\n\r\nx\r\n--b--')
    assert post(address, "/?echo", form, Content_Type="multipart/form-data; boundary=b")[1] == \
        b"x\n"


def test_members_one_after_another_are_one_body(address):
    body = b"".join(gzip.compress(b"%d," % i) for i in range(10))
    assert post(address, "/?cat", body)[1] == b"0,1,2,3,4,5,6,7,8,9,"


def test_malformed_gzip_is_400(address):
    whole = gzip.compress(b"hello" * 1000)
    wrong_sum = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    for body in (b"plain", whole[:-1], whole[:12], whole + b"x", whole + b"\0" * 8, wrong_sum,
                 zlib.compress(b"hello"), b"\x1f\x8b"):
        answer, _ = post(address, "/?cat", body)
        assert answer.status == 400 and answer.getheader("Elfpack-Outcome") is None


def test_bomb_is_413(address):
    answer, _ = post(address, "/?wc&-c", gzip.compress(bytes(3 << 20), 9))
    assert answer.status == 413  # about 1,000 to 1
    assert post(address, "/?wc&-c", gzip.compress(bytes(1 << 20), 9))[1] == b"1048576\n"


def test_unpacked_bytes_have_a_limit(front_with):
    address = front_with("limit.unpacked_bytes=1000").address
    assert post(address, "/?wc&-c", gzip.compress(bytes(1000)))[1] == b"1000\n"
    assert post(address, "/?wc&-c", gzip.compress(bytes(1001)))[0].status == 413
