"""Many calls of Debian's aws in one process, since to start it takes longer than a call: a Session
answers the words of a call, or is asked by a program in its place. A process of its own, because
awscli puts a botocore of its own in the place of Debian's."""
import contextlib
import io
import multiprocessing.connection
import os
import subprocess
import sys

# What stands in PATH for aws.
PROGRAM = """#!/usr/bin/python3 -S
import multiprocessing.connection, sys
session = multiprocessing.connection.Client({path!r})
session.send(sys.argv[1:])
status, output, errors = session.recv()
sys.stdout.write(output)
sys.stderr.write(errors)
sys.exit(status)
"""


class Session:
    """call(WORD...) returns (status, output, errors); install(PATH) makes a program of it."""

    def __init__(self, folder, url, environment):
        self.path = str(folder / "awscli")
        self.process = subprocess.Popen(
            ["/usr/bin/python3", __file__, self.path, url], stdout=subprocess.PIPE,
            env={**os.environ, **environment})
        assert self.process.stdout.readline() == b"ready\n"

    def call(self, *words):
        with multiprocessing.connection.Client(self.path) as session:
            session.send([str(word) for word in words])
            return session.recv()

    def install(self, program):
        program.write_text(PROGRAM.format(path=self.path))
        program.chmod(0o755)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def serve(path, url):
    import awscli.clidriver
    listener = multiprocessing.connection.Listener(path)
    print("ready", flush=True)
    while True:
        with listener.accept() as client:
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = awscli.clidriver.create_clidriver().main(
                    ["--endpoint-url", url, *client.recv()])
            client.send((status, out.getvalue(), err.getvalue()))


if __name__ == "__main__":
    serve(*sys.argv[1:])
