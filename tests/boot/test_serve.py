"""`elfpack serve`: the same image answers the same without a virtual machine."""
import http.client
import io
import json
import os
import pathlib
import signal
import subprocess
import tarfile

import pytest

from support.guest import ELFPACK, Guest, build_image

pytestmark = pytest.mark.xdist_group("serve")
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
REQUESTS = [
    ("GET", "/", None, {}),
    ("GET", "/?echo&a&b%20c", None, {}),
    ("POST", "/?tr&a-z&A-Z", b"letters", {}),
    ("PUT", "/dir/f.txt?sha256sum&dir/f.txt", b"contents", {}),
    ("GET", "/?sh&-c&exit+3", None, {}),
    ("GET", "/?sh&-c&kill+-9+$$", None, {}),
    ("GET", "/?sleep&60&_timeout=300ms", None, {}),
    ("GET", "/?sh&-c&echo+x>out;mkdir+d;echo+y>d/z&_out=**&_format=tar", None, {}),
    ("GET", "/?cat&/etc/greeting", None, {}),
    ("GET", "/?cat&/no/such", None, {}),
    ("GET", "/?sh&-c&pwd;env|sort;ls+-lL+/etc+/bin", None, {}),
    ("GET", "/?_nonsense=1", None, {}),
    ("DELETE", "/", None, {}),
    ("GET", "/no/such/route", None, {}),
    ("POST", "/?_out=../x", b"", {}),
    ("POST", "/", b'--b\r\nContent-Disposition: form-data; name="arg"\r\n\r\nrev\r\n'
     b'--b\r\nContent-Disposition: form-data; name="stdin"\r\n\r\nabc\n\r\n--b--\r\n', FORM),
    ("POST", "/_/run", json.dumps({"argv": ["sort", "f"], "files": {"f": "b\na\n"}}).encode(),
     {"Content-Type": "application/json"}),
]
# What differs from one run to the next.
CHANGING = {"date", "server-timing", "x-request-id"}


class Served:
    def __init__(self, *arguments, **options):
        self.process = subprocess.Popen([ELFPACK, "serve", *map(str, arguments)],
                                        stdout=subprocess.PIPE, text=True, **options)
        ready = self.process.stdout.readline().split()
        assert ready[:1] == ["ready"], ready
        self.port = int(ready[1].rstrip("/").rsplit(":", 1)[1])

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        status = self.process.wait(timeout=60)
        self.process.stdout.close()
        return status


def answer(port, method, target, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, target, body, headers)
    response = connection.getresponse()
    fields = sorted((name.lower(), value) for name, value in response.getheaders()
                    if name.lower() not in CHANGING)
    payload = response.read()
    connection.close()
    if target == "/_/run":
        payload = json.loads(payload)
        del payload["id"], payload["usage"]
        fields = [field for field in fields if field[0] != "content-length"]
    if target.endswith("_format=tar"):
        with tarfile.open(fileobj=io.BytesIO(payload)) as tar:
            payload = [(m.name, m.mode, tar.extractfile(m).read()) for m in tar
                       if m.name != ".elfpack/meta.json"]  # it says how long things took
        fields = [field for field in fields if field[0] != "content-length"]
    return response.status, fields, payload


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    (folder / "greeting").write_text("hello from the image\n")
    return build_image(folder / "b.img", "/bin/busybox", "--http", "--env", "COLOUR=red",
                       "--file", f"{folder}/greeting:/etc/greeting")


@pytest.fixture(scope="module")
def both(image, tmp_path_factory):
    folder = tmp_path_factory.mktemp("both")
    served = Served(image, env={**os.environ, "TMPDIR": str(folder)})
    with Guest(image, folder=folder) as guest:
        guest.wait_ready()
        yield served.port, guest.port
    assert served.stop() == 0
    assert not list(folder.glob("elfpack-*"))


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: f"{r[0]} {r[1]}")
def test_an_image_answers_the_same_with_and_without_a_machine(both, request_):
    here, there = (answer(port, *request_) for port in both)
    assert here == there


def test_info_names_the_profile_and_the_digest_that_inspect_prints(both, image):
    said = subprocess.run([ELFPACK, "inspect", "--json", image], check=True, capture_output=True)
    digest = json.loads(said.stdout)["digest"]
    assert len(digest) == 64
    for port in both:
        info = json.loads(answer(port, "GET", "/_/info", None, {})[2])
        assert (info["profile"], info["digest"]) == ("busybox", digest)


def test_a_request_changes_nothing_for_the_next(both):
    answer(both[0], "GET", "/?sh&-c&echo+x>/etc/greeting;echo+y>/work/left", None, {})
    assert answer(both[0], "GET", "/?cat&/etc/greeting", None, {})[2] == \
        b"hello from the image\n"
    assert answer(both[0], "GET", "/?ls&/work", None, {})[2] == b""


def test_ctrl_c_lets_a_request_end_and_cleans_up(image, tmp_path):
    served = Served(image, env={**os.environ, "TMPDIR": str(tmp_path)})
    folder, = tmp_path.glob("elfpack-*")
    assert (folder / "root/bin").exists()
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.request("GET", "/?sh&-c&sleep+1;echo+done&_format=stream")
    response = connection.getresponse()  # its header: the program runs
    assert served.stop() == 0
    assert response.read() == b"done\n"
    assert os.listdir(tmp_path) == []


def test_a_program_is_served_without_an_image_and_logs_requests(tmp_path):
    served = Served("/bin/busybox", "--console-log", stderr=subprocess.PIPE,
                    env={**os.environ, "TMPDIR": str(tmp_path)})
    for word in ("hi", "again"):
        assert answer(served.port, "GET", f"/?echo&{word}", None, {})[2] == f"{word}\n".encode()
    assert served.stop(signal.SIGTERM) == 0
    said = served.process.stderr.read()
    served.process.stderr.close()
    lines = [line for line in said.splitlines() if not line.startswith("elfpack: ")]
    assert [json.loads(line)["status"] for line in lines] == [200, 200]


def test_a_damaged_or_unfit_image_is_refused(image, tmp_path):
    bytes_ = bytearray(pathlib.Path(image).read_bytes())
    at = bytes_.index(b"hello from the image")
    bytes_[at] ^= 1
    (tmp_path / "damaged.img").write_bytes(bytes_)
    build_image(tmp_path / "once.img", "/bin/busybox", "--", "true")
    for name, said in (("damaged.img", "the SHA-256 is wrong"),
                       ("once.img", "was not built with --http")):
        done = subprocess.run([ELFPACK, "serve", name], capture_output=True, text=True,
                              cwd=tmp_path, timeout=60)
        assert done.returncode == 3 and said in done.stderr
