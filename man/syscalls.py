#!/usr/bin/python3
"""Writes elfpack-syscalls(7) from the tables of system calls: syscalls.py DEF REFUSED > PAGE."""
import re
import sys

HEAD = r""".Dd November 24, 2026
.Dt ELFPACK-SYSCALLS 7
.Os
.Sh NAME
.Nm elfpack-syscalls
.Nd Linux system calls of a packed program
.Sh DESCRIPTION
A program in an image of
.Xr elfpack 1
makes the system calls of Linux on x86-64.
Each call is listed by its number with what it lacks of Linux',
or as complete.
A call that is not listed fails with
.Er ENOSYS ,
and the kernel says so on its console, once a job and call.
"""
ROW = re.compile(r"(?:/\* lacks: ((?:(?!\*/).)*?) \*/\n)?SYSCALL\((\d+), (\w+),", re.DOTALL)
REFUSED = re.compile(r"^REFUSED\((\d+), (\w+), (\w+)\)$", re.MULTILINE)
FIRST_OWN = 5000


def words(text):
    """Free text as roff: comment stars out, one sentence part a line."""
    text = re.sub(r"\s*\n\s*\*\s*", " ", text).replace("\\", r"\e")
    return text[0].upper() + text[1:] + "."


def rows_of(calls):
    rows = []
    for lacks, number, name in ROW.findall(calls):
        if int(number) < FIRST_OWN:
            rows.append((int(number), name, words(lacks) if lacks else "Complete."))
    return rows


def listing(rows):
    yield ".Bl -tag -width Ds"
    for number, name, status in sorted(rows):
        yield f".It {number} Fn {name}"
        yield status
    yield ".El"


def main():
    calls, refused = (open(path, encoding="utf-8").read() for path in sys.argv[1:3])
    print(HEAD, end="")
    print(".Sh CALLS")
    print("\n".join(listing(rows_of(calls))))
    print(".Sh REFUSED CALLS\nThese fail without a word on the console, as on a Linux built without "
          "the\nfeature\n.Pq Er ENOSYS\nor to a program without privileges\n.Pq Er EPERM .")
    rows = [(int(number), name, f".Er {error}") for number, name, error in REFUSED.findall(refused)]
    print("\n".join(listing(rows)))
    print(".Sh SEE ALSO\n.Xr elfpack 1 ,\n.Xr syscalls 2")


main()
