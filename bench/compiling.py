"""compiling.py: Debian's clang as a compile server: an image of `elfpack build clang --http` beside
a Linux guest that has the very same files in its initramfs, behind lighttpd and mod_cgi."""
import concurrent.futures
import pathlib
import statistics
import subprocess
import sys
import time

import linux_guest
from server import ROOT, Server

sys.path[:0] = [str(ROOT / "tests")]

from support.guest import ELFPACK, build_image, machine_arguments  # noqa: E402

SOURCE = (ROOT / "bench/hello.c").read_bytes()
MEMORY, CPUS, PATIENCE = "1536M", 2, 240
ELF = b"\x7fELF"

# Row: (our query, the Linux guest's script).
TASKS = {
    "clang -O2 -c": ("-O2&-c&hello.c&_out=hello.o", "-O2 -c hello.c -o out"),
    "clang -O2, linked": ("-O2&hello.c&-o&a.out&_out=a.out", "-O2 hello.c -o out"),
}
SCRIPT = """#!/bin/busybox sh
folder=$(/bin/busybox mktemp -d)
cd $folder
/bin/busybox cat > hello.c
/usr/bin/clang {words} 2> log && type=application/octet-stream || {{
	type=text/plain; /bin/busybox mv log out; /bin/busybox printf 'Status: 422\\r\\n'; }}
/bin/busybox printf 'Content-Type: %s\\r\\n\\r\\n' $type
/bin/busybox cat out
cd /
/bin/busybox rm -rf $folder
"""


def linux_arguments(work, image):
    """QEMU's arguments for the Linux guest with the files of the image."""
    tree = work / "clang-initramfs"
    subprocess.run(["rm", "-rf", tree], check=True)
    subprocess.run([ELFPACK, "inspect", "extract", "-o", tree, image], check=True,
                   capture_output=True)
    scripts = {f"www/{name}.cgi": SCRIPT.format(words=words)
               for name, (_, words) in zip("ab", TASKS.values())}
    return linux_guest.boot_arguments_with(work, tree, {**scripts, "www/ready": "ready\n"}, "q35")


class Side:
    """How one of the two is started and asked."""

    def __init__(self, arguments, ready, requests):
        self.arguments, self.ready, self.requests = arguments, ready, requests

    def start(self):
        return Server(self.arguments, "virtio-net-pci", MEMORY, cpus=CPUS, path=self.ready,
                      good=lambda body: True)


def compile_once(server, request):
    """Seconds that one compilation takes."""
    started = time.monotonic()
    status, body = server.ask(PATIENCE, *request, body=SOURCE)
    if status != 200 or not body.startswith(ELF):
        raise SystemExit(f"bench: {request}: {status} {body[:300]!r}")
    return time.monotonic() - started


def rate(server, request, clients, count):
    """Compilations a second by so many clients at once."""
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(lambda _: compile_once(server, request), range(count)))
    return count / (time.monotonic() - started)


def starts(name, side, runs):
    """Two rows, of the same starts: the first answer, and the first compilation."""
    ready, first, processor = [], [], []
    for _ in range(runs):
        with side.start() as server:
            ready.append(server.first_answer(PATIENCE))
            if ready[-1] is None:
                raise SystemExit(f"bench: the compile server of {name} does not answer")
            compile_once(server, side.requests[0])
            first.append(time.monotonic() - server.started)
            processor.append(server.processor_seconds())
        print(f"  {name}: ready after {ready[-1]:.1f} s, compiled after {first[-1]:.1f} s",
              file=sys.stderr)
    return {"clang: first 200, disk or initrd (s)": statistics.median(ready),
            "clang: start to first compiled (s)": statistics.median(first),
            "the same, of QEMU's processor time": statistics.median(processor)}


def measure(name, side, runs):
    column = starts(name, side, runs)
    with side.start() as server:
        server.first_answer(PATIENCE)
        for task, request in zip(TASKS, side.requests):
            compile_once(server, request)
            count, before = 2 * runs - 1, server.processor_seconds()
            times = [compile_once(server, request) for _ in range(count)]
            column[f"{task} (s)"] = statistics.median(times)
            column[f"{task}, processor (s)"] = (server.processor_seconds() - before) / count
            column[f"{task}, requests/s, c=2"] = rate(server, request, 2, 2 * runs)
            print(f"  {name}: {task}: {column[f'{task} (s)']:.2f} s", file=sys.stderr)
    return column


def table(work, runs):
    """[our column, the Linux guest's]"""
    # A busy host gets figures too, and no deadlines.
    image = build_image(work / "compiler.img", "clang", "--http", "--http-wall-ms", 120_000,
                        "--http-queue-age-ms", 120_000)
    ours = Side(machine_arguments(image, "bios", "q35"), "/_/ready",
                [("PUT", f"/hello.c?{query}") for query, _ in TASKS.values()])
    linux = Side(linux_arguments(pathlib.Path(work), image), "/ready",
                 [("POST", f"/{name}.cgi") for name, _ in zip("ab", TASKS)])
    return [measure("elfpack", ours, runs), measure("linux", linux, runs)]
