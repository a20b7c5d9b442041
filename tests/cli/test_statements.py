"""What --sbom, --provenance and --sums write beside an image: SPDX 2.3, in-toto with SLSA
provenance, SHA256SUMS. dpkg, sha1sum and sha256sum are the judges."""
import collections
import hashlib
import json
import os
import re
import subprocess

import pytest

BESIDE = ("--sbom", "--provenance", "--sums")


@pytest.fixture(scope="module")
def built(elfpack, hello, tmp_path_factory):
    """A dynamic program with its libraries, and files of ours, of which two are alike."""
    folder = tmp_path_factory.mktemp("statements")
    (folder / "note").write_text("ours")
    (folder / "copy").write_text("ours")
    result = elfpack("build", "/bin/bash", "--no-profile", "--file", f"{folder}/note:/data/note",
                     "--file", f"{folder}/copy:/data/copy", "--file",
                     "/usr/share/../bin/busybox:/elsewhere", "--file", hello, "-o",
                     folder / "x.img", *BESIDE)
    assert result.status == 0, result.text
    return folder


@pytest.fixture(scope="module")
def sbom(built):
    return json.loads((built / "x.img.spdx.json").read_text())


def owner(path):
    """dpkg's word for it; it knows the path before or behind the link into /usr."""
    real = os.path.realpath(path)
    for name in (real, real.removeprefix("/usr")):
        said = subprocess.run(["dpkg", "-S", name], capture_output=True, text=True)
        if said.returncode == 0:
            return said.stdout.split(":")[0]
    return None


def owners(sbom):
    names = {p["SPDXID"]: p["name"] for p in sbom["packages"] if "externalRefs" in p}
    return {r["relatedSpdxElement"]: names[r["spdxElementId"]] for r in sbom["relationships"]
            if r["relationshipType"] == "CONTAINS" and r["spdxElementId"] in names}


def test_every_packed_file_has_its_digests(built, sbom, elfpack):
    listed = json.loads(elfpack("inspect", "ls", "--json", built / "x.img").out)
    files = {f["fileName"]: {c["algorithm"]: c["checksumValue"] for c in f["checksums"]}
             for f in sbom["files"]}
    assert sorted(files) == sorted("." + f["path"] for f in listed if f["type"] == "-")
    for name, digests in files.items():
        bytes_ = elfpack("inspect", "cat", built / "x.img", name[1:]).out
        assert digests == {"SHA1": hashlib.sha1(bytes_).hexdigest(),
                           "SHA256": hashlib.sha256(bytes_).hexdigest()}


def test_files_belong_to_the_packages_that_dpkg_names(sbom):
    packages = owners(sbom)
    found = {f["fileName"]: packages.get(f["SPDXID"]) for f in sbom["files"]}
    assert found["./data/note"] is None and found["./work/hello"] is None
    assert found["./elsewhere"] == owner("/usr/bin/busybox")
    own = [name for name in found if not name.startswith(("./data", "./work", "./elsewhere"))]
    assert len(own) >= 3  # the program, its interpreter, its libraries
    for name in own:
        assert found[name] == owner(name[1:]), name


def test_packages_have_dpkgs_versions_and_a_purl(sbom):
    debian = [p for p in sbom["packages"] if "externalRefs" in p]
    assert {"bash", "libc6"} <= {p["name"] for p in debian}
    for package in debian:
        version, machine = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version} ${Architecture}\n", package["name"]],
            capture_output=True, text=True, check=True).stdout.splitlines()[0].split()
        assert package["versionInfo"] == version
        reference, = package["externalRefs"]
        assert reference["referenceCategory"] == "PACKAGE-MANAGER"
        quoted = version.replace("+", "%2B")
        assert reference["referenceLocator"] == \
            f"pkg:deb/debian/{package['name']}@{quoted}?arch={machine}"


def test_the_document_keeps_spdx_2_3s_rules(sbom):
    assert sbom["spdxVersion"] == "SPDX-2.3" and sbom["dataLicense"] == "CC0-1.0"
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
                        sbom["documentNamespace"])
    assert sbom["creationInfo"]["created"] == "1970-01-01T00:00:00Z"
    assert re.fullmatch(r"Tool: elfpack-[\d.]+", sbom["creationInfo"]["creators"][0])
    ids = [e["SPDXID"] for e in [sbom, *sbom["packages"], *sbom["files"]]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids)
    for relation in sbom["relationships"]:
        assert relation["spdxElementId"] in ids and relation["relatedSpdxElement"] in ids
    described = [r["relatedSpdxElement"] for r in sbom["relationships"]
                 if r["relationshipType"] == "DESCRIBES"]
    assert described == ["SPDXRef-Image"]
    assert all(p["downloadLocation"] == "NOASSERTION" for p in sbom["packages"])


def test_verification_codes_are_as_spdx_2_3_makes_them(sbom):
    """7.9: the SHA-1 of the sorted SHA-1s of the files."""
    sha1 = {f["SPDXID"]: f["checksums"][0]["checksumValue"] for f in sbom["files"]}
    inside = collections.defaultdict(list)
    for relation in sbom["relationships"]:
        if relation["relatedSpdxElement"] in sha1:
            inside[relation["spdxElementId"]].append(sha1[relation["relatedSpdxElement"]])
    analysed = [p for p in sbom["packages"] if p["filesAnalyzed"]]
    assert len(analysed) >= 3 and len(inside["SPDXRef-Image"]) == len(sbom["files"])
    for package in analysed:
        code = hashlib.sha1("".join(sorted(inside[package["SPDXID"]])).encode()).hexdigest()
        assert package["packageVerificationCode"] == {"packageVerificationCodeValue": code}
    for package in sbom["packages"]:
        assert package["filesAnalyzed"] or package["SPDXID"] not in inside


def test_the_image_and_the_own_parts_have_digests(built, sbom, parts):
    digests = {p["SPDXID"]: p["checksums"][0]["checksumValue"] for p in sbom["packages"]
               if "checksums" in p}
    for name, path in (("Image", built / "x.img"), ("Part-shim", parts / "shim.elf"),
                       ("Part-mbr", parts / "mbr.bin"), ("Part-stage2", parts / "stage2.bin"),
                       ("Part-bootx64", parts / "bootx64.efi")):
        assert digests[f"SPDXRef-{name}"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_provenance_is_an_in_toto_statement_of_the_image(built, parts):
    said = json.loads((built / "x.img.intoto.json").read_text())
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    digest = hashlib.sha256((built / "x.img").read_bytes()).hexdigest()
    assert said["subject"] == [{"name": "x.img", "digest": {"sha256": digest}}]
    definition = said["predicate"]["buildDefinition"]
    assert definition["buildType"] and said["predicate"]["runDetails"]["builder"]["id"]
    used = definition["resolvedDependencies"]
    assert all("uri" in d or "digest" in d for d in used)  # one of them has to be there
    by_name = {d["name"]: d["digest"]["sha256"] for d in used if "name" in d}
    assert by_name["/data/note"] == hashlib.sha256(b"ours").hexdigest()
    shim = hashlib.sha256((parts / "shim.elf").read_bytes()).hexdigest()
    assert by_name["elfpack shim"] == shim
    assert any(d.get("uri", "").startswith("pkg:deb/debian/bash@") for d in used)


def test_the_configuration_in_the_provenance_builds_the_same_image(built, elfpack, tmp_path):
    said = json.loads((built / "x.img.intoto.json").read_text())
    text = said["predicate"]["buildDefinition"]["externalParameters"]["configuration"]
    (tmp_path / "again.conf").write_text(text)
    result = elfpack("build", "-c", tmp_path / "again.conf", "-o", tmp_path / "again.img")
    assert result.out.decode().strip() == said["subject"][0]["digest"]["sha256"]


def test_two_builds_say_the_same(built, elfpack, hello, tmp_path):
    result = elfpack("build", "/bin/bash", "--no-profile", "--file", f"{built}/note:/data/note",
                     "--file", f"{built}/copy:/data/copy", "--file",
                     "/usr/share/../bin/busybox:/elsewhere", "--file", hello, "-o",
                     tmp_path / "x.img", *BESIDE, cwd="/", env={"TZ": "Asia/Tokyo"})
    assert result.status == 0, result.text
    for name in ("x.img", "x.img.spdx.json", "x.img.intoto.json", "SHA256SUMS"):
        assert (tmp_path / name).read_bytes() == (built / name).read_bytes(), name


def test_source_date_epoch_is_the_time_of_the_document(elfpack, hello, tmp_path):
    result = elfpack("build", hello, "--sbom", "--provenance", "-o", tmp_path / "x.img",
                     env={"SOURCE_DATE_EPOCH": "1700000000"})
    assert result.status == 0, result.text
    made = json.loads((tmp_path / "x.img.spdx.json").read_text())["creationInfo"]["created"]
    assert made == "2023-11-14T22:13:20Z"
    said = json.loads((tmp_path / "x.img.intoto.json").read_text())
    parameters = said["predicate"]["buildDefinition"]["externalParameters"]
    assert parameters["SOURCE_DATE_EPOCH"] == "1700000000"


def check_sums(folder):
    done = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_sums_name_all_that_was_written(built):
    assert check_sums(built) == ["x.img: OK", "x.img.intoto.json: OK", "x.img.spdx.json: OK"]


def test_sums_keep_the_lines_of_other_images(elfpack, hello, tmp_path):
    odd = "b \\ \n.img"
    for name in ("c.ami", odd, "a.img", odd, "c.ami"):
        assert elfpack("build", hello, "--sums", "-o", name, cwd=tmp_path).status == 0
    assert len(check_sums(tmp_path)) == 4  # c.ami.json is there too
    lines = (tmp_path / "SHA256SUMS").read_text().splitlines()
    assert [line.split("  ", 1)[1] for line in lines] == ["a.img", "b \\\\ \\n.img", "c.ami",
                                                          "c.ami.json"]


def test_a_file_that_is_no_list_of_sums_is_kept(elfpack, hello, tmp_path):
    (tmp_path / "SHA256SUMS").write_text("mine\n")
    result = elfpack("build", hello, "--sums", "-o", tmp_path / "x.img")
    assert result.status == 1 and "SHA256SUMS: mine: not a digest and a name" in result.text
    assert (tmp_path / "SHA256SUMS").read_text() == "mine\n"
