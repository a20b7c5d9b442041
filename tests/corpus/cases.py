"""cases.py: the programs that run natively and in an image, one row each.

argv runs in a folder that holds the files named (from scripts/, or bytes given here) and nothing
else; standard output, how it ended, and the files it leaves that match out have to be equal.
needs names what has to be in the image beyond its argv[0]: programs with their libraries, and
folders. tools are what has to be installed here, else the case is skipped."""
import dataclasses
import glob

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/", "LC_ALL": "C", "CORPUS": "set"}


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    argv: tuple
    files: tuple = ()          # names in scripts/ or programs/
    stdin: bytes = b""
    out: tuple = ()
    needs: tuple = ()          # more programs and folders of this machine
    image: str = "quick"       # cases of one image share a boot
    seconds: int = 60
    environment: tuple = ()
    stderr: bool = False       # compare standard error too


def case(name, line, **rest):
    """A row whose command is one line, split at spaces."""
    return Case(name, tuple(line.split(" ")), **rest)


TEXT = b"".join(b"%d the quick brown fox %d\n" % (n, n * n % 977) for n in range(40000))
BUILD = "/corpus/"  # compiled here: build.py
TOOLS = ("/bin/bash", *(f"/usr/bin/{name}" for name in (
    "sort", "cat", "diff", "seq", "tail", "yes", "head", "sleep", "mkfifo", "grep")))
LIBGCC = tuple(path for name in ("include", "*.o", "libgcc*", "libstdc++.so", "libstdc++.a")
               for path in glob.glob(f"/usr/lib/gcc/x86_64-linux-gnu/12/{name}"))
GCC = (*LIBGCC, *(f"/usr/lib/gcc/x86_64-linux-gnu/12/{name}" for name in (
    "cc1", "cc1plus", "collect2", "lto-wrapper", "liblto_plugin.so")))
HEADERS = tuple(path for pattern in ("*.h", "x86_64-linux-gnu", "linux", "asm-generic", "c++/12")
                for path in glob.glob(f"/usr/include/{pattern}"))
LIBRARIES = ("*crt*.o", "libc.so*", "libc.a", "libc_nonshared.a", "libm.so*", "libm.a", "libm-*.a",
             "libmvec*", "libgcc_s.so*", "libdl.a", "libpthread.a")
LINKING = ("/usr/bin/as", "/usr/bin/ld", "/lib64/ld-linux-x86-64.so.2",
           *(path for pattern in LIBRARIES
             for path in glob.glob(f"/usr/lib/x86_64-linux-gnu/{pattern}")))
PYTHON = ("/usr/lib/python3.11", "/usr/bin/python3.11", "/bin/sh")
NODE = ("/bin/sh",)

CASES = (
    case("bash script", "/bin/bash-static bash.sh", files=("bash.sh",), needs=TOOLS),
    case("busybox script", "/bin/busybox sh busybox.sh", files=("busybox.sh",)),
    case("C, static", BUILD + "hello-static a b", stderr=True),
    case("C, static-PIE", BUILD + "hello-static-pie a b", stderr=True),
    case("C, dynamic", BUILD + "hello-dynamic a b", stderr=True),
    case("C, musl static", BUILD + "hello-musl a b", stderr=True),
    case("C, musl dynamic", BUILD + "hello-musl-dynamic a b", stderr=True),
    case("C++, static", BUILD + "exceptions-static"),
    case("C++, dynamic", BUILD + "exceptions-dynamic"),
    case("Go hello", BUILD + "hello-go x y"),
    case("Go parallel", BUILD + "parallel-go"),
    case("Rust threads", BUILD + "threads-rust", out=("rust.txt",)),
    case("perl", "/usr/bin/perl perl.pl", files=("perl.pl",),
         needs=("/usr/lib/x86_64-linux-gnu/perl-base", "/usr/lib/x86_64-linux-gnu/perl/5.36",
                "/usr/share/perl/5.36", "/bin/sh")),
    Case("sqlite3", ("/usr/bin/sqlite3", "t.db", ".read sqlite.sql"), files=("sqlite.sql",),
         out=("t.db",)),
    Case("jq", ("/usr/bin/jq", "-c", "[.[] | {k: .a, s: (.b | length)}] | sort_by(.s)"),
         stdin=b'[{"a": 1, "b": "xyz"}, {"a": 2, "b": "q"}]'),
    case("jq, bad input", "/usr/bin/jq .", stdin=b"{", stderr=True),
    case("xz", "/usr/bin/xz -9 -T1 -c", stdin=TEXT),
    case("xz -T0", "/usr/bin/xz -2 -T2 --block-size=200000 -c", stdin=TEXT),
    case("zstd -T0", "/usr/bin/zstd -T2 -9 -c", stdin=TEXT),
    case("ripgrep", "/usr/bin/rg -j2 -n fox bash.sh perl.pl python.py", files=(
        "bash.sh", "perl.pl", "python.py")),
    case("tcc", "/usr/bin/tcc -o a.out hello.c -lm", files=("hello.c",), out=("a.out",),
         needs=("/usr/lib/x86_64-linux-gnu/tcc", *HEADERS, *LINKING), image="compilers"),
    case("gcc -O2", "/usr/bin/gcc-12 -O2 -o a.out hello.c -lm", files=("hello.c",), out=("a.out",),
         needs=(*GCC, *HEADERS, *LINKING), image="compilers", seconds=120),
    case("gcc -pipe, an error", "/usr/bin/gcc-12 -pipe -c bash.sh hello.c -DNULL=( ",
         files=("bash.sh", "hello.c"), needs=(*GCC, *HEADERS, *LINKING),
         image="compilers", stderr=True, seconds=120),
    case("g++", "/usr/bin/g++-12 -O1 -pthread -o a.out exceptions.cc", files=("exceptions.cc",),
         out=("a.out",), needs=("/usr/lib/x86_64-linux-gnu/libstdc++.so.6", *GCC, *HEADERS,
                                *LINKING),
         image="compilers", seconds=240),
    case("clang", "/usr/bin/clang-14 -O2 -fuse-ld=lld -o a.out hello.c -lm", files=("hello.c",),
         out=("a.out",), needs=("/usr/lib/llvm-14/bin/clang", "/usr/lib/llvm-14/bin/lld",
                                "/usr/lib/llvm-14/lib/clang/14.0.6/include", "/usr/bin/ld.lld",
                                "/usr/bin/ld.lld-14", "/usr/lib/llvm-14/bin/ld.lld", *LINKING,
                                *HEADERS, *LIBGCC), image="clang", seconds=240),
    case("python3", "/usr/bin/python3.11 python.py", files=("python.py",), needs=PYTHON,
         image="python", seconds=120),
    case("node", "/usr/bin/node node.js", files=("node.js",), needs=NODE, image="node",
         seconds=240),
    *(case(f"stress-ng {name}", f"/usr/bin/stress-ng --verify --temp-path . --{line} -q",
           image="stress", seconds=180)
      for name, line in (("fork", "fork 2 --fork-ops 400"),
                         ("pthread", "pthread 2 --pthread-ops 400"),
                         ("futex", "futex 2 --futex-ops 20000"),
                         ("pipe", "pipe 2 --pipe-ops 20000"),
                         ("mmap", "mmap 1 --mmap-ops 20 --mmap-bytes 8M"),
                         ("vm", "vm 1 --vm-ops 4000 --vm-bytes 16M"),
                         ("cpu", "cpu 2 --cpu-ops 40"),
                         ("hdd", "hdd 1 --hdd-ops 200 --hdd-bytes 4M"),
                         ("switch", "switch 2 --switch-ops 20000"),
                         ("signal", "sigq 2 --sigq-ops 5000"),
                         ("poll", "poll 2 --poll-ops 5000"),
                         ("eventfd", "eventfd 2 --eventfd-ops 5000"),
                         ("mremap", "mremap 1 --mremap-ops 10 --mremap-bytes 8M"),
                         ("madvise", "madvise 1 --madvise-ops 50"),
                         ("exec", "exec 1 --exec-ops 50"),
                         ("vfork", "vfork 1 --vfork-ops 500"),
                         ("clone", "clone 1 --clone-ops 200"),
                         ("dir", "dir 1 --dir-ops 20"),
                         ("rename", "rename 1 --rename-ops 5000"),
                         ("timer", "timerfd 1 --timerfd-ops 2000"),
                         ("epoll", "sockpair 1 --sockpair-ops 5000"),
                         ("fault", "fault 1 --fault-ops 2000"))),
)
IMAGES = tuple(dict.fromkeys(case.image for case in CASES))
