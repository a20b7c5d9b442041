"""Programs that misbehave spoil their own request only: each gets its status, and the next
request is served at once."""
import time

import pytest

from support.http_client import call, sh

# Signals whose default is to end a process: signal(7).
DEADLY = [n for n in range(1, 32) if n not in (17, 18, 19, 20, 21, 22, 23, 28)]


@pytest.fixture(autouse=True)
def next_request_is_served(address):
    yield
    answer, data = call(address, "/?echo&still+here")
    assert (answer.status, data) == (200, b"still here\n")


def outcome(answer):
    return answer.getheader("Elfpack-Outcome")


@pytest.mark.parametrize("script", [
    "while :; do :; done", "sleep 60", "cat /dev/zero > /dev/null", "kill -STOP $$",
    "trap '' TERM INT HUP; while :; do sleep 1; done",
])
def test_program_that_never_ends_is_504_at_its_deadline(address, script):
    begun = time.monotonic()
    answer, _ = call(address, sh(script, "_timeout=700ms"))
    assert (answer.status, outcome(answer)) == (504, "timeout")
    assert 0.6 < time.monotonic() - begun < 5


@pytest.mark.parametrize("script", [
    "while :; do sleep 60 & done",
    "f() { sleep 0.1; f & f & wait; }; f",
])
def test_program_that_forks_for_ever_ends_with_all_it_made(address, script):
    answer, _ = call(address, sh(script, "_timeout=700ms"))
    assert answer.status in (422, 504)
    assert outcome(answer) in ("timeout", "exited", "signaled", "oom")


def test_children_do_not_outlive_their_program(address):
    begun = time.monotonic()
    answer, data = call(address, sh("sleep 60 & (sleep 60 &) ; echo done"))
    assert (answer.status, data) == (200, b"done\n")
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("query", [
    "/?dd&if=/dev/zero&of=/dev/null&bs=1000M&count=1",
    "/?awk&BEGIN%7Bs%3D%22x%22;while(1)s%3Ds%20s%7D",
])
def test_program_that_fills_memory_fails_with_422(address, query):
    answer, _ = call(address, query)
    assert answer.status == 422
    assert outcome(answer) in ("oom", "signaled", "exited")
    assert outcome(answer) != "exited" or answer.getheader("Elfpack-Exit-Code") != "0"


def test_program_that_fills_its_files_fails_with_422(address):
    answer, _ = call(address, "/?dd&if=/dev/zero&of=big&bs=1M&_timeout=10s")
    assert answer.status == 422
    assert outcome(answer) in ("oom", "signaled", "exited")


def test_program_that_makes_files_for_ever_is_ended(address):
    answer, _ = call(address, sh("i=0; while :; do echo x > $i || exit 9; i=$((i+1)); done",
                                 "_timeout=1s"))
    assert answer.status in (422, 504)


@pytest.mark.parametrize("script", ["yes", "yes >&2", "cat /dev/zero", "yes & yes >&2"])
def test_program_that_writes_without_end_is_504(address, script):
    answer, _ = call(address, sh(script + "; wait", "_timeout=700ms"))
    assert (answer.status, outcome(answer)) == (504, "timeout")


def test_program_that_closes_its_output_early_still_has_its_status(address):
    answer, _ = call(address, sh("echo early; exec >&- 2>&-; sleep 0.3; exit 3"))
    assert (answer.status, answer.getheader("Elfpack-Exit-Code")) == (422, "3")
    answer, data = call(address, sh("echo early; exec >&- 2>&-; sleep 0.3"))
    assert (answer.status, data) == (200, b"early\n")


def test_program_that_does_not_read_its_input_is_no_error(address):
    body = bytes(4 << 20)
    for target in ("/?true", "/?head&-c&1", sh("exec <&-; sleep 0.2")):
        assert call(address, target, "POST", body)[0].status == 200


@pytest.mark.parametrize("number", DEADLY)
def test_program_that_dies_by_a_signal_is_422_and_the_signal_told(address, number):
    # Not the shell itself, which ignores QUIT.
    answer, _ = call(address, sh(f"(sleep 0.1; kill -{number} $$) & exec sleep 5"))
    assert (answer.status, outcome(answer)) == (422, "signaled")
    assert answer.getheader("Elfpack-Signal") == str(number)
    assert answer.getheader("Elfpack-Exit-Code") is None


@pytest.mark.parametrize("number", [17, 18, 23, 28])
def test_ignored_signals_end_nothing(address, number):
    answer, data = call(address, sh(f"kill -{number} $$; echo alive"))
    assert (answer.status, data) == (200, b"alive\n")


def test_every_exit_code_is_told(address):
    for code in (1, 2, 77, 126, 127, 128, 137, 255):
        answer, _ = call(address, sh(f"exit {code}"))
        assert (answer.status, answer.getheader("Elfpack-Exit-Code")) == (422, str(code))


def test_output_beyond_its_limit_is_cut_and_said(front_with):
    address = front_with("limit.stdout_bytes=1000", "limit.stderr_bytes=500").address
    script = "yes | head -c 100000; yes e | head -c 100000 >&2"
    answer, data = call(address, sh(script))
    assert answer.status == 200 and data == (b"y\n" * 500)
    assert answer.getheader("Elfpack-Truncated") == "stdout, stderr"
    answer, _ = call(address, sh("yes e | head -c 501 >&2"))
    assert answer.getheader("Elfpack-Truncated") == "stderr"
    answer, data = call(address, sh("yes | head -c 1000; yes e | head -c 500 >&2"))
    assert len(data) == 1000 and answer.getheader("Elfpack-Truncated") is None


def test_too_many_bytes_of_files_out_are_output_limit(front_with):
    address = front_with("limit.files_out_bytes=1000").address
    script = "head -c 600 /dev/zero > a; head -c 600 /dev/zero > b"
    assert len(call(address, sh(script, "_out=a"))[1]) == 600
    answer, _ = call(address, sh(script, "_out=a", "_out=b", "_format=json"))
    assert outcome(answer) == "output-limit"
    answer, _ = call(address, sh("head -c 1001 /dev/zero > c", "_out=c"))
    assert (answer.status, outcome(answer)) == (422, "output-limit")
