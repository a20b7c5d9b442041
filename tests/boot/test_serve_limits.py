"""`elfpack serve`'s limits of a job on Linux: by a cgroup where there is one to divide, and said
and done by rlimits where not. tests/boot/serve_in_cgroup shows the first in a guest of its own."""
import os
import pathlib
import re
import time

import pytest

from support.http_client import call, sh
from test_serve import Served

pytestmark = pytest.mark.xdist_group("serve")
MIB = 1 << 20
NONE = re.compile(r"elfpack: serve: no cgroup v2 for jobs, as (.+): memory is limited for each "
                  r"process, not a job(, and processes are not)?\n")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("limits")
    with open(folder / "said", "w+", encoding="utf-8") as said:
        process = Served("/bin/busybox", "--http-memory-bytes", str(64 * MIB), "--http-processes",
                         "20", stderr=said, env={**os.environ, "TMPDIR": str(folder)})
        process.said = (folder / "said").read_text()
        process.address = ("127.0.0.1", process.port)
        yield process
    assert process.stop() == 0
    assert not groups_of(process), "its groups are gone with it"


def groups_of(process):
    mounts = re.findall(r"^\S+ (\S+) cgroup2 ", pathlib.Path("/proc/self/mounts").read_text(), re.M)
    return [path for mount in mounts[:1]
            for path in pathlib.Path(mount).rglob(f"elfpack-{process.process.pid}")]


def is_running(mark):
    """Does a process of this machine sleep for so long?"""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:  # it has ended meanwhile
            pass
    return f"sleep\0{mark}\0".encode() in found


@pytest.fixture
def grouped(served):
    return not NONE.search(served.said)


def test_what_limits_jobs_is_a_cgroup_or_the_reason_why_it_is_none(served, grouped):
    assert bool(groups_of(served)) == grouped
    if grouped:
        assert served.said == ""
        return
    why, root = NONE.fullmatch(served.said).groups()
    assert bool(root) == (os.geteuid() == 0), "RLIMIT_NPROC does not bind root: setrlimit(2)"
    own = re.search(r"^0::(/.*)$", pathlib.Path("/proc/self/cgroup").read_text(), re.M)
    mount = re.search(r"^\S+ (\S+) cgroup2 ", pathlib.Path("/proc/self/mounts").read_text(), re.M)
    controllers = ""
    if own and mount:
        controllers = (pathlib.Path(mount[1]) / own[1].lstrip("/") / "cgroup.controllers").read_text()
    has_both = {"memory", "pids"} <= set(controllers.split())
    assert ("controllers" in why) == bool(own and mount and not has_both)


def test_program_that_fills_its_memory_is_422(served, grouped):
    answer, _ = call(served.address, "/?awk&BEGIN%7Bs%3D%22x%22;while(1)s%3Ds%20s%7D")
    assert answer.status == 422
    assert (answer.getheader("Elfpack-Outcome") == "oom") == grouped


def test_memory_of_a_job_is_that_of_all_its_processes_in_a_cgroup(served, grouped):
    """Three times 30 MiB, where a job has 64."""
    one = "x=$(head -c 30000000 /dev/zero | tr '\\0' x); sleep 1"
    answer, _ = call(served.address, sh(f"for i in 1 2 3; do ({one}) & done; wait"))
    assert answer.getheader("Elfpack-Outcome") == ("oom" if grouped else "exited")


def test_processes_of_a_fork_bomb_are_bounded_or_end_with_the_job(served, grouped):
    mark = str(100000 + os.getpid())
    script = f"i=0; while [ $i -lt 60 ]; do sleep {mark} & i=$((i+1)); done; wait"
    answer, said = call(served.address, sh(script, "_timeout=2s"))
    if grouped or os.geteuid() != 0:
        assert answer.status == 422 and b"fork" in said
    else:
        assert answer.status == 504
    assert not is_running(mark)
    assert call(served.address, "/?echo&next")[1] == b"next\n"


def test_job_whose_client_leaves_is_gone_with_all_it_made(served):
    mark = str(200000 + os.getpid())
    with pytest.raises(TimeoutError):
        call(served.address, sh(f"(sleep {mark} &) ; sleep {mark}"), timeout=1)
    deadline = time.monotonic() + 10
    while is_running(mark):
        assert time.monotonic() < deadline
