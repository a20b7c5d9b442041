"""compile_both.py: a program of corpus/compiled_programs.py compiled by the host's clang and by
an image's."""
import subprocess
import urllib.parse

SECONDS = 600  # on an emulated CPU beside other tests


def compile_here(program, folder):
    for name, contents in program.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
    subprocess.run(["clang", *program.arguments, "-o", "a.out"], cwd=folder, check=True,
                   timeout=SECONDS, capture_output=True)
    return (folder / "a.out").read_bytes()


def compile_there(program, guest):
    body = b"".join(b'--part\r\nContent-Disposition: form-data; name="%s"; filename="f"\r\n\r\n'
                    b"%s\r\n" % (name.encode(), contents)
                    for name, contents in program.files.items()) + b"--part--\r\n"
    words = [urllib.parse.quote(word, safe="") for word in (*program.arguments, "-o", "a.out")]
    status, _, made = guest.request("POST", "/?" + "&".join([*words, "_out=a.out"]), body,
                                    {"Content-Type": "multipart/form-data; boundary=part"},
                                    timeout=SECONDS)
    assert status == 200, made.decode(errors="replace")
    return made
