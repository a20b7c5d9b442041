"""EC2's images: registered, described, copied, shared."""
import datetime
import re

from . import filters
from .cloud import Image
from .errors import ApiError, refuse
from .sharing import change_sharing

# What RegisterImage takes for granted: a 32-bit paravirtual machine.
DEFAULTS = {"Architecture": "i386", "VirtualizationType": "paravirtual", "EnaSupport": False}
NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")

IMAGE_FILTERS = {
    "image-id": lambda i: i.id, "name": lambda i: i.name, "owner-id": lambda i: i.owner,
    "state": lambda i: i.state, "architecture": lambda i: i.fields["Architecture"],
    "virtualization-type": lambda i: i.fields["VirtualizationType"],
    "ena-support": lambda i: i.fields["EnaSupport"],
    "description": lambda i: i.fields.get("Description"),
    "root-device-name": lambda i: i.fields.get("RootDeviceName"),
    "root-device-type": lambda i: "ebs", "image-type": lambda i: "machine",
    "is-public": lambda i: "all" in i.shared_with}


class Images:
    """The half of Ec2 that is about images; snapshots are in ec2.py."""

    def __init__(self, cloud):
        self.cloud = cloud

    def image(self, call, image_id, writing=False):
        if not re.fullmatch(r"ami-[0-9a-f]{8}([0-9a-f]{9})?", image_id):
            raise refuse("InvalidAMIID.Malformed",
                         f"Invalid id: \"{image_id}\" (expecting \"ami-...\")")
        found = call.region.images.get(image_id)
        if found is None or not self.cloud.can_see(found):
            raise refuse("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
        if call.key.account != found.owner and \
                (writing or not found.shared_with & {"all", call.key.account}):
            raise ApiError("AuthFailure", f"Not authorized for images: [{image_id}]", 400)
        return found

    def check_name(self, name, call):
        if not NAME.fullmatch(name):
            raise refuse("InvalidAMIName.Malformed", "AMI names must be between 3 and 128 "
                         "characters long, and may contain letters, numbers, '(', ')', '.', "
                         "'-', '/' and '_'")
        for image in call.region.images.values():
            if image.name == name and image.owner == call.key.account:
                raise refuse("InvalidAMIName.Duplicate",
                             f"AMI name {name} is already in use by AMI {image.id}")
        if len(call.region.images) >= self.cloud.settings.most_images:
            raise refuse("ImageQuotaExceeded", "You have reached your quota for the number of "
                                               "AMIs allowed in this Region.")

    def check_mapping(self, mapping, call):
        """A device of RegisterImage, with what EC2 fills in."""
        ebs = dict(mapping.get("Ebs", {}))
        if "SnapshotId" not in ebs:
            return mapping
        device = mapping.get("DeviceName")
        if "Encrypted" in ebs or "KmsKeyId" in ebs:
            raise refuse("InvalidBlockDeviceMapping", "the encrypted flag cannot be specified "
                         f"since device {device} has a snapshot specified.")
        snapshot = self.snapshot(call, ebs["SnapshotId"])
        if snapshot.state != "completed":
            raise refuse("IncorrectState", f"Snapshot {snapshot.id} is in state "
                                           f"{snapshot.state}, but it must be completed")
        if ebs.get("VolumeSize", snapshot.size_gib) < snapshot.size_gib:
            raise refuse("InvalidBlockDeviceMapping", f"Volume of size {ebs['VolumeSize']}GB is "
                         f"smaller than snapshot '{snapshot.id}', expect size >= "
                         f"{snapshot.size_gib}GB")
        return {**mapping, "Ebs": {"VolumeSize": snapshot.size_gib, "VolumeType": "standard",
                                   "DeleteOnTermination": False, **ebs,
                                   "Encrypted": snapshot.key is not None}}

    def register_image(self, params, call):
        with self.cloud.lock:
            self.check_name(params["Name"], call)
            fields = {**DEFAULTS, **params}
            if "ImageLocation" in params or "RootDeviceName" not in params:
                raise refuse("InvalidRequest", "The request must contain exactly one of "
                             "ImageLocation and RootDeviceName (an image in S3 is not modelled)")
            mappings = [self.check_mapping(m, call) for m in params.get("BlockDeviceMappings", [])]
            root = [m for m in mappings if m.get("DeviceName") == params["RootDeviceName"]]
            if not root or "SnapshotId" not in root[0].get("Ebs", {}):
                raise refuse("InvalidBlockDeviceMapping", f"The root device "
                             f"{params['RootDeviceName']} is not mapped to a snapshot")
            if fields["VirtualizationType"] != "hvm":
                if fields["EnaSupport"] or fields.get("BootMode", "legacy-bios") != "legacy-bios":
                    raise refuse("InvalidParameterCombination", "Enhanced networking and UEFI "
                                 "need virtualization type hvm")
            elif fields["Architecture"] == "i386" and "uefi" in fields.get("BootMode", ""):
                raise refuse("InvalidParameterCombination", "UEFI needs a 64-bit architecture")
            made = Image(self.cloud.new_id("ami"), call.key.account, params["Name"],
                         self.cloud.now(), fields, mappings,
                         polls=self.cloud.settings.image_polls,
                         unseen=self.cloud.settings.unseen_calls)
            if not made.polls:
                self.settle(made)
            call.region.images[made.id] = made
            return {"ImageId": made.id}

    def settle(self, image):
        image.state = "failed" if self.cloud.settings.images_fail else "available"

    def advance_image(self, image, call):
        """One look at it brings it, and the snapshots it is copied to, nearer to their end."""
        if image.state != "pending":
            return
        image.polls -= 1
        snapshots = [call.region.snapshots[m["Ebs"]["SnapshotId"]] for m in image.mappings
                     if "SnapshotId" in m.get("Ebs", {})]
        for snapshot in snapshots:
            self.advance(snapshot)
        if image.polls <= 0 and all(s.state == "completed" for s in snapshots):
            self.settle(image)

    def describe_images(self, params, call):
        with self.cloud.lock:
            me = call.key.account
            if "ImageIds" in params:
                found = [self.image(call, i) for i in params["ImageIds"]]
            else:
                found = [i for i in call.region.images.values()
                         if (i.owner == me or i.shared_with & {"all", me})
                         and self.cloud.can_see(i)]
            for image in found:
                self.advance_image(image, call)
            owners = [me if o == "self" else o for o in params.get("Owners", [])]
            if owners:
                found = [i for i in found if i.owner in owners]
            found = filters.apply(params.get("Filters", []), found, IMAGE_FILTERS,
                                  lambda i: i.tags)
            rows, token = filters.page(params, found)
            return {"Images": [self.describe_image(i, me) for i in rows], "NextToken": token}

    @staticmethod
    def describe_image(image, account):
        fields = image.fields
        created = datetime.datetime.fromtimestamp(image.created, datetime.timezone.utc)
        return {"ImageId": image.id, "Name": image.name, "OwnerId": image.owner,
                "State": image.state, "CreationDate": f"{created:%Y-%m-%dT%H:%M:%S.000Z}",
                "ImageLocation": f"{image.owner}/{image.name}", "ImageType": "machine",
                "Public": "all" in image.shared_with, "Hypervisor": "xen",
                "PlatformDetails": "Linux/UNIX", "UsageOperation": "RunInstances",
                "RootDeviceType": "ebs", "BlockDeviceMappings": image.mappings,
                "StateReason": {"Code": "Client.InternalError", "Message": "image failed"}
                if image.state == "failed" else None,
                **{name: fields.get(name) for name in
                   ("Architecture", "VirtualizationType", "EnaSupport", "Description",
                    "RootDeviceName", "BootMode", "ImdsSupport", "TpmSupport")},
                "Tags": [{"Key": k, "Value": v} for k, v in image.tags.items()]
                if image.owner == account else []}

    def deregister_image(self, params, call):
        with self.cloud.lock:
            found = self.image(call, params["ImageId"], writing=True)
            del call.region.images[found.id]

    def copy_image(self, params, call):
        with self.cloud.lock:
            answer = self.cloud.once(call.region, call, params.get("ClientToken"), params,
                                     lambda: self.copy(params, call))
        if answer is None:
            raise refuse("IdempotentParameterMismatch", "The request uses the same client token "
                                                        "as a previous, but non-identical request.")
        return answer

    def copy(self, params, call):
        source = self.source_region(params).images.get(params["SourceImageId"])
        if source is None or call.key.account != source.owner and \
                not source.shared_with & {"all", call.key.account}:
            raise refuse("InvalidAMIID.NotFound",
                         f"The image id '[{params['SourceImageId']}]' does not exist")
        if source.state != "available":
            raise refuse("InvalidAMIID.Unavailable",
                         f"The image ID '{source.id}' is not available")
        self.check_name(params["Name"], call)
        mappings = []
        for mapping in source.mappings:
            below = dict(mapping.get("Ebs", {}))
            if "SnapshotId" in below:
                from_snapshot = self.cloud.find_snapshot(below["SnapshotId"])
                made = self.copy_blocks(params, call, from_snapshot,
                                        f"Copied for DestinationAmi from SourceAmi {source.id}")
                below |= {"SnapshotId": made.id, "Encrypted": made.key is not None}
            mappings.append({**mapping, "Ebs": below} if below else mapping)
        image = Image(self.cloud.new_id("ami"), call.key.account, params["Name"],
                      self.cloud.now(), {**source.fields, "Name": params["Name"],
                                         "Description": params.get("Description", "")},
                      mappings, polls=self.cloud.settings.image_polls,
                      unseen=self.cloud.settings.unseen_calls,
                      tags=dict(source.tags) if params.get("CopyImageTags") else {})
        call.region.images[image.id] = image
        return {"ImageId": image.id}

    def modify_image_attribute(self, params, call):
        with self.cloud.lock:
            found = self.image(call, params["ImageId"], writing=True)
            if "Description" in params:
                found.fields["Description"] = params["Description"].get("Value", "")
                return
            attribute = params.get("Attribute", "launchPermission")
            if attribute == "description":
                found.fields["Description"] = params.get("Value", "")
            elif attribute == "imdsSupport":
                if params.get("Value") != "v2.0":
                    raise refuse("InvalidParameterValue", "imdsSupport is v2.0")
                found.fields["ImdsSupport"] = "v2.0"
            elif attribute == "launchPermission":
                change_sharing(found, params)
            else:
                raise refuse("InvalidParameterValue", f"attribute {attribute} is not modelled")

    def describe_image_attribute(self, params, call):
        with self.cloud.lock:
            found = self.image(call, params["ImageId"], writing=True)
            answer = {"ImageId": found.id}
            if params["Attribute"] == "launchPermission":
                answer["LaunchPermissions"] = [{"Group": w} if w == "all" else {"UserId": w}
                                               for w in sorted(found.shared_with)]
            elif params["Attribute"] in ("description", "bootMode", "imdsSupport"):
                name = params["Attribute"][0].upper() + params["Attribute"][1:]
                answer[name] = {"Value": found.fields.get(name, "")}
            else:
                raise refuse("InvalidParameterValue",
                             f"attribute {params['Attribute']} is not modelled")
            return answer
