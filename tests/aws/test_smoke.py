"""scripts/aws-smoke from end to end: awscli and `elfpack publish aws` against the mock, whose
instances are QEMU guests of what was stored."""
import os
import pathlib
import subprocess

import pytest

from awscli_session import Session
from support.guest import ELFPACK, Guest

SMOKE = pathlib.Path(__file__).resolve().parents[2] / "scripts/aws-smoke"


class Machine:
    """A guest at an address of its own on loopback, port 80, as a public one would be."""

    def __init__(self, disk, address, folder):
        self.guest = Guest(disk, folder=folder, http=False, controller="nvme", extra=(
            "-netdev", f"user,id=n,hostfwd=tcp:{address}:80-:80",
            "-device", "virtio-net-pci,netdev=n"))

    def console(self):
        return self.guest.console()

    def stop(self):
        self.guest.stop()


@pytest.fixture
def launched(aws, tmp_path):
    """Instances boot; the list of their machines."""
    machines = []

    def launch(snapshot, address):
        disk = tmp_path / f"disk-{len(machines)}"
        aws.cloud.write_disk(snapshot, disk)
        machines.append(Machine(disk, address, tmp_path))
        return machines[-1]
    aws.handlers["ec2"].launch = launch
    yield machines
    del aws.handlers["ec2"].launch
    for machine in machines:
        machine.stop()


@pytest.fixture
def smoke(aws, tmp_path):
    """smoke(WORD...): the finished script, its programs turned to the mock."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "elfpack").write_text(f"""#!/bin/sh
case $1 in
publish) exec {ELFPACK} "$@" --endpoint-url {aws.url} ;;
*) exec {ELFPACK} "$@" ;;
esac
""")
    (programs / "elfpack").chmod(0o755)
    session = Session(tmp_path, aws.url, aws.environment())
    session.install(programs / "aws")

    def call(*words, **options):
        return subprocess.run(
            [SMOKE, "--client", "127.0.0.1/32", *words], capture_output=True, text=True,
            timeout=240, start_new_session=True,
            env={**os.environ, **aws.environment(), "ELFPACK": str(programs / "elfpack"),
                 "PATH": f"{programs}:{os.environ['PATH']}", "AWS_SMOKE_PAUSE": "0.05"},
            **options)
    yield call
    session.stop()


def nothing_is_left(aws):
    region = aws.cloud.regions["eu-west-1"]
    return not region.images and not region.snapshots and not region.groups and all(
        i.state == "terminated" for i in region.instances.values())


def test_smoke_publishes_asks_and_cleans_up(aws, smoke, launched):
    done = smoke("--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    permission, = aws.requests("AuthorizeSecurityGroupIngress")[0].params["IpPermissions"]
    assert permission["IpRanges"] == [{"CidrIp": "127.0.0.1/32"}]
    assert (permission["FromPort"], permission["ToPort"]) == (80, 80)
    assert "under 0.05 USD" in done.stdout and "all is well" in done.stdout
    assert len(launched) == 1 and nothing_is_left(aws)
    assert aws.requests("RunInstances")[0].params["MetadataOptions"]["HttpTokens"] == "required"


def test_smoke_cleans_up_after_a_failure_and_names_what_is_left(aws, smoke):
    aws.keys.first.denied = frozenset({"RunInstances", "DeleteSecurityGroup"})
    done = smoke("--yes")
    region = aws.cloud.regions["eu-west-1"]
    group, = region.groups
    assert done.returncode == 1 and "UnauthorizedOperation" in done.stderr
    assert f"could not delete, please do: {group}" in done.stderr
    assert not region.images and not region.snapshots


def test_smoke_finds_the_snapshot_of_a_failed_publishing(aws, smoke):
    aws.keys.first.denied = frozenset({"CompleteSnapshot", "DeleteSnapshot"})
    done = smoke("--yes")
    snapshot, = aws.cloud.regions["eu-west-1"].snapshots
    assert done.returncode == 1 and f"please do: {snapshot} (region eu-west-1)" in done.stderr


def test_smoke_asks_first(aws, smoke):
    done = smoke(input="n\n")
    assert done.returncode == 1 and "nothing was done" in done.stderr
    assert {record.operation for record in aws.log} == {"GetCallerIdentity"}


def test_dry_run_changes_nothing(aws, smoke):
    done = smoke("--dry-run")
    assert done.returncode == 0, done.stderr
    assert "would run: ec2 run-instances" in done.stderr
    changing = [r.operation for r in aws.log if not r.operation.startswith(("Describe", "Get"))]
    assert changing == []


@pytest.mark.parametrize("words, said", [
    (["--type", "t2.micro"], "a Xen type"), (["--colour"], "no such option")])
def test_smoke_refuses_wrong_words(aws, smoke, words, said):
    done = smoke(*words)
    assert done.returncode == 1 and said in done.stderr
    assert aws.log == []


def test_smoke_is_clean():
    assert subprocess.run(["shellcheck", SMOKE]).returncode == 0
