"""build.py: the corpus' own programs, compiled, and an image of an image's worth of cases."""
import os
import pathlib
import shutil
import subprocess
import tarfile

from support.guest import build_image

MUSL = "/lib/ld-musl-x86_64.so.1"
HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE / "programs"
GO = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GO111MODULE": "off"}

# Name: (what has to be installed, command); {out} is the program, {src} the folder of sources.
RECIPES = {
    "hello-static": ("gcc", "gcc -O2 -static -o {out} {src}/hello.c -lm"),
    "hello-static-pie": ("gcc", "gcc -O2 -static-pie -o {out} {src}/hello.c -lm"),
    "hello-dynamic": ("gcc", "gcc -O2 -o {out} {src}/hello.c -lm"),
    "hello-musl": ("musl-gcc", "musl-gcc -O2 -static -o {out} {src}/hello.c"),
    "hello-musl-dynamic": ("musl-gcc", "musl-gcc -O2 -o {out} {src}/hello.c"),
    "exceptions-static": ("g++", "g++ -O2 -static -pthread -o {out} {src}/exceptions.cc"),
    "exceptions-dynamic": ("g++", "g++ -O2 -pthread -o {out} {src}/exceptions.cc"),
    "hello-go": ("go", "go build -o {out} {src}/hello.go"),
    "parallel-go": ("go", "go build -o {out} {src}/parallel.go"),
    "threads-rust": ("rustc", "rustc -O -o {out} {src}/threads.rs"),
}


def compile_programs(folder, names):
    """Compiles what can be compiled here; returns name to path."""
    made = {}
    for name in sorted(names):
        tool, command = RECIPES[name]
        out = pathlib.Path(folder) / name
        if not shutil.which(tool):
            continue
        words = command.format(out=out, src=SOURCES).split()
        environment = {**os.environ, **GO, "GOCACHE": f"{folder}/go-cache"}
        ended = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
        if ended.returncode == 0:
            made[name] = out
        elif "target may not be installed" not in ended.stderr:
            raise AssertionError(f"{' '.join(words)}: {ended.stderr}")
    return made


def libraries(path):
    """What ldd says a program loads, by the paths the loader will use."""
    with open(path, "rb") as f:
        start = f.read(4096)
    if not start.startswith(b"\x7fELF"):
        return []
    if MUSL.encode() in start:
        return [MUSL]
    listed = subprocess.run(["ldd", path], capture_output=True, text=True, timeout=60).stdout
    words = (word for line in listed.splitlines() for word in line.split())
    return [word for word in words if word.startswith("/")]


class Packing:
    """A tar of this machine's files at their own paths, links as links."""

    def __init__(self, path):
        self.tar = tarfile.open(path, "w")
        self.seen = set()

    def add(self, path, source=None):
        """path and the links that lead to it; source: where its bytes are, if elsewhere."""
        path = os.path.normpath(path)
        if path == "/" or path in self.seen:
            return
        parent = os.path.dirname(path)
        if source is None and os.path.realpath(parent) != parent:
            self.add_links(parent)
            return self.add(os.path.join(os.path.realpath(parent), os.path.basename(path)))
        self.seen.add(path)
        if source is None and os.path.islink(path):
            self.tar.add(path, recursive=False)
            return self.add(os.path.join(parent, os.readlink(path)))
        if source is None and os.path.isdir(path):
            for name in sorted(os.listdir(path)):
                if name not in ("__pycache__", "test", "dist-packages"):
                    self.add(os.path.join(path, name))
        elif os.path.isfile(source or path):
            self.tar.add(source or path, arcname=path, recursive=False)
            for library in libraries(source or path) if self.loads(source or path) else ():
                self.add(library)

    def add_links(self, folder):
        """The links among a folder's own parents, as /lib is one to /usr/lib."""
        at = "/"
        for part in folder.strip("/").split("/"):
            at = os.path.join(at, part)
            if os.path.islink(at):
                if at not in self.seen:
                    self.seen.add(at)
                    self.tar.add(at, recursive=False)
                at = os.path.realpath(at)

    @staticmethod
    def loads(path):
        return os.access(path, os.X_OK) or ".so" in os.path.basename(path)


def available(case, programs):
    program = case.argv[0]
    if program.startswith("/corpus/"):
        return os.path.basename(program) in programs
    return os.path.exists(program)


def corpus_image(path, cases, programs, memory="1G"):
    """An HTTP image of busybox that holds what the cases need."""
    archive = pathlib.Path(f"{path}.tar")
    packing = Packing(archive)
    for case in cases:
        program = case.argv[0]
        packing.add(program, programs.get(os.path.basename(program))
                    if program.startswith("/corpus/") else None)
        for extra in case.needs:
            packing.add(extra)
    for extra in ("/bin/sh", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/ld.so.cache"):
        packing.add(extra)
    packing.tar.close()
    try:
        return build_image(path, "/bin/busybox", "--http", "--archive", f"{archive}:/",
                           "--memory", memory, "--http-wall-ms", "600000", "--http-processes",
                           "1000", "--http-open-files", "16384", "--http-files-out-bytes", "256M")
    finally:
        archive.unlink()
