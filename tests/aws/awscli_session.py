"""Runs many calls of Debian's aws in one process, since to start it takes longer than a call: lines
of JSON come in, each a list of words; lines of [status, output, errors] go out. A process of its
own, because awscli puts a botocore of its own in the place of Debian's."""
import contextlib
import io
import json
import sys

import awscli.clidriver

for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = awscli.clidriver.create_clidriver().main(json.loads(line))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
