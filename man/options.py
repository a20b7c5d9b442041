#!/usr/bin/python3
"""Puts a command's options into its page: options.py ELFPACK COMMAND SOURCE > PAGE."""
import pathlib
import subprocess
import sys

elfpack, command, source = sys.argv[1:]
options = subprocess.run([elfpack, "completion", "mdoc", command], check=True,
                         capture_output=True, text=True).stdout
sys.stdout.write(pathlib.Path(source).read_text().replace("@OPTIONS@\n", options))
