"""causes.py: why tests of the foreign suites that pass natively do not in an image: the suite, the
test (a pattern), the cause. The first that fits counts."""

OWNER = "modes do not keep a job's user 0 from its files, though it has no capabilities"
NOBODY = "a job has no other users: to become one is EINVAL, as in a user namespace of one"

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
    ("CPython", "test_epoll.TestEPoll.*", "a job has no internet sockets"),
    ("CPython", "test_asyncio.test_unix_events.*SockSendfileTests.*", "a job has no internet sockets"),
    ("CPython", "test_asyncio.test_unix_events.*_path_inetsock", "a job has no internet sockets"),
    ("CPython", "test_eintr.EINTRTests.test_all", "a job has no internet sockets (its test_accept)"),
    ("CPython", "test_fcntl.TestFcntl.test_fcntl_64_bit",
     "F_NOTIFY is EINVAL: what changes in a folder is told by inotify"),
    ("CPython", "test_subprocess.POSIXProcessTestCase.test_user", NOBODY),
    ("CPython", "test_subprocess.POSIXProcessTestCase.test_group", NOBODY),
    ("CPython", "test_tempfile.*.test_read_only_directory", OWNER),
    ("CPython", "test_shutil.TestRmTree.test_on_error", OWNER),
    ("CPython", "test_shutil.TestWhich*.test_non_matching_mode", OWNER),
]
