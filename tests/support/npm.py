"""npm.py: judges that only npm has, as a package-lock.json beside the tests pins them."""
import fcntl
import pathlib
import subprocess

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"


def install(folder, name):
    """Installs what folder's package-lock.json names into build/NAME, once; returns that."""
    tools = BUILD / name
    tools.mkdir(parents=True, exist_ok=True)
    with open(tools / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = tools / "installed"
        wanted = (folder / "package-lock.json").read_text()
        if not done.exists() or done.read_text() != wanted:
            for part in ("package.json", "package-lock.json"):
                (tools / part).write_text((folder / part).read_text())
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                           cwd=tools, check=True, capture_output=True, timeout=300)
            done.write_text(wanted)
    return tools
