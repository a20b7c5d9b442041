"""The mock's instances and security groups, as far as scripts/aws-smoke uses them."""
import pytest

from aws_client import block, image_parameters, make_snapshot, refused


class Machine:
    stopped = False

    def console(self):
        return "the console\n"

    def stop(self):
        self.stopped = True


@pytest.fixture
def machines(aws):
    started = {}

    def launch(snapshot, address):
        started[address] = Machine()
        return started[address]
    aws.handlers["ec2"].launch = launch
    yield started
    del aws.handlers["ec2"].launch


@pytest.fixture
def image(ebs, ec2):
    made = ec2.register_image(**image_parameters(make_snapshot(ebs, ec2, {0: block("x")}),
                                                 ImdsSupport="v2.0"))["ImageId"]
    ec2.describe_images(ImageIds=[made])
    return made


def run(ec2, image, **more):
    return ec2.run_instances(**{"ImageId": image, "InstanceType": "t3.micro", "MinCount": 1,
                                "MaxCount": 1, **more})["Instances"][0]


def look(ec2, instance):
    return ec2.describe_instances(
        InstanceIds=[instance["InstanceId"]])["Reservations"][0]["Instances"][0]


def test_instance_runs_until_it_is_terminated(ec2, image, machines):
    made = run(ec2, image)
    assert made["State"]["Name"] == "pending" and "PublicIpAddress" not in made
    seen = look(ec2, made)
    machine = machines[seen["PublicIpAddress"]]
    assert seen["State"]["Name"] == "running"
    assert seen["MetadataOptions"]["HttpTokens"] == "required"     # by the image's ImdsSupport
    assert ec2.get_console_output(InstanceId=made["InstanceId"])["Output"] == "the console\n"
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
    assert machine.stopped and look(ec2, made)["State"]["Name"] == "terminated"


def test_group_in_use_is_not_deleted(ec2, image):
    group = ec2.create_security_group(GroupName="g", Description="d")["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=80, ToPort=80,
                                         CidrIp="192.0.2.1/32")
    made = run(ec2, image, NetworkInterfaces=[{"DeviceIndex": 0, "Groups": [group]}])
    with refused("DependencyViolation", 400):
        ec2.delete_security_group(GroupId=group)
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
    look(ec2, made)
    ec2.delete_security_group(GroupId=group)


@pytest.mark.parametrize("change, code", [
    ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
    ({"InstanceType": "t2.micro"}, "InvalidParameterValue"),
    ({"SecurityGroupIds": ["sg-0"]}, "InvalidGroup.NotFound"),
    ({"MetadataOptions": {"HttpTokens": "maybe"}}, "InvalidParameterValue"),
    ({"MaxCount": 2}, "InstanceLimitExceeded"), ({"MinCount": None}, "MissingParameter")])
def test_wrong_instance_is_refused(ec2, image, change, code):
    said = {"ImageId": image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, **change}
    with refused(code, 400):
        ec2.run_instances(**{k: v for k, v in said.items() if v is not None})


def test_group_name_is_given_once(ec2):
    ec2.create_security_group(GroupName="g", Description="d")
    with refused("InvalidGroup.Duplicate", 400):
        ec2.create_security_group(GroupName="g", Description="d")


def test_pending_image_starts_nothing(aws, ebs, ec2):
    aws.settings.image_polls = 5
    made = ec2.register_image(**image_parameters(make_snapshot(ebs, ec2, {})))["ImageId"]
    with refused("InvalidAMIID.Unavailable", 400):
        run(ec2, made)
