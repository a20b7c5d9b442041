"""`elfpack publish aws` against the mock, which awscli has judged (test_awscli.py). PUBLISH_SCHEDULES
is how many random fault schedules are run; 200 take some minutes."""
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import time

import pytest

from aws_client import BLOCK
from awscli_session import Session
from mock import Fault, RandomFaults
from support.guest import ELFPACK, Guest, build_image

SCHEDULES = int(os.environ.get("PUBLISH_SCHEDULES", "12"))
OTHER = "210987654321"
REFUSED = ("StartSnapshot", "PutSnapshotBlock", "CompleteSnapshot", "DescribeSnapshots",
           "RegisterImage", "DescribeImages", "CreateTags")
KEY = "arn:aws:kms:eu-west-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A disk with blocks of zeros in it, and enough others to be interrupted among them."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "words").write_text("pear\n")
    (folder / "noise").write_bytes(os.urandom(90 * BLOCK))
    (folder / "zeros").write_bytes(bytes(8 * BLOCK))
    return build_image(folder / "busybox.ami.raw", "/bin/busybox", "--http", "-f", "ami", "--compress=none",
                       "--file", f"{folder}/words:/usr/share/words", "--file",
                       f"{folder}/noise:/noise", "--file", f"{folder}/zeros:/zeros")


@pytest.fixture(scope="module")
def small_image(tmp_path_factory):
    return build_image(tmp_path_factory.mktemp("small") / "small.img", "/bin/busybox", "--http",
                       "-f", "ami")


class Publisher:
    def __init__(self, aws, folder):
        self.aws, self.journal = aws, folder / "journal"

    def words(self, image, *options):
        return [str(word) for word in (
            ELFPACK, "publish", "aws", image, "--endpoint-url", self.aws.url, "--journal",
            self.journal, *options)]

    def environment(self, more=None):
        clean = {k: v for k, v in os.environ.items()
                 if not k.startswith("AWS_") and not k.lower().endswith("_proxy")}
        clean |= {**self.aws.environment(), **(more or {})}
        return {name: value for name, value in clean.items() if value is not None}

    def __call__(self, image, *options, env=None):
        return subprocess.run(self.words(image, *options), capture_output=True, text=True,
                              timeout=120, env=self.environment(env))

    def start(self, image, *options, env=None, limits=None):
        def limit():
            for what, most in (limits or {}).items():
                resource.setrlimit(what, (most, most))
        return subprocess.Popen(self.words(image, *options), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=self.environment(env),
                                start_new_session=True, preexec_fn=limit)


@pytest.fixture
def publish(aws, tmp_path):
    aws.settings.completion_polls = 1
    return Publisher(aws, tmp_path)


def region(aws, name="eu-west-1"):
    found = aws.cloud.regions[name]
    return list(found.snapshots.values()), list(found.images.values())


def has_disk(aws, snapshot, image):
    return aws.disk_bytes(snapshot.id).rstrip(b"\0") == image.read_bytes().rstrip(b"\0")


def made_one(aws, result, image):
    """There is one AMI, of one snapshot that is the image, and its id was printed."""
    assert result.returncode == 0, result.stderr
    (snapshot,), (ami,) = region(aws)
    assert result.stdout.split()[0] == ami.id and has_disk(aws, snapshot, image)
    assert ami.mappings[0]["Ebs"]["SnapshotId"] == snapshot.id and snapshot.state == "completed"
    return snapshot, ami


def nonzero_blocks(image):
    data = image.read_bytes()
    return {i // BLOCK for i in range(0, len(data), BLOCK) if any(data[i:i + BLOCK])}


def sent(aws):
    """Indexes of the blocks that the service took, as often as it took them."""
    return [r.params["BlockIndex"] for r in aws.requests("PutSnapshotBlock") if r.done]


def test_downloaded_disk_boots_and_answers(aws, publish, image, tmp_path):
    result = publish(image, "--name", "clang-server")
    snapshot, ami = made_one(aws, result, image)
    assert sorted(sent(aws)) == sorted(nonzero_blocks(image))
    assert len(nonzero_blocks(image)) < image.stat().st_size // BLOCK
    assert not publish.journal.exists()
    with open(tmp_path / "disk", "wb") as disk:
        disk.write(aws.disk_bytes(snapshot.id))
        disk.truncate(snapshot.size_gib << 30)
    with Guest(tmp_path / "disk", folder=tmp_path, controller="nvme") as guest:
        guest.wait_ready()
        assert guest.request("GET", "/?cat&/usr/share/words")[2] == b"pear\n"


def test_registration_is_what_build_wrote(aws, publish, small_image):
    _, ami = made_one(aws, publish(small_image), small_image)
    said = json.loads(pathlib.Path(f"{small_image}.json").read_text())
    device = said.pop("BlockDeviceMappings")[0]
    assert {name: ami.fields[name] for name in said} == said
    assert ami.mappings[0]["DeviceName"] == device["DeviceName"]
    for name, value in device["Ebs"].items():
        assert ami.mappings[0]["Ebs"][name] == value


def test_same_image_twice_is_one_ami(aws, publish, small_image):
    first = publish(small_image, "--name", "one")
    aws.log.clear()
    again = publish(small_image, "--name", "one")
    made_one(aws, again, small_image)
    assert first.stdout == again.stdout and not sent(aws)


def test_image_that_lost_its_tags_is_known_by_its_snapshot(aws, publish, small_image):
    publish(small_image, "--name", "one")
    region(aws)[1][0].tags.clear()
    made_one(aws, publish(small_image, "--name", "one"), small_image)


def test_parents_blocks_are_not_sent_again(aws, publish, image, small_image):
    publish(image, "--name", "parent")
    parent = region(aws)[0][0]
    aws.log.clear()
    result = publish(small_image, "--name", "child", "--parent", parent.id, "--json")
    made = json.loads(result.stdout)
    child = aws.cloud.find_snapshot(made["snapshot"])
    assert has_disk(aws, child, small_image) and child.parent == parent.id
    before, after = image.read_bytes(), small_image.read_bytes()
    changed = {i // BLOCK for i in range(0, len(before), BLOCK)
               if before[i:i + BLOCK] != after[i:i + BLOCK].ljust(min(BLOCK, len(before) - i), b"\0")}
    assert sorted(sent(aws)) == sorted(changed)
    assert made["blocks"]["sent"] == len(changed)


def test_copies_tags_and_permissions_are_as_asked(aws, publish, small_image):
    result = publish(small_image, "--name", "wide", "--copy-to", "us-east-1,eu-central-1",
                     "--share", OTHER, "--tag", "team=a b", "--json")
    assert result.returncode == 0, result.stderr
    made = json.loads(result.stdout)
    assert [copy["region"] for copy in made["copies"]] == ["us-east-1", "eu-central-1"]
    for name in ("eu-west-1", "us-east-1", "eu-central-1"):
        (snapshot,), (ami,) = region(aws, name)
        assert has_disk(aws, snapshot, small_image) and ami.state == "available"
        assert ami.shared_with == snapshot.shared_with == {OTHER}
        for thing in (ami, snapshot):
            assert thing.tags == {"elfpack:sha256": made["sha256"], "Name": "wide",
                                  "team": "a b"}
    again = publish(small_image, "--name", "wide", "--copy-to", "us-east-1,eu-central-1", "--json")
    assert json.loads(again.stdout)["copies"] == made["copies"]


def test_encrypted_copies_use_the_key_of_their_region(aws, publish, small_image):
    result = publish(small_image, "--kms-key", KEY, "--copy-to", "us-east-1", "--share", OTHER)
    assert result.returncode == 0, result.stderr
    assert region(aws)[0][0].key == KEY
    assert region(aws, "us-east-1")[0][0].key == KEY.replace("eu-west-1", "us-east-1")


def test_dry_run_sends_nothing_and_shows_all_but_secrets(aws, publish, small_image):
    shown = publish(small_image, "--name", "dry", "--dry-run", "--json", env={
        "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None})
    assert shown.returncode == 0 and not aws.log and not publish.journal.exists()
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    assert not publish(small_image, "--name", "dry").returncode
    assert {row["operation"] for row in rows} == {record.operation for record in aws.log}
    text = publish(small_image, "--name", "dry", "--dry-run").stdout
    for secret in (aws.keys.first.secret, aws.keys.first.id, "authorization"):
        assert secret not in text.replace("Authorization", "authorization")


def normal(canonical):
    """A canonical request without its date."""
    return re.sub(r"x-amz-date:\S+", "x-amz-date:", canonical)


def awscli_words(record, folder):
    """The call of aws for what a request of ours asked."""
    name = re.sub(r"(?<!^)([A-Z])", r"-\1", record.operation).lower()
    words = ["--region", record.region, record.service, name]
    if record.operation == "GetSnapshotBlock":  # wants them all in the command line
        return words + ["--snapshot-id", record.params["SnapshotId"], "--block-index",
                        record.params["BlockIndex"], "--block-token",
                        record.params["BlockToken"], folder / "got"]
    words += ["--cli-input-json", json.dumps(record.params)]
    return words + (["--block-data", folder / "block"] if name == "put-snapshot-block" else [])


def test_canonical_requests_are_awsclis(aws, publish, small_image, tmp_path):
    publish(small_image, "--name", "first try", "--copy-to", "us-east-1", "--share", OTHER,
            "--tag", "k=v")
    publish(small_image, "--name", "second", "--parent", region(aws)[0][0].id)
    aws.keys.first.denied = frozenset({"RegisterImage"})
    publish(small_image, "--name", "third", "--tag", "k=third")
    aws.keys.first.denied = frozenset()
    ours = {record.operation: record for record in reversed(aws.log)}
    assert set(ours) == {
        "StartSnapshot", "PutSnapshotBlock", "CompleteSnapshot", "RegisterImage", "CopyImage",
        "DescribeImages", "DescribeSnapshots", "CreateTags", "ModifyImageAttribute",
        "ModifySnapshotAttribute", "ListSnapshotBlocks", "GetSnapshotBlock", "DeleteSnapshot"}
    aws.log.clear()
    (tmp_path / "block").write_bytes(small_image.read_bytes()[:BLOCK])
    session = Session(tmp_path, aws.url, aws.environment())
    # What is refused now, since it was done before, was sent and signed all the same.
    for record in ours.values():
        session.call("--output", "json", *awscli_words(record, tmp_path))
    session.stop()
    theirs = {record.operation: record for record in reversed(aws.log)}
    for operation, record in ours.items():
        assert normal(record.canonical) == normal(theirs[operation].canonical), operation


def wait_for(true):
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for_blocks(aws, count):
    wait_for(lambda: len(sent(aws)) >= count)


def test_interrupted_upload_goes_on_without_sending_a_block_twice(aws, publish, image):
    aws.faults.add(Fault("PutSnapshotBlock", "slow", key="7?", times=None, seconds=0.5))
    run = publish.start(image, "--name", "int")
    wait_for_blocks(aws, 5)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    snapshot = region(aws)[0][0]
    assert run.returncode == 130 and f"{snapshot.id} in eu-west-1 is kept" in said
    aws.faults.clear()
    made_one(aws, publish(image, "--name", "int"), image)
    assert sorted(sent(aws)) == sorted(nonzero_blocks(image))


def test_killed_upload_goes_on_without_what_was_acknowledged(aws, publish, image):
    aws.faults.add(Fault("PutSnapshotBlock", "slow", key="7?", times=None, seconds=1))
    run = publish.start(image, "--name", "kill")
    wait_for_blocks(aws, 5)
    while publish.journal.read_text().count("block ") < 5:
        time.sleep(0.01)
    run.kill()
    run.communicate(timeout=60)
    known = {int(n) for n in re.findall(r"^block (\d+)$", publish.journal.read_text(), re.M)}
    aws.faults.clear()
    before = len(aws.log)
    made_one(aws, publish(image, "--name", "kill"), image)
    again = {r.params["BlockIndex"] for r in aws.log[before:] if r.operation == "PutSnapshotBlock"}
    assert len(known) >= 5 and again == nonzero_blocks(image) - known


def others_are_named(aws, said):
    """What is left and is no AMI's was named, by its id or by its tag."""
    snapshots, images = region(aws)
    used = {made.mappings[0]["Ebs"]["SnapshotId"] for made in images}
    assert all(one.id in used or one.id in said or f"elfpack:sha256={one.tags['elfpack:sha256']}"
               in said for one in snapshots), said


@pytest.mark.parametrize("operation", ["DescribeImages", "StartSnapshot", "PutSnapshotBlock",
                                       "CompleteSnapshot", "DescribeSnapshots", "RegisterImage",
                                       "CreateTags", "CopyImage", "ModifyImageAttribute",
                                       "ModifySnapshotAttribute"])
def test_interruption_at_any_step_leaves_nothing_unnamed(aws, publish, small_image, operation):
    words = (small_image, "--name", "int", "--copy-to", "us-east-1", "--share", OTHER)
    aws.faults.add(Fault(operation, "slow", seconds=0.5))
    run = publish.start(*words)
    wait_for(lambda: aws.requests(operation))
    run.send_signal(signal.SIGINT)
    out, said = run.communicate(timeout=60)
    assert run.returncode == 130 and not out and said.count("elfpack: publish:") == 1
    others_are_named(aws, said)
    assert all(image.id in said for image in region(aws)[1] + region(aws, "us-east-1")[1]), said
    result = publish(*words)
    made_one(aws, result, small_image)
    assert len(region(aws, "us-east-1")[1]) == 1


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_faults_end_in_an_ami_or_a_clean_failure(aws, publish, ec2, image, small_image, seed):
    """And once they are over, the same command ends in an AMI."""
    disk = image if seed % 4 == 3 else small_image
    aws.settings.unseen_calls = seed % 3
    aws.settings.images_fail = seed % 10 == 9
    aws.faults.add(RandomFaults(seed, rate=0.25, seconds=0.02, most=3 if seed % 5 else 30))
    if seed % 3 == 1:   # what no other try mends
        aws.keys.first.denied = frozenset({REFUSED[seed // 3 % len(REFUSED)]})
    result = first = publish(disk, "--name", "faulty")
    if result.returncode != 0:
        assert result.returncode == 1 and not result.stdout
        others_are_named(aws, first.stderr)
        aws.faults.clear()
        aws.settings.images_fail, aws.keys.first.denied = False, frozenset()
        for said in re.findall(r"deregister-image --region \S+ --image-id ([a-z0-9-]+)",
                               first.stderr):
            ec2.deregister_image(ImageId=said)
        for said in re.findall(r"delete-snapshot --region \S+ --snapshot-id ([a-z0-9-]+)",
                               first.stderr):
            ec2.delete_snapshot(SnapshotId=said)
        # Two minutes later: what a token gives back is known to be old.
        for _, answer in aws.cloud.regions["eu-west-1"].tokens.values():
            answer["StartTime"] -= 120
        result = publish(disk, "--name", "faulty")
    assert result.returncode == 0, result.stderr
    ami, = region(aws)[1]
    snapshot = aws.cloud.find_snapshot(ami.mappings[0]["Ebs"]["SnapshotId"])
    assert result.stdout == f"{ami.id}\n" and has_disk(aws, snapshot, disk)
    assert ami.tags["elfpack:sha256"] == snapshot.tags["elfpack:sha256"]
    others_are_named(aws, first.stderr)


def fails(result, *said, status=1):
    assert result.returncode == status and not result.stdout
    for text in said:
        assert text in result.stderr, result.stderr
    assert result.stderr.count("elfpack: publish:") == 1


def nothing_left(aws, publish):
    assert region(aws) == ([], []) and not publish.journal.exists()


@pytest.mark.parametrize("variables, said, hinted", [
    ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "does not match", True),
    ({"AWS_ACCESS_KEY_ID": "AKIAWRONG00000000000"}, "was not able to validate", True),
    ({"AWS_ACCESS_KEY_ID": None}, "only one of them is set", False),
    ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "no credentials", True),
    ({"AWS_PROFILE": "x", "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
     "profile x: there is no such profile", False),
    ({"AWS_DEFAULT_REGION": None}, "no region", True),
    ({"AWS_DEFAULT_REGION": "eu-west-9"}, "eu-west-9", True),
    ({"AWS_DEFAULT_REGION": "me-south-1"}, "OptInRequired", True),
    ({"AWS_DEFAULT_REGION": "x y"}, "not a region's name", False),
    ({"http_proxy": "http://127.0.0.1:9"}, "http_proxy", True),
])
def test_wrong_surroundings_are_said(aws, publish, small_image, variables, said, hinted):
    result = publish(small_image, env=variables)
    fails(result, said)
    assert ("hint:" in result.stderr) == hinted
    assert aws.keys.first.secret not in result.stderr
    nothing_left(aws, publish)


def test_libcurl_that_does_not_fit_is_said(aws, publish, small_image, tmp_path):
    subprocess.run(["cc", "-shared", "-o", tmp_path / "libcurl.so.4", "-xc", os.devnull], check=True)
    fails(publish(small_image, env={"LD_LIBRARY_PATH": str(tmp_path)}), "libcurl", "curl_global_init")
    nothing_left(aws, publish)


def test_expired_credentials_are_said(aws, publish, small_image):
    key = aws.keys.temporary(1)
    key.expires = aws.cloud.now() - 1
    fails(publish(small_image, env=aws.environment(key)), "expired", "hint:")
    nothing_left(aws, publish)


@pytest.mark.parametrize("offset_s", [3600, -3600])
def test_wrong_clock_is_said(aws, publish, small_image, offset_s):
    aws.settings.clock_offset_s = offset_s
    fails(publish(small_image), "hint: set the clock")
    nothing_left(aws, publish)


@pytest.mark.parametrize("operation", ["StartSnapshot", "PutSnapshotBlock", "CompleteSnapshot",
                                       "RegisterImage"])
def test_missing_permission_is_said_and_the_snapshot_deleted(aws, publish, small_image, operation):
    aws.keys.first.denied = frozenset({operation})
    fails(publish(small_image), operation, "hint:")
    nothing_left(aws, publish)


@pytest.mark.parametrize("setting, value, said", [
    ("most_snapshots", 0, "ServiceQuotaExceededException"),
    ("most_pending_snapshots", 0, "ConcurrentLimitExceededException"),
    ("most_images", 0, "ImageQuotaExceeded"),
    ("snapshots_fail", True, "error"),
])
def test_quota_is_said_and_nothing_left(aws, publish, small_image, setting, value, said):
    setattr(aws.settings, setting, value)
    fails(publish(small_image), said)
    nothing_left(aws, publish)


def test_snapshot_that_cannot_be_deleted_is_named(aws, publish, small_image):
    aws.keys.first.denied = frozenset({"RegisterImage", "DeleteSnapshot"})
    result = publish(small_image)
    fails(result, f"{region(aws)[0][0].id} in eu-west-1 is left behind")


def test_taken_name_is_said_before_anything_is_sent(aws, publish, image, small_image):
    publish(small_image, "--name", "mine")
    aws.log.clear()
    fails(publish(image, "--name", "mine"), "name is taken", region(aws)[1][0].id, "hint:")
    assert not sent(aws)


def test_altered_image_is_refused(aws, publish, small_image, tmp_path):
    bad = tmp_path / "bad.img"
    data = bytearray(small_image.read_bytes())
    data[len(data) // 2] ^= 1
    bad.write_bytes(data)
    fails(publish(bad), "SHA-256 is wrong", status=3)
    assert not aws.log


def test_other_formats_are_refused_with_the_way_out(aws, publish, small_image, tmp_path):
    other = tmp_path / "x.qcow2"
    subprocess.run([ELFPACK, "convert", "-q", small_image, other], check=True, capture_output=True)
    fails(publish(other), "qcow2", "elfpack convert", status=3)
    fails(publish("/bin/busybox"), status=3)
    assert not aws.log


def test_journal_on_a_full_disk_is_said(aws, publish, small_image):
    publish.journal = pathlib.Path("/dev/full")
    fails(publish(small_image), "/dev/full: No space left on device", "hint: --journal")
    assert region(aws) == ([], [])


def test_journal_that_cannot_grow_is_said_and_its_snapshot_named(aws, publish, image):
    """As on a disk that fills while blocks are sent."""
    run = publish.start(image, "--name", "full", limits={resource.RLIMIT_FSIZE: 400})
    _, said = run.communicate(timeout=60)
    assert run.returncode == 1 and said.count("elfpack: publish:") == 1
    assert f"the journal {publish.journal}: " in said and "hint: --journal" in said
    assert region(aws)[0][0].id in said.split("elfpack: publish:")[1]
    made_one(aws, publish(image, "--name", "full"), image)


def test_upload_whose_keys_expire_goes_on_with_new_ones(aws, publish, image):
    key = aws.keys.temporary()
    aws.faults.add(Fault("PutSnapshotBlock", "slow", key="7?", times=None, seconds=1))
    run = publish.start(image, "--name", "late", env=aws.environment(key))
    wait_for_blocks(aws, 5)
    key.expires = aws.cloud.now() - 1
    aws.faults.clear()
    _, said = run.communicate(timeout=60)
    snapshot, = region(aws)[0]
    assert run.returncode == 1 and "expired" in said and f"{snapshot.id} in eu-west-1 is kept" in said
    made_one(aws, publish(image, "--name", "late"), image)
    assert sorted(sent(aws)) == sorted(nonzero_blocks(image))


def test_image_that_is_cut_off_meanwhile_is_said(aws, publish, image, tmp_path):
    copy = tmp_path / "copy.img"
    copy.write_bytes(image.read_bytes())
    aws.faults.add(Fault("StartSnapshot", "slow", seconds=1))
    run = publish.start(copy, "--name", "cut")
    wait_for(lambda: aws.requests("StartSnapshot"))
    os.truncate(copy, 4096)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 1 and "became shorter while it was read" in said
    assert region(aws)[0][0].id in said
    copy.write_bytes(image.read_bytes())
    made_one(aws, publish(copy, "--name", "cut"), image)


@pytest.mark.parametrize("words, said", [
    (["--name", "x"], "3 to 128"), (["--copy-to", "X Y"], "not a region"),
    (["--share", "123"], "12 digits"), (["--tag", "novalue"], "KEY=VALUE"),
    (["--tag", "aws:a=b"], "reserved"), (["--kms-key", "alias/x"], "ARN"),
    (["--encrypt", "--share", OTHER], "cannot be shared"), (["--parent", "vol-1"], "snapshot's id"),
    (["another"], "one word too many"),
    (["--kms-key", KEY.replace("mrk-", ""), "--copy-to", "us-east-1"], "multi-Region")])
def test_wrong_usage_is_refused_before_anything_is_sent(aws, publish, small_image, words, said):
    fails(publish(small_image, *words), said, status=2)
    assert not aws.log
