"""compare.py: one case here and in a guest, and what differs."""
import base64
import fnmatch
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from cases import ENVIRONMENT
from build import HERE


def input_files(case):
    return {name: next(path for path in (HERE / "scripts" / name, HERE / "programs" / name)
                       if path.exists()).read_bytes() for name in case.files}


def environment_of(case):
    return {**ENVIRONMENT, **dict(case.environment)}


def run_here(case, programs):
    """Result as (how it ended, stdout, stderr, {file: digest}), seconds."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in input_files(case).items():
            (pathlib.Path(folder) / name).write_bytes(data)
        program = case.argv[0]
        if program.startswith("/corpus/"):
            program = str(programs[os.path.basename(program)])
        started = time.monotonic()
        ended = subprocess.run(case.argv, executable=program, cwd=folder, input=case.stdin,
                               env=environment_of(case), capture_output=True,
                               timeout=case.seconds, start_new_session=True)
        seconds = time.monotonic() - started
        files = {name: hashlib.sha256((pathlib.Path(folder) / name).read_bytes()).hexdigest()
                 for name in os.listdir(folder)
                 if any(fnmatch.fnmatch(name, glob) for glob in case.out)}
    how = f"exit {ended.returncode}"
    if ended.returncode < 0:
        how = signal.Signals(-ended.returncode).name
    return (how, ended.stdout, ended.stderr, files), seconds


def stream_bytes(stream):
    data = stream["data"]
    return base64.b64decode(data) if stream["encoding"] == "base64" else data.encode()


def run_there(case, guest):
    variables = [f"{name}={value}" for name, value in environment_of(case).items()]
    files = {name: {"base64": base64.b64encode(data).decode()}
             for name, data in input_files(case).items()}
    body = {"argv": ["env", "-i", *variables, *case.argv], "files": files, "out": list(case.out),
            "stdin": {"base64": base64.b64encode(case.stdin).decode()}}
    started = time.monotonic()
    status, _, answer = guest.request("POST", "/_/run", json.dumps(body).encode(),
                                      {"Content-Type": "application/json"},
                                      timeout=10 * case.seconds)
    seconds = time.monotonic() - started
    if status != 200:
        return (f"status {status}", b"", answer, {}), seconds
    result = json.loads(answer)
    how = {"exited": f"exit {result['exit_code']}"}.get(result["outcome"], result["outcome"])
    if result["outcome"] == "signaled":
        number = result["signal"]
        how = signal.Signals(number).name if isinstance(number, int) else number
    return (how, stream_bytes(result["stdout"]), stream_bytes(result["stderr"]),
            {file["path"]: file["sha256"] for file in result["files"]}), seconds


def differences(case, here, there):
    """Lines that say what is not equal; none when the runs are."""
    lines = []
    if here[0] != there[0]:
        lines.append(f"ended with {there[0]}, natively {here[0]}")
    for name, one, other in (("stdout", here[1], there[1]), ("stderr", here[2], there[2])):
        if one != other and (name == "stdout" or case.stderr):
            lines += line_difference(name, one, other)
    for name in sorted({*here[3], *there[3]}):
        if here[3].get(name) != there[3].get(name):
            lines.append(f"file {name}: {there[3].get(name)}, natively {here[3].get(name)}")
    if lines and there[2] != here[2]:
        lines.append("stderr there: " + there[2].decode(errors="replace")[-1500:])
    return lines


def line_difference(name, one, other):
    here, there = one.splitlines(), other.splitlines()
    for n in range(max(len(here), len(there))):
        a = here[n] if n < len(here) else None
        b = there[n] if n < len(there) else None
        if a != b:
            return [f"{name} line {n + 1}: {b!r:.300}, natively {a!r:.300}"]
    return [f"{name} differs in line ends"]


def complaints(guest):
    """What the kernel says of itself after the jobs: pages lost, panics, accounts not empty."""
    console = guest.console()
    bad = [line for line in console.splitlines()
           if "still charged" in line or "panic" in line.lower()]
    leaked = {name: value for name, value in guest.metrics().items() if "leak" in name}
    if not leaked or any(leaked.values()):
        bad.append(f"pages leaked: {leaked}")
    return bad
