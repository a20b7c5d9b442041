#!/usr/bin/python3
"""Puts a command's options, and the table of formats, into its page: options.py ELFPACK COMMAND SOURCE > PAGE."""
import pathlib
import subprocess
import sys

elfpack, command, source = sys.argv[1:]


def rows(name):
    return subprocess.run([elfpack, "completion", "mdoc", name], check=True, capture_output=True,
                          text=True).stdout


page = pathlib.Path(source).read_text()
for mark, name in (("@OPTIONS@\n", command), ("@FORMATS@\n", "formats")):
    if mark in page:
        page = page.replace(mark, rows(name))
sys.stdout.write(page)
