"""The mock's EBS direct API, by boto3: each rule holds, and is broken once."""
import hashlib

import pytest

from aws_client import (BLOCK, b64_sha256, block, complete, make_snapshot, put, refused, send,
                        signed_request)
from mock import AccessKey
from mock.credentials import OTHER_ACCOUNT

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0f1e2d3c"


def state_of(ec2, snapshot_id):
    return ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"][0]["State"]


def read_blocks(ebs, snapshot_id):
    listed = ebs.list_snapshot_blocks(SnapshotId=snapshot_id)["Blocks"]
    return {b["BlockIndex"]: ebs.get_snapshot_block(
        SnapshotId=snapshot_id, **b)["BlockData"].read() for b in listed}


@pytest.fixture
def started(ebs):
    return ebs.start_snapshot(VolumeSize=1)["SnapshotId"]


def test_blocks_come_back_as_written(aws, ebs, ec2):
    blocks = {0: block("first"), 2: block("third"), 2047: block("last")}
    made = make_snapshot(ebs, ec2, blocks)
    assert read_blocks(ebs, made) == blocks


def test_disk_is_the_blocks_in_their_places(aws, ebs, ec2, tmp_path):
    made = make_snapshot(ebs, ec2, {0: block("first"), 2: block("third")})
    disk = block("first") + bytes(BLOCK) + block("third")
    assert aws.disk_bytes(made) == disk
    aws.cloud.write_disk(made, tmp_path / "disk")
    with open(tmp_path / "disk", "rb") as file:
        assert file.read(len(disk)) == disk
        assert file.seek(0, 2) == 1 << 30


def test_block_written_again_is_replaced_and_counted_once(ebs, started, ec2):
    put(ebs, started, 5, block("old"))
    put(ebs, started, 5, block("new"))
    complete(ebs, started, {5: block("new")})
    while state_of(ec2, started) != "completed":
        pass
    assert read_blocks(ebs, started) == {5: block("new")}


@pytest.mark.parametrize("change, reason", [
    ({"BlockIndex": 2048}, "INVALID_BLOCK"), ({"BlockIndex": -1}, "INVALID_PARAMETER_VALUE"),
    ({"Checksum": b64_sha256(b"other")}, "INVALID_BLOCK"),
    ({"Checksum": "not base64!"}, "INVALID_PARAMETER_VALUE"),
    ({"ChecksumAlgorithm": "MD5"}, "INVALID_PARAMETER_VALUE"),
    ({"DataLength": 4096}, "INVALID_BLOCK"),
    ({"BlockData": b"short", "Checksum": b64_sha256(b"short")}, "INVALID_BLOCK"),
    ({"Progress": 101}, "INVALID_PARAMETER_VALUE"), ({"Checksum": None}, "INVALID_PARAMETER_VALUE"),
    ({"ChecksumAlgorithm": None}, "INVALID_PARAMETER_VALUE"),
    ({"DataLength": None}, "INVALID_PARAMETER_VALUE")])
def test_wrong_block_is_refused(ebs, started, change, reason):
    right = {"SnapshotId": started, "BlockIndex": 0, "BlockData": block("x"), "DataLength": BLOCK,
             "Checksum": b64_sha256(block("x")), "ChecksumAlgorithm": "SHA256"}
    said = {name: value for name, value in {**right, **change}.items() if value is not None}
    with refused("ValidationException", 400, reason):
        ebs.put_snapshot_block(**said)
    ebs.put_snapshot_block(**right)


@pytest.mark.parametrize("change", [
    {"ChangedBlocksCount": 1}, {"ChangedBlocksCount": 3}, {"Checksum": b64_sha256(b"")},
    {"Checksum": None}, {"ChecksumAggregationMethod": None},
    {"ChecksumAggregationMethod": "TREE"}, {"ChangedBlocksCount": None}])
def test_wrong_completion_is_refused(ebs, started, change):
    blocks = {7: block("seven"), 3: block("three")}
    for index, data in blocks.items():
        put(ebs, started, index, data)
    right = {"SnapshotId": started, "ChangedBlocksCount": 2, "ChecksumAlgorithm": "SHA256",
             "ChecksumAggregationMethod": "LINEAR"}
    # In the order of indexes, whatever order they were written in.
    digests = b"".join(hashlib.sha256(blocks[i]).digest() for i in (3, 7))
    right["Checksum"] = b64_sha256(digests)
    said = {name: value for name, value in {**right, **change}.items() if value is not None}
    with refused("ValidationException", 400, "INVALID_PARAMETER_VALUE"):
        ebs.complete_snapshot(**said)
    assert ebs.complete_snapshot(**right)["Status"] == "pending"


def test_completion_without_checksum_is_accepted(ebs, started):
    put(ebs, started, 0, block("x"))
    ebs.complete_snapshot(SnapshotId=started, ChangedBlocksCount=1)


def test_nothing_is_written_after_completion(ebs, started):
    complete(ebs, started, {})
    with refused("ValidationException", 400, "INVALID_SNAPSHOT_ID"):
        put(ebs, started, 0, block("late"))
    with refused("ValidationException", 400, "INVALID_SNAPSHOT_ID"):
        complete(ebs, started, {})


def test_snapshot_is_completed_after_some_polls(aws, ebs, ec2, started):
    aws.settings.completion_polls = 3
    complete(ebs, started, {})
    with refused("ValidationException", 400, "INVALID_SNAPSHOT_ID"):
        ebs.list_snapshot_blocks(SnapshotId=started)
    assert [state_of(ec2, started) for _ in range(4)] == ["pending"] * 2 + ["completed"] * 2


def test_snapshot_may_end_in_error(aws, ebs, ec2, started):
    aws.settings.snapshots_fail = True
    complete(ebs, started, {})
    assert [state_of(ec2, started) for _ in range(2)] == ["pending", "error"]


def test_forgotten_snapshot_times_out(aws, ebs):
    made = ebs.start_snapshot(VolumeSize=1, Timeout=10)["SnapshotId"]
    aws.cloud.find_snapshot(made).touched -= 601
    with refused("ValidationException", 400, "INVALID_SNAPSHOT_ID"):
        put(ebs, made, 0, block("late"))


def test_client_token_gives_the_same_snapshot_again(ebs):
    first = ebs.start_snapshot(VolumeSize=1, ClientToken="once", Description="a")
    again = ebs.start_snapshot(VolumeSize=1, ClientToken="once", Description="a")
    other = ebs.start_snapshot(VolumeSize=1, ClientToken="twice", Description="a")
    assert first["SnapshotId"] == again["SnapshotId"] != other["SnapshotId"]
    with refused("ConflictException", 409):
        ebs.start_snapshot(VolumeSize=2, ClientToken="once", Description="a")


def test_child_has_the_blocks_of_its_parent(ebs, ec2):
    parent = make_snapshot(ebs, ec2, {1: block("one"), 2: block("two")})
    child = make_snapshot(ebs, ec2, {2: block("TWO"), 9: block("nine")}, ParentSnapshotId=parent)
    assert read_blocks(ebs, child) == {1: block("one"), 2: block("TWO"), 9: block("nine")}
    changed = ebs.list_changed_blocks(FirstSnapshotId=parent, SecondSnapshotId=child)
    assert [(c["BlockIndex"], "FirstBlockToken" in c) for c in changed["ChangedBlocks"]] == [
        (2, True), (9, False)]
    ec2.delete_snapshot(SnapshotId=parent)
    assert read_blocks(ebs, child)[1] == block("one")


@pytest.mark.parametrize("parameters, reason", [
    ({"VolumeSize": 0}, None), ({"VolumeSize": 65537}, "INVALID_VOLUME_SIZE"),
    ({"Timeout": 9}, None), ({"ClientToken": "a b"}, None),
    ({"KmsKeyArn": KEY}, "INVALID_PARAMETER_VALUE"),
    ({"KmsKeyArn": KEY.replace("eu-west-1", "us-east-1"), "Encrypted": True},
     "INVALID_CUSTOMER_KEY"),
    ({"Tags": [{"Key": "aws:x", "Value": ""}]}, "INVALID_TAG"),
    ({"Tags": [{"Key": "a", "Value": ""}, {"Key": "a", "Value": ""}]}, "INVALID_TAG"),
    ({"Tags": [{"Key": str(i), "Value": ""} for i in range(51)]}, None)])
def test_wrong_start_is_refused(ebs, parameters, reason):
    with refused("ValidationException", 400, reason):
        ebs.start_snapshot(**{"VolumeSize": 1, **parameters})


def test_wrong_parent_is_refused(ebs, ec2, started):
    with refused("ValidationException", 400, "INVALID_SNAPSHOT_ID"):
        ebs.start_snapshot(VolumeSize=1, ParentSnapshotId=started)
    parent = make_snapshot(ebs, ec2, {})
    with refused("ValidationException", 400, "INVALID_PARAMETER_VALUE"):
        ebs.start_snapshot(VolumeSize=1, ParentSnapshotId=parent, Encrypted=True)
    with refused("ResourceNotFoundException", 404):
        ebs.start_snapshot(VolumeSize=1, ParentSnapshotId="snap-0123456789abcdef0")


@pytest.mark.parametrize("body, code", [
    (b'{"VolumeSize":"1"}', "SerializationException"), (b'{"VolumeSize":1', "SerializationException"),
    (b'{"VolumeSize":true}', "SerializationException"), (b"[1]", "SerializationException"),
    (b'{"VolumeSize":1,"Colour":"red"}', "ValidationException"), (b"{}", "ValidationException")])
def test_body_against_the_model_is_refused(aws, body, code):
    status, headers, _ = send(aws, signed_request(aws, "POST", "/snapshots", body))
    assert (status, headers["x-amzn-ErrorType"]) == (400, code)


def test_unknown_operation_is_refused(aws):
    status, headers, _ = send(aws, signed_request(aws, "GET", "/snapshots/x/y/z"))
    assert (status, headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")


def test_encrypted_snapshot_has_a_key(ebs, ec2):
    made = ebs.start_snapshot(VolumeSize=1, Encrypted=True, KmsKeyArn=KEY)
    assert made["KmsKeyArn"] == KEY
    seen = ec2.describe_snapshots(SnapshotIds=[made["SnapshotId"]])["Snapshots"][0]
    assert seen["Encrypted"] and seen["KmsKeyId"] == KEY
    assert "alias" not in ebs.start_snapshot(VolumeSize=1, Encrypted=True)["KmsKeyArn"]


def test_new_snapshot_is_not_seen_at_once(aws, ebs, ec2):
    aws.settings.unseen_calls = 2
    made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    with refused("ResourceNotFoundException", 404):
        put(ebs, made, 0, block("x"))
    with refused("InvalidSnapshot.NotFound", 400):
        ec2.describe_snapshots(SnapshotIds=[made])
    put(ebs, made, 0, block("x"))


def test_quotas_hold(aws, ebs):
    aws.settings.most_pending_snapshots = 1
    ebs.start_snapshot(VolumeSize=1)
    with refused("ConcurrentLimitExceededException", 400):
        ebs.start_snapshot(VolumeSize=1)
    aws.settings.most_snapshots = 1
    with refused("ServiceQuotaExceededException", 402):
        ebs.start_snapshot(VolumeSize=1)


def test_block_token_of_another_block_is_refused(ebs, ec2):
    made = make_snapshot(ebs, ec2, {0: block("a"), 1: block("b")})
    token = ebs.list_snapshot_blocks(SnapshotId=made)["Blocks"][0]["BlockToken"]
    with refused("ValidationException", 400, "INVALID_BLOCK_TOKEN"):
        ebs.get_snapshot_block(SnapshotId=made, BlockIndex=1, BlockToken=token)
    with refused("ResourceNotFoundException", 404):
        ebs.get_snapshot_block(SnapshotId=made, BlockIndex=2, BlockToken=token)


def test_blocks_are_listed_in_pages(aws, ebs, ec2):
    made = make_snapshot(ebs, ec2, {0: block("a")})
    snapshot = aws.cloud.find_snapshot(made)
    snapshot.blocks |= {i: snapshot.blocks[0] for i in range(250)}
    seen, more = [], {}
    while True:
        page = ebs.list_snapshot_blocks(SnapshotId=made, MaxResults=100, **more)
        seen.append([b["BlockIndex"] for b in page["Blocks"]])
        if "NextToken" not in page:
            break
        more = {"NextToken": page["NextToken"]}
    assert [len(s) for s in seen] == [100, 100, 50] and sum(seen, []) == list(range(250))
    with refused("ValidationException", 400, "INVALID_PAGE_TOKEN"):
        ebs.list_snapshot_blocks(SnapshotId=made, NextToken="nonsense")


def test_another_account_sees_what_is_shared(aws, clients, ebs, ec2):
    made = make_snapshot(ebs, ec2, {0: block("a")})
    other = clients("ebs", key=aws.keys.add(AccessKey("AKIAOTHER00000000000", "other",
                                                      account=OTHER_ACCOUNT)))
    with refused("ResourceNotFoundException", 404):
        other.list_snapshot_blocks(SnapshotId=made)
    ec2.modify_snapshot_attribute(SnapshotId=made, Attribute="createVolumePermission",
                                  OperationType="add", UserIds=[OTHER_ACCOUNT])
    assert len(other.list_snapshot_blocks(SnapshotId=made)["Blocks"]) == 1
