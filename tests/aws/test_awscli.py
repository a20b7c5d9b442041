"""A disk image through the mock with AWS's own command alone: uploaded block by block, registered,
downloaded again, booted. It judges the mock, which then judges `elfpack publish aws`."""
import json
import os
import subprocess

import pytest

from aws_client import BLOCK, b64_sha256
from awscli_session import Session
from support.guest import Guest, build_image



@pytest.fixture
def aws_cli(aws, tmp_path):
    """aws_cli(WORD...) is the reply of one call of Debian's aws, None where it has none."""
    session = Session(tmp_path, aws.url, aws.environment())

    def call(*words):
        status, output, errors = session.call("--output", "json", *words)
        assert status == 0, errors
        return json.loads(output) if output.strip() else None
    yield call
    session.stop()


@pytest.fixture(scope="module")
def ami_image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ami")
    (folder / "words").write_text("pear\n")
    return build_image(folder / "busybox.ami.raw", "/bin/busybox", "--http", "-f", "ami", "--file",
                       f"{folder}/words:/usr/share/words")


def upload(aws_cli, image, folder):
    """The id of a completed snapshot of the image."""
    made = aws_cli("ebs", "start-snapshot", "--volume-size", 1)["SnapshotId"]
    written = 0
    data = image.read_bytes()
    for index in range(-(-len(data) // BLOCK)):
        piece = data[index * BLOCK:][:BLOCK].ljust(BLOCK, b"\0")
        if not any(piece):
            continue
        (folder / "block").write_bytes(piece)
        aws_cli("ebs", "put-snapshot-block", "--snapshot-id", made, "--block-index", index,
                "--block-data", folder / "block", "--data-length", BLOCK,
                "--checksum", b64_sha256(piece), "--checksum-algorithm", "SHA256")
        written += 1
    aws_cli("ebs", "complete-snapshot", "--snapshot-id", made, "--changed-blocks-count",
            written)
    # The waiter would sleep for 15 s between two looks.
    aws_cli("ec2", "wait", "snapshot-completed", "--snapshot-ids", made)
    return made


def test_image_boots_after_a_trip_with_awscli(aws, aws_cli, ami_image, tmp_path):
    aws.settings.completion_polls = 1
    snapshot = upload(aws_cli, ami_image, tmp_path)
    described = json.loads((ami_image.parent / f"{ami_image.name}.json").read_text())
    described["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"] = snapshot
    made = aws_cli("ec2", "register-image", "--cli-input-json",
                   json.dumps(described))["ImageId"]
    seen = aws_cli("ec2", "describe-images", "--image-ids", made)["Images"][0]
    assert seen["Name"] == described["Name"] and seen["State"] == "available"

    listed = aws_cli("ebs", "list-snapshot-blocks", "--snapshot-id", snapshot)
    disk = tmp_path / "disk"
    with open(disk, "wb") as file:
        file.truncate(listed["VolumeSize"] << 30)
        for row in listed["Blocks"]:
            aws_cli("ebs", "get-snapshot-block", "--snapshot-id", snapshot, "--block-index",
                    row["BlockIndex"], "--block-token", row["BlockToken"], tmp_path / "block")
            file.seek(row["BlockIndex"] * BLOCK)
            file.write((tmp_path / "block").read_bytes())
    image = ami_image.read_bytes()
    with open(disk, "rb") as file:
        assert file.read(len(image)) == image
    assert aws.disk_bytes(snapshot).rstrip(b"\0") == image.rstrip(b"\0")

    with Guest(disk, folder=tmp_path, controller="nvme") as guest:
        guest.wait_ready()
        assert guest.request("GET", "/?cat&/usr/share/words")[2] == b"pear\n"


def test_refusal_reaches_the_person(aws):
    said = subprocess.run(["/usr/bin/aws", "--endpoint-url", aws.url, "ec2", "delete-snapshot",
                           "--snapshot-id", "snap-0123456789abcdef0"], capture_output=True,
                          text=True, timeout=120, env={**os.environ, **aws.environment()})
    assert said.returncode == 254
    assert "(InvalidSnapshot.NotFound) when calling the DeleteSnapshot" in said.stderr
