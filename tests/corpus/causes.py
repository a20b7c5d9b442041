"""causes.py: why tests of the foreign suites that pass natively do not in an image: the suite, the
test (a pattern), the cause. The first that fits counts."""

CAUSES = [
    ("busybox", "taskset (get from pid 1)",
     "a job has no process 1: its program is 2, for nothing takes it for an init"),
    ("busybox", "hostname-d-works", "an image has no /etc/hosts, so its name does not resolve"),
    ("Go", "os/exec: TestExtraFilesRace", "a job has no internet sockets"),
    ("Go", "runtime* TestGoroutineParallelism2*", "a job has no internet sockets"),
    ("Go", "runtime: TestMemmoveOverflow", "it maps more than the job may have"),
    ("Go", "internal/poll: TestReadError/ErrNotPollable", "there is no /dev/net/tun"),
    ("CPython", "test_os.TestSendfile.*", "a job has no internet sockets"),
    ("CPython", "test_signal.WakeupFDTests.*socket*", "a job has no internet sockets"),
]
