"""causes.py: why tests of the foreign suites that pass natively do not in an image: the suite, the
test (a pattern), the cause. The first that fits counts."""

CAUSES = [
    ("busybox", "taskset (get from pid 1)",
     "a job has no process 1: its program is 2, for nothing takes it for an init"),
    ("busybox", "hostname-d-works", "an image has no /etc/hosts, so its name does not resolve"),
    ("CPython", "test_os.TestSendfile.*", "a job has no internet sockets"),
    ("CPython", "test_signal.WakeupFDTests.*socket*", "a job has no internet sockets"),
    ("CPython", "test_os.FDInheritanceTests.test_openpty", "pseudo-terminals were missing"),
    ("CPython", "test_signal.PidfdSignalTest.*", "pidfd_send_signal takes no folder of /proc for a pidfd"),
    ("stress-ng", "mprotect", "ran into its deadline under emulation on a busy machine"),
    ("stress-ng", "tee", "tee took unknown flags; it refuses them since"),
]
