"""linux_ena.py: Linux' own ena.ko, of Debian's cloud kernel, as a guest of the ENA model: what keeps
the model honest. Debian's kernel is a download, kept where bench keeps it; lighttpd answers."""
import pathlib
import re
import shutil
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from linux_guest import add_server, archive_of, kernel_files  # noqa: E402
from model import EnaGuest  # noqa: E402

READY = "the web server is started"
# Its first start gives its queues up and makes them again.
INIT = f"""#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev /tmp /var/tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
insmod /modules/ena.ko
ifconfig lo up
ifconfig eth0 up
ifconfig eth0 down
ifconfig eth0 up
udhcpc -f -q -i eth0 -s /bin/take_lease
echo {READY}
exec /usr/sbin/lighttpd -D -f /etc/lighttpd.conf
"""
SCRIPTS = {
    "init": INIT,
    "bin/take_lease": '#!/bin/sh\n[ "$1" = bound ] && ifconfig $interface $ip netmask $subnet\n',
    "www/echo.cgi": '#!/bin/sh\necho "Content-type: text/plain"\necho\nexec cat\n',
    "www/counters.cgi": '#!/bin/sh\necho "Content-type: text/plain"\necho\n'
                        "exec cat /proc/net/dev /proc/interrupts\n",
}
NOT_DESTROYED = re.compile("failed to destroy.*", re.IGNORECASE)


def make_boot_arguments(folder):
    """(kernel, QEMU's further arguments) with everything in an initramfs."""
    cache = ROOT / "build/bench"
    cache.mkdir(parents=True, exist_ok=True)
    kernel, modules = kernel_files(cache)
    root = folder / "root"
    add_server(root, {})
    shutil.copy(modules["ena"], root / "modules/ena.ko")
    for name, text in SCRIPTS.items():
        (root / name).write_text(text)
        (root / name).chmod(0o755)
    (root / "www/page").write_text("hello\n")
    image = folder / "linux.pvh"  # the ending says that QEMU itself loads it
    image.symlink_to(kernel)
    return image, ("-initrd", str(archive_of(root)), "-append", "console=ttyS0")


class LinuxGuest(EnaGuest):
    def wait_ready(self, seconds=300):
        self.wait_console(READY, seconds)
        if refused := NOT_DESTROYED.search(self.console()):
            raise AssertionError(refused[0])
        while True:
            try:
                if self.request("GET", "/page", timeout=5)[0] == 200:
                    return time.monotonic() - self.started
            except OSError:
                assert time.monotonic() < self.started + seconds, self.console()

    def counters(self):
        return self.request("GET", "/counters.cgi")[2].decode()
