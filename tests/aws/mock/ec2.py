"""EC2: snapshots, tags and regions. Images and instances have files of their own."""
import re

from . import filters
from .cloud import MANAGED_KEY, REGION_TO_OPT_IN, REGIONS, Snapshot
from .ebs import MOST_TAGS
from .ec2_images import Images
from .ec2_instances import Instances
from .errors import refuse
from .sharing import change_sharing


SNAPSHOT_FILTERS = {
    "snapshot-id": lambda s: s.id, "owner-id": lambda s: s.owner, "status": lambda s: s.state,
    "description": lambda s: s.description, "volume-size": lambda s: s.size_gib,
    "encrypted": lambda s: s.key is not None}


class Ec2(Images, Instances):
    def snapshot(self, call, snapshot_id, writing=False):
        if not re.fullmatch(r"snap-[0-9a-f]{8}([0-9a-f]{9})?", snapshot_id):
            raise refuse("InvalidSnapshotID.Malformed",
                         f"Invalid id: \"{snapshot_id}\" (expecting \"snap-...\")")
        found = call.region.snapshots.get(snapshot_id)
        if found is None or not self.cloud.can_see(found) or \
                call.key.account not in {found.owner} | (set() if writing else found.shared_with):
            raise refuse("InvalidSnapshot.NotFound",
                         f"The snapshot '{snapshot_id}' does not exist.")
        return found

    def advance(self, snapshot):
        """One look at it brings it nearer to its end."""
        if snapshot.state == "pending" and snapshot.sealed:
            snapshot.polls -= 1
            if snapshot.polls <= 0:
                snapshot.state = "error" if self.cloud.settings.snapshots_fail else "completed"

    def describe_snapshots(self, params, call):
        with self.cloud.lock:
            if "SnapshotIds" in params:
                found = [self.snapshot(call, i) for i in params["SnapshotIds"]]
            else:
                found = [s for s in call.region.snapshots.values()
                         if call.key.account in {s.owner} | s.shared_with
                         and self.cloud.can_see(s)]
            for snapshot in found:
                self.advance(snapshot)
            owners = [call.key.account if o == "self" else o for o in params.get("OwnerIds", [])]
            if owners:
                found = [s for s in found if s.owner in owners]
            found = filters.apply(params.get("Filters", []), found, SNAPSHOT_FILTERS,
                                  lambda s: s.tags)
            rows, token = filters.page(params, found)
            return {"Snapshots": [self.describe(s, call) for s in rows], "NextToken": token}

    @staticmethod
    def describe(snapshot, call):
        total = max(1, snapshot.polls + 1)
        return {"SnapshotId": snapshot.id, "OwnerId": snapshot.owner, "State": snapshot.state,
                "StateMessage": "Validation of the snapshot failed"
                if snapshot.state == "error" else None,
                "Description": snapshot.description, "VolumeSize": snapshot.size_gib,
                "VolumeId": "vol-ffffffff", "StartTime": snapshot.started,
                "Progress": "100%" if snapshot.state == "completed" else f"{100 // total - 1}%",
                "Encrypted": snapshot.key is not None, "KmsKeyId": snapshot.key,
                "StorageTier": "standard",
                "Tags": [{"Key": k, "Value": v} for k, v in snapshot.tags.items()]
                if snapshot.owner == call.key.account else []}

    def delete_snapshot(self, params, call):
        with self.cloud.lock:
            found = self.snapshot(call, params["SnapshotId"], writing=True)
            for image in call.region.images.values():
                if any(m["Ebs"]["SnapshotId"] == found.id for m in image.mappings if "Ebs" in m):
                    raise refuse("InvalidSnapshot.InUse", f"The snapshot {found.id} is currently "
                                                          f"in use by {image.id}")
            del call.region.snapshots[found.id]

    def copy_key(self, params, call, source):
        """The KMS key of a copy; a copy is in this region, and so is its key."""
        if not (params.get("Encrypted") or source.key):
            if "KmsKeyId" in params:
                raise refuse("InvalidParameterCombination", "KmsKeyId needs Encrypted.")
            return None
        return params.get("KmsKeyId") or MANAGED_KEY.format(region=call.region.name,
                                                            account=call.key.account)

    def source_region(self, params):
        if params["SourceRegion"] not in self.cloud.regions:
            raise refuse("InvalidParameterValue", f"Value ({params['SourceRegion']}) for "
                         "parameter SourceRegion is invalid.")
        return self.cloud.regions[params["SourceRegion"]]

    def copy_blocks(self, params, call, source, description):
        """A new snapshot of this region with all that another has."""
        made = Snapshot(self.cloud.new_id("snap"), call.key.account, call.region.name,
                        source.size_gib, description, self.cloud.now(),
                        key=self.copy_key(params, call, source), blocks=dict(source.blocks),
                        sealed=True, polls=self.cloud.settings.completion_polls, from_ebs=False,
                        unseen=self.cloud.settings.unseen_calls)
        if not made.polls:
            made.state = "completed"
        call.region.snapshots[made.id] = made
        return made

    def copy_snapshot(self, params, call):
        with self.cloud.lock:
            source = self.source_region(params).snapshots.get(params["SourceSnapshotId"])
            if source is None or call.key.account not in {source.owner} | source.shared_with:
                raise refuse("InvalidSnapshot.NotFound",
                             f"The snapshot '{params['SourceSnapshotId']}' does not exist.")
            if source.state != "completed":
                raise refuse("IncorrectState", "The source snapshot is not completed.")
            made = self.copy_blocks(params, call, source, params.get("Description", ""))
            made.tags = self.tags_of_specifications(params, "snapshot")
            return {"SnapshotId": made.id,
                    "Tags": [{"Key": k, "Value": v} for k, v in made.tags.items()]}

    @staticmethod
    def tags_of_specifications(params, kind):
        tags = {}
        for row in params.get("TagSpecifications", []):
            if row.get("ResourceType") != kind:
                raise refuse("InvalidParameterValue", f"'{row.get('ResourceType')}' is not a "
                                                      f"valid taggable resource type here.")
            tags |= {t["Key"]: t.get("Value", "") for t in row.get("Tags", [])}
        return tags

    def modify_snapshot_attribute(self, params, call):
        with self.cloud.lock:
            found = self.snapshot(call, params["SnapshotId"], writing=True)
            if params.get("Attribute", "createVolumePermission") != "createVolumePermission":
                raise refuse("InvalidParameterValue", "Attribute is not createVolumePermission.")
            if found.key and found.key.endswith("aws-ebs"):
                raise refuse("OperationNotPermitted", "Encrypted snapshots with the default key "
                                                      "cannot be shared.")
            change_sharing(found, params)

    def describe_snapshot_attribute(self, params, call):
        with self.cloud.lock:
            found = self.snapshot(call, params["SnapshotId"], writing=True)
            return {"SnapshotId": found.id, "CreateVolumePermissions":
                    [{"Group": w} if w == "all" else {"UserId": w}
                     for w in sorted(found.shared_with)]}

    def tagged(self, call, resource):
        if resource.startswith("snap-"):
            return self.snapshot(call, resource, writing=True)
        if resource.startswith("ami-"):
            return self.image(call, resource, writing=True)
        raise refuse("InvalidID", f"The ID '{resource}' is not valid")

    def create_tags(self, params, call):
        with self.cloud.lock:
            things = [self.tagged(call, r) for r in params["Resources"]]
            new = {t["Key"]: t.get("Value", "") for t in params["Tags"]}
            for key, value in new.items():
                if key.startswith("aws:") or not 1 <= len(key) <= 127 or len(value) > 255:
                    raise refuse("InvalidParameterValue", f"Value ( {key} ) for parameter key is "
                                                          "invalid. Tag keys starting with 'aws:' "
                                                          "are reserved for internal use")
            for thing in things:
                if len(set(thing.tags) | set(new)) > MOST_TAGS:
                    raise refuse("TagLimitExceeded", "More than 50 tags specified")
                thing.tags.update(new)

    def delete_tags(self, params, call):
        with self.cloud.lock:
            for thing in [self.tagged(call, r) for r in params["Resources"]]:
                for tag in params.get("Tags", [{"Key": k} for k in thing.tags]):
                    if tag.get("Value") in (None, thing.tags.get(tag["Key"])):
                        thing.tags.pop(tag["Key"], None)

    def describe_regions(self, params, _):
        rows = [(name, "opt-in-not-required") for name in REGIONS]
        if params.get("AllRegions"):
            rows.append((REGION_TO_OPT_IN, "not-opted-in"))
        wanted = params.get("RegionNames")
        for name in wanted or []:
            if name not in dict(rows):
                raise refuse("InvalidParameterValue", f"Invalid region provided: [{name}]")
        return {"Regions": [{"RegionName": n, "Endpoint": f"ec2.{n}.amazonaws.com",
                             "OptInStatus": s} for n, s in rows if not wanted or n in wanted]}
