"""EC2's instances and security groups, as far as a smoke test goes: what an instance runs is its
launcher's, which a test gives (MockAws.launch)."""
import base64
import dataclasses
import re

from .errors import refuse

NITRO = re.compile(r"(a1|[cmr][5-9]\w*|t[34]\w*|i[3-9]en|hpc\w+)\.[\w-]+")
VPC = "vpc-0a0a0a0a0a0a0a0a0"


@dataclasses.dataclass
class Group:
    id: str
    name: str
    rules: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Instance:
    id: str
    image: str
    type: str
    started: float
    address: str
    groups: list
    tokens: str             # HttpTokens
    state: str = "pending"
    machine: object = None  # the launcher's


STATES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48}
NEXT = {"pending": "running", "shutting-down": "terminated"}


class Instances:
    """The part of Ec2 that is about instances. launch(disk's snapshot, address) starts a machine:
    an object with stop() and console()."""

    launch = staticmethod(lambda snapshot, address: None)

    def group(self, call, group_id):
        if group_id not in call.region.groups:
            raise refuse("InvalidGroup.NotFound",
                         f"The security group '{group_id}' does not exist")
        return call.region.groups[group_id]

    def create_security_group(self, params, call):
        with self.cloud.lock:
            name = params["GroupName"]
            if any(g.name == name for g in call.region.groups.values()):
                raise refuse("InvalidGroup.Duplicate", f"The security group '{name}' already "
                                                       f"exists for VPC '{VPC}'")
            made = Group(self.cloud.new_id("sg"), name)
            call.region.groups[made.id] = made
            return {"GroupId": made.id}

    def authorize_security_group_ingress(self, params, call):
        with self.cloud.lock:
            rules = params.get("IpPermissions") or [
                {name: params.get(name) for name in ("IpProtocol", "FromPort", "ToPort")} |
                {"IpRanges": [{"CidrIp": params.get("CidrIp")}]}]
            self.group(call, params["GroupId"]).rules += [
                (rule["IpProtocol"], rule["FromPort"], rule["ToPort"], source["CidrIp"])
                for rule in rules for source in rule.get("IpRanges", [])]
            return {"Return": True}

    def delete_security_group(self, params, call):
        with self.cloud.lock:
            found = self.group(call, params["GroupId"])
            if any(found.id in i.groups and i.state != "terminated"
                   for i in call.region.instances.values()):
                raise refuse("DependencyViolation",
                             f"resource {found.id} has a dependent object")
            del call.region.groups[found.id]

    def run_instances(self, params, call):
        with self.cloud.lock:
            image = self.image(call, params["ImageId"])
            if image.state != "available":
                raise refuse("InvalidAMIID.Unavailable", "The image ID is not available")
            if not NITRO.fullmatch(params["InstanceType"]):
                raise refuse("InvalidParameterValue", f"Invalid value '{params['InstanceType']}' "
                                                      "for InstanceType.")
            if (params["MinCount"], params["MaxCount"]) != (1, 1):
                raise refuse("InstanceLimitExceeded", "The mock starts one at a time")
            interfaces = params.get("NetworkInterfaces", [{}])
            groups = params.get("SecurityGroupIds", []) + interfaces[0].get("Groups", [])
            for group_id in groups:
                self.group(call, group_id)
            tokens = params.get("MetadataOptions", {}).get("HttpTokens")
            if image.fields.get("ImdsSupport") == "v2.0":
                tokens = tokens or "required"
            number = sum(len(r.instances) for r in self.cloud.regions.values()) + 2
            made = Instance(self.cloud.new_id("i"), image.id, params["InstanceType"],
                            self.cloud.now(), f"127.77.0.{number}", groups, tokens or "optional")
            snapshot = next(m["Ebs"]["SnapshotId"] for m in image.mappings
                            if m.get("DeviceName") == image.fields["RootDeviceName"])
            made.machine = self.launch(snapshot, made.address)
            call.region.instances[made.id] = made
            return {"ReservationId": self.cloud.new_id("r"), "OwnerId": call.key.account,
                    "Instances": [self.describe_instance(made)]}

    def instance(self, call, instance_id):
        if instance_id not in call.region.instances:
            raise refuse("InvalidInstanceID.NotFound",
                         f"The instance ID '{instance_id}' does not exist")
        return call.region.instances[instance_id]

    @staticmethod
    def describe_instance(found):
        return {"InstanceId": found.id, "ImageId": found.image, "InstanceType": found.type,
                "LaunchTime": found.started,
                "State": {"Code": STATES[found.state], "Name": found.state},
                "PublicIpAddress": found.address if found.state == "running" else None,
                "SecurityGroups": [{"GroupId": g} for g in found.groups],
                "MetadataOptions": {"HttpTokens": found.tokens, "HttpEndpoint": "enabled"}}

    def describe_instances(self, params, call):
        with self.cloud.lock:
            found = [self.instance(call, i) for i in params["InstanceIds"]]
            for instance in found:
                instance.state = NEXT.get(instance.state, instance.state)
            return {"Reservations": [{"Instances": [self.describe_instance(i)]} for i in found]}

    def terminate_instances(self, params, call):
        with self.cloud.lock:
            found = [self.instance(call, i) for i in params["InstanceIds"]]
            changes = []
            for instance in found:
                before = instance.state
                if instance.machine and before != "terminated":
                    instance.machine.stop()
                    instance.machine = None
                if before != "terminated":
                    instance.state = "shutting-down"
                changes.append({"InstanceId": instance.id,
                                "CurrentState": {"Name": instance.state},
                                "PreviousState": {"Name": before}})
            return {"TerminatingInstances": changes}

    def get_console_output(self, params, call):
        with self.cloud.lock:
            found = self.instance(call, params["InstanceId"])
            text = found.machine.console() if found.machine else ""
            return {"InstanceId": found.id, "Timestamp": self.cloud.now(),
                    "Output": base64.b64encode(text.encode()).decode()}
