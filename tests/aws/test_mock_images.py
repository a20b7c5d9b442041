"""The mock's EC2, by boto3: each rule of images, tags, copies and shares holds, and is broken
once."""
import pytest

from aws_client import block, image_parameters, make_snapshot, refused, send, signed_request
from mock import AccessKey
from mock.credentials import OTHER_ACCOUNT

NOT_THERE = "snap-0123456789abcdef0"


@pytest.fixture
def snapshot(ebs, ec2):
    return make_snapshot(ebs, ec2, {0: block("boot")})


@pytest.fixture
def other(aws, clients):
    """EC2 as another account sees it."""
    return clients("ec2", key=aws.keys.add(AccessKey("AKIAOTHER00000000000", "other",
                                                     account=OTHER_ACCOUNT)))


def register(ec2, snapshot_id, name="an image", **more):
    made = ec2.register_image(**image_parameters(snapshot_id, name, **more))["ImageId"]
    while image(ec2, made)["State"] == "pending":
        pass
    return made


def image(ec2, image_id):
    return ec2.describe_images(ImageIds=[image_id])["Images"][0]


def test_image_is_described_as_registered(ec2, snapshot):
    made = register(ec2, snapshot, BootMode="uefi-preferred", ImdsSupport="v2.0",
                    Description="what it is")
    seen = image(ec2, made)
    assert {name: seen[name] for name in
            ("Name", "Architecture", "VirtualizationType", "EnaSupport", "BootMode", "ImdsSupport",
             "RootDeviceName", "Description", "OwnerId", "Public")} == {
        "Name": "an image", "Architecture": "x86_64", "VirtualizationType": "hvm",
        "EnaSupport": True, "BootMode": "uefi-preferred", "ImdsSupport": "v2.0",
        "RootDeviceName": "/dev/xvda", "Description": "what it is", "OwnerId": "123456789012",
        "Public": False}
    assert seen["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"] == snapshot


def test_defaults_are_those_of_old_machines(ec2, snapshot):
    seen = image(ec2, ec2.register_image(
        Name="old", RootDeviceName="/dev/xvda", BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}])["ImageId"])
    assert (seen["Architecture"], seen["VirtualizationType"], seen["EnaSupport"]) == (
        "i386", "paravirtual", False)


EBS_OF = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": NOT_THERE}}


@pytest.mark.parametrize("change, code", [
    ({"Name": "ab"}, "InvalidAMIName.Malformed"), ({"Name": "a#b"}, "InvalidAMIName.Malformed"),
    ({"Name": None}, "MissingParameter"), ({"Architecture": "vax"}, "InvalidParameterValue"),
    ({"BootMode": "bios"}, "InvalidParameterValue"),
    ({"ImdsSupport": "v1.0"}, "InvalidParameterValue"),
    ({"VirtualizationType": "paravirtual"}, "InvalidParameterCombination"),
    ({"Architecture": "i386", "BootMode": "uefi"}, "InvalidParameterCombination"),
    ({"RootDeviceName": "/dev/sda1"}, "InvalidBlockDeviceMapping"),
    ({"RootDeviceName": None}, "InvalidRequest"),
    ({"BlockDeviceMappings": [EBS_OF]}, "InvalidSnapshot.NotFound"),
    ({"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-x"}}]},
     "InvalidSnapshotID.Malformed"),
    ({"BlockDeviceMappings": None}, "InvalidBlockDeviceMapping")])
def test_wrong_registration_is_refused(ec2, snapshot, change, code):
    said = {**image_parameters(snapshot), **change}
    with refused(code, 400):
        ec2.register_image(**{name: value for name, value in said.items() if value is not None})


@pytest.mark.parametrize("ebs_of, code", [
    ({"Encrypted": True}, "InvalidBlockDeviceMapping"),
    ({"VolumeType": "gp9"}, "InvalidParameterValue")])
def test_wrong_volume_is_refused(ec2, snapshot, ebs_of, code):
    said = image_parameters(snapshot)
    said["BlockDeviceMappings"][0]["Ebs"] |= ebs_of
    with refused(code, 400):
        ec2.register_image(**said)


def test_volume_is_not_smaller_than_its_snapshot(aws, ec2, snapshot):
    aws.cloud.find_snapshot(snapshot).size_gib = 2
    said = image_parameters(snapshot)
    said["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] = 1
    with refused("InvalidBlockDeviceMapping", 400):
        ec2.register_image(**said)


def test_pending_snapshot_makes_no_image(ebs, ec2):
    pending = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    with refused("IncorrectState", 400):
        ec2.register_image(**image_parameters(pending))


def test_name_is_given_once(ec2, snapshot, clients):
    made = register(ec2, snapshot, "taken")
    with refused("InvalidAMIName.Duplicate", 400):
        ec2.register_image(**image_parameters(snapshot, "taken"))
    ec2.deregister_image(ImageId=made)
    register(ec2, snapshot, "taken")


def test_snapshot_in_use_is_not_deleted(ec2, snapshot):
    made = register(ec2, snapshot)
    with refused("InvalidSnapshot.InUse", 400):
        ec2.delete_snapshot(SnapshotId=snapshot)
    ec2.deregister_image(ImageId=made)
    ec2.delete_snapshot(SnapshotId=snapshot)
    with refused("InvalidSnapshot.NotFound", 400):
        ec2.delete_snapshot(SnapshotId=snapshot)


@pytest.mark.parametrize("filters, found", [
    ([("tag:digest", "abc")], ["one"]), ([("tag:digest", "a*")], ["one", "two"]),
    ([("tag:digest", "a\\*")], []), ([("name", "t?o")], ["two"]),
    ([("tag-key", "digest"), ("name", "one")], ["one"]), ([("state", "available")],
                                                          ["one", "two"]),
    ([("name", "one"), ("tag:digest", "abd")], [])])
def test_images_are_found_by_filters(ec2, snapshot, filters, found):
    for name, digest in (("one", "abc"), ("two", "abd")):
        made = register(ec2, snapshot, name)
        ec2.create_tags(Resources=[made], Tags=[{"Key": "digest", "Value": digest}])
        image(ec2, made)
    seen = ec2.describe_images(Owners=["self"], Filters=[
        {"Name": name, "Values": [value]} for name, value in filters])["Images"]
    assert sorted(i["Name"] for i in seen) == found


def test_unknown_filter_is_refused(ec2):
    with refused("InvalidParameterValue", 400):
        ec2.describe_images(Filters=[{"Name": "colour", "Values": ["red"]}])


@pytest.mark.parametrize("tags, code", [
    ([{"Key": "aws:x", "Value": ""}], "InvalidParameterValue"),
    ([{"Key": str(i), "Value": ""} for i in range(51)], "TagLimitExceeded"),
    ([{"Key": "a", "Value": "v" * 256}], "InvalidParameterValue"), ([], "MissingParameter")])
def test_wrong_tags_are_refused(ec2, snapshot, tags, code):
    with refused(code, 400):
        ec2.create_tags(Resources=[snapshot], Tags=tags)


def test_tags_are_added_and_deleted(ec2, snapshot):
    ec2.create_tags(Resources=[snapshot], Tags=[{"Key": "a", "Value": "1"},
                                                {"Key": "b", "Value": "2"}])
    ec2.delete_tags(Resources=[snapshot], Tags=[{"Key": "a"}, {"Key": "b", "Value": "other"}])
    seen = ec2.describe_snapshots(Filters=[{"Name": "tag:b", "Values": ["2"]}])["Snapshots"]
    assert seen[0]["Tags"] == [{"Key": "b", "Value": "2"}]


def test_copy_is_another_snapshot_in_another_region(aws, clients, ec2, snapshot):
    made = register(ec2, snapshot)
    there = clients("ec2", region="us-east-1")
    copied = there.copy_image(Name="copy", SourceImageId=made, SourceRegion="eu-west-1",
                              ClientToken="t")["ImageId"]
    assert copied == there.copy_image(Name="copy", SourceImageId=made, SourceRegion="eu-west-1",
                                      ClientToken="t")["ImageId"]
    with refused("IdempotentParameterMismatch"):
        there.copy_image(Name="other", SourceImageId=made, SourceRegion="eu-west-1",
                         ClientToken="t")
    states = []
    while not states or states[-1] == "pending":
        states.append(image(there, copied)["State"])
    assert states == ["pending", "available"]
    below = image(there, copied)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert below != snapshot and aws.disk_bytes(below) == aws.disk_bytes(snapshot)
    with refused("InvalidAMIID.NotFound"):
        image(ec2, copied)


@pytest.mark.parametrize("change, code", [
    ({"SourceRegion": "eu-nowhere-1"}, "InvalidParameterValue"),
    ({"SourceImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
    ({"Name": "an image"}, "InvalidAMIName.Duplicate"),
    ({"KmsKeyId": "alias/x"}, "InvalidParameterCombination")])
def test_wrong_copy_is_refused(ec2, snapshot, change, code):
    made = register(ec2, snapshot)
    with refused(code):
        ec2.copy_image(**{"Name": "copy", "SourceImageId": made, "SourceRegion": "eu-west-1",
                          **change})


def test_copied_snapshot_has_the_blocks(aws, clients, snapshot):
    there = clients("ec2", region="us-east-1")
    copied = there.copy_snapshot(SourceSnapshotId=snapshot, SourceRegion="eu-west-1")["SnapshotId"]
    assert aws.disk_bytes(copied) == aws.disk_bytes(snapshot)


def test_image_is_seen_by_whom_it_is_shared_with(ec2, other, snapshot):
    made = register(ec2, snapshot)
    with refused("AuthFailure", 400):
        image(other, made)
    ec2.modify_image_attribute(ImageId=made, LaunchPermission={"Add": [{"UserId": OTHER_ACCOUNT}]})
    assert image(other, made)["OwnerId"] == "123456789012"
    with refused("AuthFailure", 400):
        other.deregister_image(ImageId=made)
    shared = ec2.describe_image_attribute(ImageId=made, Attribute="launchPermission")
    assert shared["LaunchPermissions"] == [{"UserId": OTHER_ACCOUNT}]
    ec2.modify_image_attribute(ImageId=made, Attribute="launchPermission",
                               OperationType="remove", UserIds=[OTHER_ACCOUNT])
    with refused("AuthFailure", 400):
        image(other, made)
    with refused("InvalidAMIAttributeItemValue", 400):
        ec2.modify_image_attribute(ImageId=made, LaunchPermission={"Add": [{"UserId": "12"}]})


def test_snapshot_with_the_default_key_is_not_shared(ebs, ec2):
    made = make_snapshot(ebs, ec2, {}, Encrypted=True)
    with refused("OperationNotPermitted", 400):
        ec2.modify_snapshot_attribute(SnapshotId=made, OperationType="add",
                                      UserIds=[OTHER_ACCOUNT])


def test_new_image_is_not_seen_at_once(aws, ec2, snapshot):
    aws.settings.unseen_calls = 1
    made = ec2.register_image(**image_parameters(snapshot))["ImageId"]
    with refused("InvalidAMIID.NotFound", 400):
        image(ec2, made)
    assert image(ec2, made)["ImageId"] == made


def test_image_may_fail(aws, ec2, snapshot):
    aws.settings.images_fail = True
    assert image(ec2, register(ec2, snapshot))["State"] == "failed"


def test_image_quota_holds(aws, ec2, snapshot):
    aws.settings.most_images = 0
    with refused("ImageQuotaExceeded", 400):
        ec2.register_image(**image_parameters(snapshot))


def test_permission_may_be_denied(aws, ebs, ec2):
    aws.keys.first.denied = frozenset({"RegisterImage", "StartSnapshot"})
    with refused("UnauthorizedOperation", 403):
        ec2.register_image(**image_parameters(NOT_THERE))
    with refused("AccessDeniedException", 403):
        ebs.start_snapshot(VolumeSize=1)


def test_dry_run_does_nothing(aws, ec2, snapshot):
    with refused("DryRunOperation", 412):
        ec2.delete_snapshot(SnapshotId=snapshot, DryRun=True)
    assert ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]


def test_regions_are_listed(ec2):
    names = [r["RegionName"] for r in ec2.describe_regions()["Regions"]]
    assert "eu-west-1" in names and "me-south-1" not in names
    every = ec2.describe_regions(AllRegions=True)["Regions"]
    assert {"not-opted-in", "opt-in-not-required"} == {r["OptInStatus"] for r in every}


@pytest.mark.parametrize("body, code", [
    (b"Action=DescribeImages", "MissingParameter"),
    (b"Action=DescribeImages&Version=2010-01-01", "NoSuchVersion"),
    (b"Action=DescribeImages&Version=2016-11-15&Colour=red", "UnknownParameter"),
    (b"Action=DescribeImages&Version=2016-11-15&ImageId=ami-0", "UnknownParameter"),
    (b"Action=DescribeImages&Version=2016-11-15&DryRun=maybe", "InvalidParameterValue"),
    (b"Action=DescribeImages&Version=2016-11-15&ImageId.1.2=x", "UnknownParameter"),
    (b"Action=Dance&Version=2016-11-15", "InvalidAction"), (b"", "InvalidAction")])
def test_request_against_the_model_is_refused(aws, body, code):
    request = signed_request(aws, "POST", "/", body, service="ec2", headers={
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
    status, _, text = send(aws, request)
    assert (status, f"<Code>{code}</Code>" in text.decode()) == (400, True), text
