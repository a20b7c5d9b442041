"""profile_requests.py: one real request to the image of each profile, and how its answer is
compared with the native program's."""
import dataclasses
import io
import os
import shutil
import subprocess
import urllib.parse
import wave

from support.guest import Guest, build_image

C_SOURCE = b'#include <stdio.h>\n#include <math.h>\nint main(int c, char **v)\n' \
           b'{\n\treturn printf("%s %.6f\\n", v[0], sqrt(c + 1)) < 0;\n}\n'
CC_SOURCE = b'#include <iostream>\n#include <map>\n#include <string>\nint main()\n{\n' \
            b'\tstd::map<std::string, int> m{{"a", 1}, {"b", 2}};\n' \
            b'\tfor (const auto &[k, v] : m)\n\t\tstd::cout << k << v << "\\n";\n}\n'
GO_SOURCE = b'package main\n\nimport (\n\t"fmt"\n\t"sort"\n\t"strings"\n)\n\nfunc main() {\n' \
            b'\tw := strings.Fields("go is packed")\n\tsort.Strings(w)\n\tfmt.Println(w)\n}\n'
GRAPH = b'digraph { rankdir=LR; a -> b [label="one"]; b -> c; a -> c; c [shape=box]; }\n'
DOCUMENT = b'# Title\n\n* one\n* *two*\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n`code` $x^2$\n'
PICTURE = b"P3 4 4 255 " + b" ".join(b"%d %d %d" % (n * 16, 255 - n * 16, n) for n in range(16)) + b"\n"
PERL = 'use List::Util qw(sum); use POSIX qw(floor); use Encode; use JSON::PP; ' \
       'print JSON::PP->new->canonical->encode({s => sum(1..9), f => floor(2.5), ' \
       'u => length(Encode::decode("UTF-8", "\\xc3\\xa9"))}), "\\n"'
NODE = 'const c = require("crypto"), z = require("zlib");' \
       'console.log(c.createHash("sha256").update("x").digest("hex"),' \
       ' z.gunzipSync(z.gzipSync("packed")).toString(), [3, 1, 2].sort(), process.argv.length)'
PYTHON = 'import json, decimal, hashlib; ' \
         'print(json.dumps([str(decimal.Decimal(1) / 7), hashlib.sha256(b"x").hexdigest()]))'

SQL = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) " \
      "select sum(i), max(i * i), group_concat(distinct i % 7), upper('packed') from n;"


def tone():
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join((n * 331 % 20011).to_bytes(2, "little") for n in range(8000)))
    return made.getvalue()


@dataclasses.dataclass(frozen=True)
class Request:
    program: str
    argv: tuple
    files: dict = dataclasses.field(default_factory=dict)
    stdin: bytes = b""
    out: str = ""      # the file that is the answer; else standard output
    quick: bool = False  # one that the suite asks


COMPILE = ("-O2", "-o", "a.out")
REQUESTS = (
    Request("/usr/bin/perl", ("-e", PERL), quick=True),
    Request("/usr/bin/dot", ("-Tsvg",), stdin=GRAPH, quick=True),
    Request("/usr/bin/dot", ("-Tpng",), stdin=GRAPH),
    Request("/usr/bin/convert", ("-", "-resize", "200%", "ppm:-"), stdin=PICTURE),
    Request("/usr/bin/convert", ("-", "-font", "DejaVu-Sans", "-pointsize", "9", "-annotate",
                                 "+0+3", "x", "ppm:-"), stdin=PICTURE),
    Request("/usr/bin/ffmpeg", ("-v", "error", "-bitexact", "-i", "in.wav", "-bitexact",
                                "out.flac"), {"in.wav": tone()}, out="out.flac"),
    Request("/usr/bin/pandoc", ("-f", "markdown", "-t", "html", "--mathml"), stdin=DOCUMENT),
    Request("/usr/bin/node", ("-e", NODE)),
    Request("/usr/bin/busybox", ("sort", "-r"), stdin=b"b\nc\na\n"),
    Request("/usr/bin/jq", ("-S", "map({n: .a, l: (.b | length)})"),
            stdin=b'[{"a": 1.5, "b": "\xc3\xa9t\xc3\xa9"}, {"a": null, "b": [1, 2]}]'),
    Request("/usr/bin/sqlite3", (":memory:", SQL)),
    Request("/usr/bin/python3", ("-c", PYTHON)),
    Request("/usr/bin/tcc", ("-o", "a.out", "h.c", "-lm"), {"h.c": C_SOURCE}, out="a.out"),
    Request("/usr/bin/gcc", (*COMPILE, "h.c", "-lm"), {"h.c": C_SOURCE}, out="a.out"),
    Request("/usr/bin/g++", (*COMPILE, "h.cc"), {"h.cc": CC_SOURCE}, out="a.out"),
    Request("/usr/bin/g++", ("-static", *COMPILE, "h.cc"), {"h.cc": CC_SOURCE}, out="a.out"),
    Request("/usr/bin/clang", (*COMPILE, "h.c", "-lm"), {"h.c": C_SOURCE}, out="a.out"),
    Request("/usr/bin/clang++", (*COMPILE, "h.cc"), {"h.cc": CC_SOURCE}, out="a.out"),
    Request("/usr/bin/go", ("build", "-o", "a.out", "h.go"), {"h.go": GO_SOURCE},
            out="a.out"),
)
# As in the images, beside what their profiles set.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "HOME": "/"}
PROFILE_ENVIRONMENT = {"/usr/bin/go": {
    "CGO_ENABLED": "0", "GO111MODULE": "off", "GOFLAGS": "-buildvcs=false", "GOPROXY": "off"}}


def answer_here(request, folder):
    """(exit status, answer) of the native program."""
    for name, contents in request.files.items():
        (folder / name).write_bytes(contents)
    environment = {**ENVIRONMENT, **PROFILE_ENVIRONMENT.get(request.program, {}),
                   "GOCACHE": f"{folder}/go-cache"}
    done = subprocess.run([request.program, *request.argv], input=request.stdin, cwd=folder,
                          capture_output=True, env=environment, timeout=300)
    if not request.out or done.returncode:
        return done.returncode, done.stdout
    return 0, (folder / request.out).read_bytes()


def answer_there(request, guest, seconds):
    """The same of the image."""
    words = [urllib.parse.quote(word, safe="") for word in request.argv]
    words = [f"arg={word}" if word.startswith("_") or not word else word for word in words]
    controls = ["_timeout=600s"] + ([f"_out={request.out}"] if request.out else [])
    body, headers = request.stdin, {}
    if request.files:
        body = b"".join(b'--part\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n'
                        b"\r\n%s\r\n" % (name.encode(), name.encode(), contents)
                        for name, contents in request.files.items()) + b"--part--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=part"}
    status, fields, answer = guest.request("POST", "/?" + "&".join([*words, *controls]), body,
                                           headers, timeout=seconds)
    code = {name.lower(): value for name, value in fields.items()}.get("elfpack-exit-code")
    return (int(code) if code is not None else f"{status} {answer[:300]!r}"), answer


def ask_image(requests, folder, show):
    """Boots the image of these requests' program; show(request, here, there) for each. Both work in a
    folder of the same path: some write it into what they make, and `go build -trimpath`, which does
    not, compiles the standard library first."""
    here = folder / "here"
    image = build_image(folder / "image", requests[0].program, "--http", "--http-wall-ms", "600s",
                        "--cwd", here)
    try:
        with Guest(image, folder=folder, firmware="pvh", memory="2G", cpus=2) as guest:
            guest.wait_ready(300)
            for request in requests:
                shutil.rmtree(here, ignore_errors=True)
                os.mkdir(here)
                show(request, answer_here(request, here), answer_there(request, guest, 600))
    finally:
        for path in folder.glob("image*"):
            os.unlink(path)
