"""monitor.py: QEMU's human monitor on a socket of the test's folder."""
import contextlib
import socket


def arguments(path):
    """QEMU's, for a monitor at path."""
    return "-monitor", f"unix:{path},server=on,wait=off"


class Monitor:
    PROMPT = b"(qemu) "

    def __init__(self, connection):
        self.connection = connection
        self._read_prompt()

    def _read_prompt(self):
        text = b""
        while not text.endswith(self.PROMPT):
            part = self.connection.recv(65536)
            if not part:  # QEMU has ended
                break
            text += part
        return text.removesuffix(self.PROMPT).decode(errors="replace")

    def ask(self, command):
        """What it prints to a command, which it repeats first."""
        self.connection.sendall(command.encode() + b"\n")
        return self._read_prompt()


@contextlib.contextmanager
def monitor(path, seconds=20):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        connection.connect(str(path))
        yield Monitor(connection)
