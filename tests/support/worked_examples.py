"""worked_examples.py: the examples of the HTTP interface, as a user types them, and what must
come of each. $H is the server; files lie in the folder the command is run in."""
import dataclasses
import json
import os
import subprocess
import zipfile

FILES = {
    "hello.c": '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n',
    "m.cc": "#include <string>\nconsteval int two() { return 2; }\n"
            "int length(const std::string &s) { return two() * (int)s.size(); }\n",
    "a.c": '#include <stdio.h>\n#include "x.h"\nint main(void) { puts(WORD); return 0; }\n',
    "x.h": '#define WORD "included"\n',
    "bad.c": "int main(void) { return nothing; }\n",
    "src/a.c": 'int b(void);\nint main(void) { return b(); }\n',
    "src/b.c": "int b(void) { return 0; }\n",
    "log": "INFO a\nERR b\n",
}


@dataclasses.dataclass
class Example:
    program: str         # and the arguments built in
    command: str
    prints: str = ""     # contained in what the command prints
    runs: str = ""       # then this is run here, and must succeed ...
    says: str = ""       # ... and print this


COMPILING = [
    Example("clang", "curl -fT hello.c $H/ -o hello && chmod +x hello", runs="./hello",
            says="hello\n"),
    Example("clang", 'curl -fT hello.c "$H/?-O2&-o&a.out&hello.c&_out=a.out" -o a.out',
            runs="chmod +x a.out; ./a.out", says="hello\n"),
    Example("clang", 'curl -fsT hello.c "$H/?hello.c&_out=a.out&_format=tar" | tar x',
            runs="./a.out; ls .elfpack", says="hello\nmeta.json\nstderr\nstdout\n"),
    Example("clang", "curl -f --data-binary @m.cc --url-query '=-std=c++20' --url-query '=-c' "
            '--url-query m.cc "$H/?_file=m.cc&_out=m.o" -o m.o',
            runs="nm -C m.o | grep -c 'T length'", says="1\n"),
    Example("clang", 'curl -f "$H/?--version"', prints="clang version"),
    Example("clang", "curl -f -F src/a.c=@a.c -F inc/x.h=@x.h -F arg=-Iinc -F arg=src/a.c "
            "-F _out=a.out $H/ -o a.out", runs="chmod +x a.out; ./a.out", says="included\n"),
    Example("clang", "tar c src | curl -fs --data-binary @- -H 'Content-Type: application/x-tar' "
            '"$H/?-c&src/a.c&src/b.c&_out=*.o&_format=tar" | tar x',
            runs="cc a.o b.o -o both && ./both"),
    Example("clang", "curl -f --data-binary @p.zip -H 'Content-Type: application/zip' "
            '"$H/?src/a.c&src/b.c&_out=a.out" -o a.out', runs="chmod +x a.out; ./a.out"),
    Example("clang", "curl -f --json '{\"argv\":[\"-c\",\"a.c\"],\"files\":{\"a.c\":\"int x;\"},"
            "\"out\":[\"a.o\"]}' $H/_/run", prints='"path":"a.o"'),
    Example("clang", "curl -f -H 'Accept: application/json' -T bad.c \"$H/?-fsyntax-only&bad.c\"",
            prints="use of undeclared identifier"),
    Example("clang", "curl -i -H 'Accept: application/problem+json' -T bad.c \"$H/?bad.c\"",
            prints="HTTP/1.1 422 "),
]
SMALL = [
    Example("busybox sed", "echo 'a b' | curl -f --data-binary @- \"$H/?s/a/b/\"", prints="b b\n"),
    Example("busybox grep", 'curl -f --data-binary @log "$H/?-c&NONE&_status=200" -D-',
            prints="Elfpack-Exit-Code: 1\n"),
    Example("busybox seq", 'curl -f -N -D- "$H/?1&5&_format=stream"',
            prints="1\n2\n3\n4\n5\n"),
    Example("busybox printf", 'curl -f "$H/?%5b%25s%5d&arg=_x&arg=arg%3D1&arg="',
            prints="[_x][arg=1][]"),
    Example("busybox sleep", 'curl -i "$H/?60&_timeout=500ms"', prints="HTTP/1.1 504 "),
]


def check(example, url, folder, seconds=60):
    """Runs the command in the folder against the server at url, then what it has made."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    with zipfile.ZipFile(folder / "p.zip", "w") as archive:
        for name in ("src/a.c", "src/b.c"):
            archive.writestr(name, FILES[name])
    made = subprocess.run(["bash", "-o", "pipefail", "-c", example.command], cwd=folder,
                          env={**os.environ, "H": url}, capture_output=True, text=True,
                          timeout=seconds, errors="replace")
    assert made.returncode == 0, made.stderr
    assert example.prints in made.stdout, made.stdout
    if "json" in example.command:
        json.loads(made.stdout.split("\n\n")[-1])
    if example.runs:
        ran = subprocess.run(["bash", "-c", example.runs], cwd=folder, capture_output=True,
                             text=True, timeout=60)
        assert ran.returncode == 0 and ran.stdout == example.says, ran
