"""The unit that `elfpack init systemd` writes, run as systemd would: its commands, one by one."""
import re
import shlex
import subprocess
import time
import urllib.request

import pytest

from support.guest import ELFPACK, free_port

pytestmark = pytest.mark.xdist_group("busybox_image")


def commands(unit, name, **replaced):
    """The words of each command that the unit has under a name."""
    text = unit.read_text().replace("\\\n", " ")
    for old, new in replaced.values():
        assert old in text
        text = text.replace(old, new)
    return [shlex.split(line) for line in re.findall(rf"^{name}=(.*)$", text, re.M)]


def answers(process, url, seconds=30):
    """Waits until the machine says that it is ready."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_/ready", timeout=2) as reply:
                return reply.status == 200
        except OSError:
            time.sleep(0.01)
    return False


def test_unit_starts_answers_and_stops_by_the_power_button(busybox_image, tmp_path):
    port = free_port()
    subprocess.run([ELFPACK, "init", "systemd", tmp_path, "--set", f"listen=127.0.0.1:{port}"],
                   check=True, capture_output=True)
    runtime = tmp_path / "run"
    (runtime / "elfpack").mkdir(parents=True)
    here = {"runtime": ("%t", str(runtime)),
            "image": ("/var/lib/elfpack/elfpack.img", str(busybox_image)),
            "emulated": ("-accel kvm ", "")}
    unit = tmp_path / "elfpack.service"
    for words in commands(unit, "ExecStartPre", **here):
        subprocess.run(words, check=True)
    words, = commands(unit, "ExecStart", **here)
    with open(tmp_path / "console", "wb") as console:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=console,
                                   stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        assert answers(process, url), (tmp_path / "console").read_text(errors="replace")
        with urllib.request.urlopen(f"{url}/?cat&/usr/share/words", timeout=20) as reply:
            assert reply.read() == b"pear\napple\nfig\n"
        stop, = commands(unit, "ExecStop", **here, main=("$MAINPID", str(process.pid)))
        ending = subprocess.Popen(stop)
        assert process.wait(timeout=30) == 0
        assert ending.wait(timeout=30) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
