"""busybox applets over HTTP say what the same busybox says natively: output and status."""
import http.client
import itertools
import subprocess
import urllib.parse

import pytest

TEXT = b"pear 3\napple 10\nfig 2\napple 10\n\nBanana 7\tx\nzebra -1\n"
BYTES = bytes(range(256))
WITH_INPUT = [
    ["cat"], ["cat", "-n"], ["cat", "-e"], ["cat", "-t"], ["cat", "-b"], ["tac"], ["rev"],
    ["sort"], ["sort", "-r"], ["sort", "-u"], ["sort", "-n", "-k2"], ["sort", "-f"], ["uniq"],
    ["uniq", "-c"], ["uniq", "-d"], ["uniq", "-u"], ["wc"], ["wc", "-l"], ["wc", "-w"],
    ["wc", "-c"], ["wc", "-L"], ["head", "-n", "2"], ["head", "-c", "7"], ["tail", "-n", "2"],
    ["tail", "-c", "9"], ["tail", "-n", "+3"], ["od"], ["od", "-c"], ["od", "-An", "-tx1"],
    ["hexdump"], ["hexdump", "-C"], ["xxd"], ["xxd", "-p"], ["base64"], ["base32"],
    ["md5sum"], ["sha1sum"], ["sha256sum"], ["sha512sum"], ["sha3sum"], ["cksum"], ["crc32"],
    ["sum"], ["sum", "-s"], ["nl"], ["fold", "-w", "5"], ["expand"], ["unexpand", "-a"],
    ["tr", "a-z", "A-Z"], ["tr", "-d", "aeiou"], ["tr", "-s", "p"], ["cut", "-c", "1-3"],
    ["cut", "-d", " ", "-f", "2"], ["cut", "-b", "2-"], ["grep", "apple"], ["grep", "-c", "a"],
    ["grep", "-v", "a"], ["grep", "-n", "e"], ["grep", "-i", "banana"], ["grep", "-o", "[0-9]*"],
    ["grep", "none"], ["grep", "-E", "^(fig|pear)"], ["sed", "s/a/b/"], ["sed", "s/a/b/g"],
    ["sed", "-n", "2p"], ["sed", "$d"], ["sed", "1!G;h;$!d"], ["sed", "y/abc/xyz/"],
    ["awk", "{print $2}"], ["awk", "{n+=$2} END {print n}"], ["awk", "NR==2"],
    ["awk", "{print length($0)}"], ["paste", "-s"], ["paste", "-d,", "-s"], ["strings"],
    ["xargs"], ["xargs", "-n", "2"], ["split", "-l", "2"], ["tee", "copy"], ["dd", "bs=4", "count=2"],
    ["gzip", "-c"], ["bzip2", "-c"], ["uuencode", "name"], ["tsort"], ["shuf", "-n", "0"],
]
WITHOUT_INPUT = (
    [["seq", str(a), str(b), str(c)] for a, b, c in itertools.product((1, 2, -5), (1, 3), (4, 10, 20))]
    + [["expr", str(a), op, str(b)] for a, b in ((7, 2), (0, 5), (-3, 3)) for op in "+-*/%<=>"]
    + [["factor", str(n)] for n in (1, 2, 97, 360, 65537, 999983, 4294967297, 600851475143)]
    + [["test", str(a), op, str(b)] for a, b in ((1, 2), (2, 2)) for op in ("-eq", "-ne", "-lt", "-ge")]
    + [["printf", form, "42"] for form in ("%d", "%x", "%o", "%5d|", "%-5d|", "%05d", "%s", "%c", "%e", "%.2f")]
    + [["basename", p] for p in ("/a/b.c", "a/", "/", "x")] + [["dirname", p] for p in ("/a/b.c", "a", "/")]
    + [["sh", "-c", f"exit {n}"] for n in (0, 1, 2, 42, 126, 127, 255)]
    + [["sh", "-c", s] for s in (
        "echo $((6*7))", "for i in 1 2 3; do echo $i; done", "x=abc; echo ${x%c} ${#x}",
        "echo a | cat | cat", "(exit 3); echo $?", "f() { echo $1; }; f hi", "echo ${x:-no}",
        "set -- a b; echo $# $2", "case abc in a*) echo y;; esac", "kill -TERM $$; echo no",
        "mkdir d; cd d; pwd", "echo x > f; cat f; rm f; ls", "ln -s t l; readlink l",
        "sleep 0.01 & wait; echo done", "trap 'echo bye' EXIT; true", "yes | head -n 3")]
    + [["cal", str(m), "2024"] for m in range(1, 13)]
    + [["date", "-u", "-d", f"@{t}"] for t in (0, 1, 86399, 951782400, 2147483647)]
    + [["true"], ["false"], ["echo"], ["echo", "-n", "x"], ["echo", "-e", "a\\tb"], ["env", "-i"],
       ["ipcalc", "-n", "10.1.2.3/20"], ["ascii"], ["nosuchapplet"], ["cat", "missing"]]
)
CASES = ([(argv, data) for argv in WITH_INPUT for data in (TEXT, b"", BYTES)]
         + [(argv, None) for argv in WITHOUT_INPUT])
assert len(CASES) >= 300


def native(argv, data, folder):
    ended = subprocess.run(["/bin/busybox", *argv], input=data or b"", capture_output=True,
                           cwd=folder, env={"PATH": "/bin"}, timeout=20)
    return ended.stdout, ended.returncode


@pytest.mark.parametrize("argv, data", CASES, ids=lambda v: " ".join(v) if isinstance(v, list) else None)
def test_applet_answers_as_natively(address, tmp_path, argv, data):
    query = "&".join("arg=" + urllib.parse.quote(a, safe="") for a in argv)
    client = http.client.HTTPConnection(*address, timeout=30)
    client.request("POST", f"/?{query}&_status=200&_stderr=drop", body=data or b"")
    answer = client.getresponse()
    body = answer.read()
    client.close()
    output, status = native(argv, data, tmp_path)
    if status < 0:
        assert answer.getheader("Elfpack-Signal") == str(-status)
        return
    assert answer.getheader("Elfpack-Exit-Code") == str(status)
    assert body == output.replace(str(tmp_path).encode(), b"/work")
