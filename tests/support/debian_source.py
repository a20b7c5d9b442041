"""debian_source.py: sources of Debian packages, from where the machine's packages come from."""
import pathlib
import re
import subprocess


def write_sources(folder):
    """The machine's own archives, with their keys, as archives of sources."""
    folder.mkdir(exist_ok=True)
    apt = pathlib.Path("/etc/apt")
    for path in [apt / "sources.list", *(apt / "sources.list.d").glob("*")]:
        if path.is_file() and path.suffix in (".list", ".sources"):
            text = re.sub(r"^(Types: *|)deb(?= |\[|$)", r"\1deb-src", path.read_text(),
                          flags=re.MULTILINE)
            (folder / path.name).write_text(text)


def debian_source(package, folder, version=None):
    """The folder of a package's source, the newest or of a version, fetched and unpacked by apt
    through a configuration of its own: the machine's may have no sources."""
    folder.mkdir(parents=True, exist_ok=True)
    unpacked = [path for path in folder.glob(f"{package}-*") if path.is_dir()]
    if unpacked:
        return unpacked[0]
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write_sources(folder / "sources.list.d")
    (folder / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "{folder}/sources.list.d";\n'
        f'Dir::State::lists "{folder}/lists";\nDir::Cache::archives "{folder}/archives";\n'
        'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\nAPT::Sandbox::User "root";\n')
    for words in (["update"], ["source", "-y", f"{package}={version}" if version else package]):
        subprocess.run(["apt-get", "-c", folder / "apt.conf", *words], cwd=folder, check=True,
                       capture_output=True, timeout=300)
    return next(path for path in folder.glob(f"{package}-*") if path.is_dir())
