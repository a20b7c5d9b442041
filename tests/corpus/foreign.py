"""foreign.py: the test suites of others: where they come from, how a part of one is run, and how
its results are read.

A suite lays out a folder that holds what it needs; it is packed as /suites, and copied for each
part that runs natively. A part is one command in that folder, and says how each of its tests
ended: "pass", "fail" or "skip". Nothing of the suites is kept here: they come from Debian."""
import dataclasses
import glob
import os
import pathlib
import re
import shutil
import subprocess

from support.debian_source import debian_source

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/lib/python3.11"
GO_SOURCES = pathlib.Path("/usr/share/go-1.19/src")


@dataclasses.dataclass
class Part:
    name: str
    argv: list                 # {top} is the suite's folder
    seconds: int = 120         # natively; the image has five times that
    cwd: str = "."             # below the suite's folder


class Suite:
    """What is common: lay_out() fills the folder, parts() lists what is to be run there, and
    results() reads what a part printed. packed: this machine's files that the image needs."""
    name = ""
    packed = ()
    environment = {}

    def lay_out(self, top):
        raise NotImplementedError

    def parts(self, top):
        raise NotImplementedError

    def results(self, part, code, output):
        """How each test ended; one that ends as a whole has its part's name."""
        return {part.name: "pass" if code == 0 else "fail"}


def numbered(pairs):
    """Pairs of test and result as a dictionary: tests of one name are counted."""
    results = {}
    for name, result in pairs:
        unique, count = name, 1
        while unique in results:
            count += 1
            unique = f"{name} ({count})"
        results[unique] = result
    return results


class Busybox(Suite):
    """Every tool is the busybox under test, there and natively."""
    name = "busybox"
    packed = ("/bin/sh", "/bin/date", "/bin/false", "/bin/ls")
    environment = {"PATH": "{top}/tools", "ECHO": "{top}/tools/echo"}
    words = {"PASS": "pass", "FAIL": "fail", "SKIPPED": "skip", "UNTESTED": "skip"}

    def lay_out(self, top):
        source = debian_source("busybox", top.parent / "sources")
        shutil.copytree(source / "testsuite", top / "testsuite", symlinks=True)
        shutil.copy(source / "debian/config/pkg/static", top / ".config")
        shutil.copy("/bin/busybox", top / "busybox")
        (top / "tools").mkdir()
        listed = subprocess.run(["/bin/busybox", "--list"], capture_output=True, text=True,
                                check=True)
        for applet in listed.stdout.split():
            (top / "tools" / applet).symlink_to("../busybox")

    def parts(self, top):
        folder = top / "testsuite"
        names = {path.stem for path in folder.glob("*.tests")}
        names |= {path.name for path in folder.iterdir() if path.is_dir()}
        names = sorted(names - {"all_sourcecode"})
        # runtest makes hundreds of links each time: one for several applets.
        groups = [names[at:at + 16] for at in range(0, len(names), 16)]
        return [Part(f"{group[0]} to {group[-1]}", ["sh", "./runtest", *group], seconds=400,
                     cwd="testsuite") for group in groups]

    def results(self, part, code, output):
        found = re.findall(r"^(PASS|FAIL|SKIPPED|UNTESTED): (.*)$", output, re.M)
        return numbered((test, self.words[word]) for word, test in found)


class Bash(Suite):
    name = "bash"
    packed = ("/bin/bash-static", "/bin/sh", "/bin/dash", *(f"/usr/bin/{name}" for name in (
        "diff cat echo egrep pwd rm mkdir rmdir touch sleep grep sed tr sort wc ls ln mkfifo "
        "chmod expr basename dirname head tail cut date env test printf uname id tty kill mv "
        "cp awk mawk od cmp true false comm find mktemp seq tee uniq yes xargs stty").split()))
    environment = {"PATH": "{top}/tests:/usr/bin:/bin", "THIS_SH": "/bin/bash-static",
                   "BASH_TSTOUT": "/tmp/bash-test-output", "BUILD_DIR": "{top}"}

    def lay_out(self, top):
        source = debian_source("bash", top.parent / "sources")
        shutil.copytree(source / "tests", top / "tests", symlinks=True)
        for name in ("recho", "zecho", "printenv", "xcase"):
            subprocess.run(["gcc", "-static", "-w", "-O1", "-DHAVE_STDLIB_H", "-DHAVE_UNISTD_H",
                            "-I", source, "-I", source / "include", "-o", top / "tests" / name,
                            self.helper(source, name)], check=True, timeout=60)

    @staticmethod
    def helper(source, name):
        path = source / f"support/{name}.c"
        if name != "printenv" and "config.h" in path.read_text():
            (source / "config.h").touch()
        return path

    def parts(self, top):
        names = sorted(path.name for path in (top / "tests").glob("run-*"))
        return [Part(name[4:], ["sh", f"./{name}"], cwd="tests") for name in names
                if name not in ("run-all", "run-minimal", "run-gprof")]


class Python(Suite):
    """The modules that are about the system; those on the language alone prove nothing here."""
    name = "CPython"
    packed = ("/usr/bin/python3.11", PYTHON, f"{PYTHON}/test", "/bin/sh", "/bin/cat", "/bin/true",
              "/usr/bin/env", "/bin/echo", "/bin/sleep", "/bin/tar", "/usr/bin/zip", "/usr/bin/unzip",
              "/bin/bash", "/bin/dir", "/usr/bin/id",
              "/lib/x86_64-linux-gnu/libgcc_s.so.1")  # which the C library loads by itself
    # A job has no internet sockets: the parts on those of a job's own.
    sockets = " ".join(f"test_socket.{name}" for name in (
        "BasicSocketPairTest", "CmsgMacroTests", "RecvmsgIntoSCMRightsStreamTest",
        "RecvmsgIntoUnixStreamTest", "RecvmsgSCMRightsStreamTest", "RecvmsgUnixStreamTest",
        "SendRecvFdsTests", "SendmsgUnixStreamTest", "TestLinuxAbstractNamespace", "TestUnixDomain"))
    modules = (
        "test_os test_posix test_subprocess test_threading test_thread test_threadsignals "
        "test_signal test_mmap test_select test_selectors test_poll test_epoll test_tempfile "
        f"test_io test_fileio test_file test_bufio {sockets} test_fcntl test_ioctl test_pty "
        "test_shutil test_pathlib test_glob test_time test_resource test_wait3 test_wait4 "
        "test_fork1 test_stat test_popen test_posixpath test_openpty test_eintr "
        "test_file_eintr test_faulthandler test_queue test_mailbox test_dbm_dumb "
        "test_fileinput test_filecmp test_genericpath test_getpass test_platform "
        "test_concurrent_futures test_unicode_file test_zipimport test_sys test_site "
        "test_asyncio.test_unix_events test_asyncio.test_selector_events "
        "test_asyncio.test_subprocess test_asyncio.test_streams test_asyncio.test_locks "
        "test_asyncio.test_tasks test_asyncio.test_queues test_asyncio.test_runners "
        "test_zipfile test_tarfile test_gzip test_bz2 test_lzma test_zlib test_largefile "
        "test_pwd test_grp test_atexit test_pipes test_socketserver test_threadedtempfile "
        "test_threading_local test_contextlib test_shelve test_uuid test_pkgutil").split()

    def lay_out(self, top):
        shutil.copy(HERE / "programs/run_unittest.py", top)

    def parts(self, top):
        return [Part(name, ["/usr/bin/python3.11", "{top}/run_unittest.py", name], seconds=240)
                for name in self.modules]

    def results(self, part, code, output):
        found = re.findall(r"^@@ (\w+) (?:test\.)?(.*)$", output, re.M)
        results = numbered((test, result) for result, test in found)
        if code != 0:
            results[f"{part.name}: its end"] = "fail"
        return results


class Go(Suite):
    name = "Go"
    packed = ("/bin/sh", "/bin/cat", "/bin/echo", "/bin/ls", "/bin/sleep", "/usr/bin/env",
              "/usr/bin/go", "/usr/bin/id", "/usr/bin/nohup", "/bin/hostname", "/etc/hosts",
              "/bin/pwd", "/bin/date", "/etc/passwd", "/etc/group")
    environment = {"GOROOT": "{top}"}
    packages = ("os", "os/exec", "os/signal", "os/user", "syscall", "time", "runtime", "sync",
                "sync/atomic", "path/filepath", "io", "io/fs", "io/ioutil", "bufio", "context",
                "internal/poll", "runtime/debug", "archive/tar", "text/template", "log")
    # Of a package, the test that takes the others with it where there are no internet sockets: it
    # closes the listener that it did not get.
    ending = {"runtime": "TestGoroutineParallelism2"}

    def lay_out(self, top):
        environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false",
                       "GO111MODULE": "off", "GOCACHE": str(top.parent / "go-cache")}
        for package in self.packages:
            folder = top / "src" / package
            shutil.copytree(GO_SOURCES / package, folder, dirs_exist_ok=True)
            subprocess.run(["go", "test", "-c", "-tags", "timetzdata", "-o",
                            top / self.binary(package), package],
                           env=environment, check=True, capture_output=True, timeout=600)

    @staticmethod
    def binary(package):
        return package.replace("/", "-") + ".test"

    def part(self, package, name, *options):
        return Part(name, [f"{{top}}/{self.binary(package)}", "-test.v", "-test.short", *options],
                    seconds=240, cwd=f"src/{package}")

    def parts(self, top):
        parts = []
        for package in self.packages:
            ending = self.ending.get(package)
            if not ending:
                parts.append(self.part(package, package))
                continue
            listed = subprocess.run([top / self.binary(package), "-test.list", "."], check=True,
                                    capture_output=True, text=True, timeout=60).stdout.split()
            others = "|".join(sorted(set(listed) - {ending}))
            parts += [self.part(package, package, "-test.run", f"^({others})$"),
                      self.part(package, f"{package} {ending}", "-test.run", f"^{ending}$")]
        return parts

    def results(self, part, code, output):
        found = re.findall(r"^ *--- (PASS|FAIL|SKIP): (\S+) \(", output, re.M)
        results = numbered((f"{part.name}: {test}", word.lower()) for word, test in found)
        if code != 0:
            results[f"{part.name}: its end"] = "fail"
        return results


class StressNg(Suite):
    """One instance of each stressor for a number of rounds that fits an emulated processor."""
    name = "stress-ng"
    packed = ("/usr/bin/stress-ng", "/bin/sh")
    stressors = {
        "cpu": 8, "vm": 20, "fork": 60, "vfork": 60, "clone": 60, "exec": 30, "pthread": 200,
        "futex": 2000, "pipe": 2000, "pipeherd": 300, "mmap": 4, "mmapfork": 2, "mmapmany": 2,
        "mremap": 20, "msync": 20, "madvise": 10, "mincore": 50, "mlock": 20, "mprotect": 200,
        "brk": 2000, "stack": 20, "bigheap": 200, "malloc": 2000, "memfd": 4, "shm": 4,
        "hdd": 20, "copy-file": 20, "dentry": 200, "dir": 200, "dirdeep": 1, "dirmany": 100,
        "fallocate": 10, "fcntl": 200, "fiemap": 10, "file-ioctl": 50, "filename": 20, "flock": 500,
        "fstat": 50, "fpunch": 4, "getdent": 100, "inotify": 4, "io": 100, "iomix": 50, "link": 1,
        "lockf": 200, "lockofd": 200, "locka": 200, "metamix": 2, "open": 500, "readahead": 50,
        "rename": 500, "revio": 50, "seek": 200, "sendfile": 50, "splice": 200, "symlink": 1,
        "sync-file": 5, "tee": 200, "touch": 500, "utime": 500, "vm-splice": 200,
        "xattr": 5, "chdir": 200, "chmod": 50, "chown": 50, "dup": 200, "epoll": 20, "eventfd": 500,
        "handle": 50, "poll": 200, "sigabrt": 20, "sigchld": 50, "sigfd": 200, "sigfpe": 500,
        "sigio": 20, "signal": 2000, "signest": 20, "sigpending": 500, "sigpipe": 20, "sigq": 500,
        "sigrt": 200, "sigsegv": 500, "sigsuspend": 200, "sigtrap": 500, "sem": 500, "get": 20,
        "getrandom": 50, "nanosleep": 20, "clock": 20, "timer": 500, "timerfd": 500, "itimer": 200,
        "switch": 500, "yield": 2000, "wait": 20, "zombie": 200, "null": 2000, "zero": 500,
        "full": 500, "urandom": 50, "sockpair": 50, "sockfd": 50, "membarrier": 50, "rseq": 1000,
        "vdso": 2000, "set": 20, "session": 20, "resources": 2, "remap": 5, "prctl": 20,
        "pidfd": 50, "pageswap": 5, "mutex": 500, "judy": 1, "hsearch": 2, "qsort": 1, "memcpy": 10,
        "str": 50, "tree": 1, "radixsort": 1, "zlib": 2, "crypt": 5, "affinity": 50, "schedpolicy": 20,
        "kill": 500, "loadavg": 20, "procfs": 1, "sysinfo": 50, "personality": 5, "env": 2}

    def lay_out(self, top):
        pass

    def parts(self, top):
        return [Part(name, ["/usr/bin/stress-ng", f"--{name}", "1", f"--{name}-ops", str(count),
                            "--verify", "--timeout", "30", "--vm-bytes", "16m", "--hdd-bytes", "8m",
                            "--temp-path", "/tmp"], seconds=60)
                for name, count in self.stressors.items()]

    def results(self, part, code, output):
        # 3 and 4: it says itself that it cannot run here.
        return {part.name: {0: "pass", 3: "skip", 4: "skip"}.get(code, "fail")}


SUITES = [Busybox(), Bash(), Python(), Go(), StressNg()]
