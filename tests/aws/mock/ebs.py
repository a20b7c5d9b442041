"""EBS direct: snapshots written and read block by block."""
import base64
import hashlib

from .cloud import BLOCK, MANAGED_KEY, Snapshot
from .errors import ApiError

BLOCKS_A_GIB = (1 << 30) // BLOCK
TOKEN_LIFETIME_S = 7 * 24 * 3600
MOST_TAGS = 50


def invalid(reason, message):
    return ApiError("ValidationException", message, Reason=reason)


def missing(snapshot_id):
    return ApiError("ResourceNotFoundException", f"The snapshot '{snapshot_id}' does not exist.",
                    Reason="SNAPSHOT_NOT_FOUND")


def b64(digest):
    return base64.b64encode(digest).decode()


def block_token(snapshot, index, digest):
    return b64(hashlib.sha256(f"{snapshot.id}/{index}/{digest.hex()}".encode()).digest())


class Ebs:
    """A handler for each operation of the model: (params, call) to the members of its output."""

    def __init__(self, cloud):
        self.cloud = cloud

    def snapshot(self, call, snapshot_id):
        found = call.region.snapshots.get(snapshot_id)
        if found is None or not self.cloud.can_see(found) or \
                call.key.account not in {found.owner} | found.shared_with:
            raise missing(snapshot_id)
        if found.state == "pending" and not found.sealed and \
                self.cloud.now() > found.touched + found.timeout_s:
            found.state = "error"
        return found

    def writable(self, call, snapshot_id):
        found = self.snapshot(call, snapshot_id)
        if found.owner != call.key.account:
            raise missing(snapshot_id)
        if found.state != "pending" or found.sealed or not found.from_ebs:
            raise invalid("INVALID_SNAPSHOT_ID",
                          f"The snapshot '{snapshot_id}' is not in the pending state.")
        return found

    def start_snapshot(self, params, call):
        with self.cloud.lock:
            answer = self.cloud.once(call.region, call, params.get("ClientToken"), params,
                                     lambda: self.start(params, call))
        if answer is None:
            raise ApiError("ConflictException", "The request uses the same client token as a "
                           "previous, but non-identical request.")
        return answer

    def start(self, params, call):
        self.check_start(params, call)
        settings, now = self.cloud.settings, self.cloud.now()
        parent = None
        if "ParentSnapshotId" in params:
            parent = self.parent(params, call)
        key = parent.key if parent else params.get("KmsKeyArn")
        if params.get("Encrypted") and not key:
            key = MANAGED_KEY.format(region=call.region.name, account=call.key.account)
        made = Snapshot(self.cloud.new_id("snap"), call.key.account, call.region.name,
                        params["VolumeSize"], params.get("Description", ""), now,
                        parent=parent.id if parent else None, key=key,
                        tags={t["Key"]: t.get("Value", "") for t in params.get("Tags", [])},
                        blocks=dict(parent.blocks) if parent else {},
                        unseen=settings.unseen_calls, touched=now,
                        timeout_s=60 * params.get("Timeout", 60))
        call.region.snapshots[made.id] = made
        return {"SnapshotId": made.id, "OwnerId": made.owner, "Status": "pending",
                "StartTime": now, "VolumeSize": made.size_gib, "BlockSize": BLOCK,
                "Description": made.description, "Tags": params.get("Tags"),
                "ParentSnapshotId": made.parent, "KmsKeyArn": made.key}

    def check_start(self, params, call):
        settings, snapshots = self.cloud.settings, call.region.snapshots
        if not 1 <= params["VolumeSize"] <= 65536:
            raise invalid("INVALID_VOLUME_SIZE", "VolumeSize must be from 1 to 65536 GiB.")
        if "KmsKeyArn" in params and not params.get("Encrypted"):
            raise invalid("INVALID_PARAMETER_VALUE", "KmsKeyArn needs Encrypted.")
        if "ParentSnapshotId" in params and "Encrypted" in params:
            raise invalid("INVALID_PARAMETER_VALUE",
                          "Encrypted must be omitted when ParentSnapshotId is specified.")
        if "KmsKeyArn" in params and f":{call.region.name}:" not in params["KmsKeyArn"]:
            raise invalid("INVALID_CUSTOMER_KEY", "The KMS key is in another region.")
        tags = params.get("Tags", [])
        names = [tag.get("Key", "") for tag in tags]
        if len(names) > MOST_TAGS or len(set(names)) != len(names) or \
                any(not 1 <= len(n) <= 128 or n.startswith("aws:") for n in names) or \
                any(len(tag.get("Value", "")) > 256 for tag in tags):
            raise invalid("INVALID_TAG", "Invalid tag.")
        if len(snapshots) >= settings.most_snapshots:
            raise ApiError("ServiceQuotaExceededException", "Maximum allowed snapshots exceeded.",
                           Reason="DEPENDENCY_SERVICE_QUOTA_EXCEEDED")
        pending = sum(s.state == "pending" and not s.sealed for s in snapshots.values())
        if pending >= settings.most_pending_snapshots:
            raise ApiError("ConcurrentLimitExceededException",
                           "Maximum allowed pending snapshots exceeded.")

    def parent(self, params, call):
        parent = self.snapshot(call, params["ParentSnapshotId"])
        if parent.state != "completed":
            raise invalid("INVALID_SNAPSHOT_ID", "The parent snapshot is not completed.")
        if parent.size_gib > params["VolumeSize"]:
            raise invalid("INVALID_VOLUME_SIZE",
                          f"VolumeSize must be at least the parent's, {parent.size_gib}.")
        return parent

    def put_snapshot_block(self, params, call):
        data = params["BlockData"]
        if params["DataLength"] != BLOCK or len(data) != BLOCK:
            raise invalid("INVALID_BLOCK", f"The data length must be {BLOCK}, not "
                                           f"{params['DataLength']} ({len(data)} sent).")
        digest = call.body_digest()
        if params["Checksum"] != b64(digest):
            raise invalid("INVALID_BLOCK", "The checksum provided does not match the data.")
        with self.cloud.lock:
            found = self.writable(call, params["SnapshotId"])
            index = params["BlockIndex"]
            if index >= found.size_gib * BLOCKS_A_GIB:
                raise invalid("INVALID_BLOCK", f"The block index {index} is past the volume's "
                                               f"end, {found.size_gib} GiB.")
            self.cloud.data.setdefault(digest, data)
            found.blocks[index] = found.written[index] = digest
            found.touched = self.cloud.now()
        return {"Checksum": b64(digest), "ChecksumAlgorithm": "SHA256"}

    def complete_snapshot(self, params, call):
        with self.cloud.lock:
            found = self.writable(call, params["SnapshotId"])
            if params["ChangedBlocksCount"] != len(found.written):
                raise invalid("INVALID_PARAMETER_VALUE",
                              f"ChangedBlocksCount is {params['ChangedBlocksCount']}, but "
                              f"{len(found.written)} blocks were written.")
            self.check_aggregate(params, found)
            found.sealed, found.polls = True, self.cloud.settings.completion_polls
            if not found.polls:
                self.settle(found)
            return {"Status": found.state}

    @staticmethod
    def check_aggregate(params, found):
        said = [name in params for name in
                ("Checksum", "ChecksumAlgorithm", "ChecksumAggregationMethod")]
        if any(said) and not all(said):
            raise invalid("INVALID_PARAMETER_VALUE", "Checksum, ChecksumAlgorithm and "
                          "ChecksumAggregationMethod go together.")
        whole = hashlib.sha256(b"".join(d for _, d in sorted(found.written.items())))
        if all(said) and params["Checksum"] != b64(whole.digest()):
            raise invalid("INVALID_PARAMETER_VALUE", "The checksum provided is not that of the "
                          "blocks' checksums in the order of their indexes.")

    def settle(self, snapshot):
        snapshot.state = "error" if self.cloud.settings.snapshots_fail else "completed"

    def readable(self, call, snapshot_id):
        found = self.snapshot(call, snapshot_id)
        if found.state != "completed":
            raise invalid("INVALID_SNAPSHOT_ID", f"The snapshot '{snapshot_id}' is not completed.")
        return found

    def page(self, params, indexes):
        """(those of this page, the next page's token)"""
        first = params.get("StartingBlockIndex", 0)
        if "NextToken" in params:
            if not params["NextToken"].isdigit():
                raise invalid("INVALID_PAGE_TOKEN", "The page token is invalid.")
            first = int(params["NextToken"])
        rest = [i for i in sorted(indexes) if i >= first]
        most = params.get("MaxResults", 10000)
        return rest[:most], str(rest[most]) if len(rest) > most else None

    def listing(self, found, token):
        return {"ExpiryTime": self.cloud.now() + TOKEN_LIFETIME_S, "VolumeSize": found.size_gib,
                "BlockSize": BLOCK, "NextToken": token}

    def list_snapshot_blocks(self, params, call):
        with self.cloud.lock:
            found = self.readable(call, params["SnapshotId"])
            indexes, token = self.page(params, found.blocks)
            return {"Blocks": [{"BlockIndex": i, "BlockToken":
                                block_token(found, i, found.blocks[i])} for i in indexes],
                    **self.listing(found, token)}

    def list_changed_blocks(self, params, call):
        with self.cloud.lock:
            second = self.readable(call, params["SecondSnapshotId"])
            first = None
            if "FirstSnapshotId" in params:
                first = self.readable(call, params["FirstSnapshotId"])
            before = first.blocks if first else {}
            changed = {i for i in set(before) | set(second.blocks)
                       if before.get(i) != second.blocks.get(i)}
            indexes, token = self.page(params, changed)
            rows = []
            for i in indexes:
                row = {"BlockIndex": i}
                if i in before:
                    row["FirstBlockToken"] = block_token(first, i, before[i])
                if i in second.blocks:
                    row["SecondBlockToken"] = block_token(second, i, second.blocks[i])
                rows.append(row)
            return {"ChangedBlocks": rows, **self.listing(second, token)}

    def get_snapshot_block(self, params, call):
        with self.cloud.lock:
            found = self.readable(call, params["SnapshotId"])
            digest = found.blocks.get(params["BlockIndex"])
            if digest is None:
                raise ApiError("ResourceNotFoundException", "The block does not exist.",
                               Reason="BLOCK_NOT_FOUND")
            if params["BlockToken"] != block_token(found, params["BlockIndex"], digest):
                raise invalid("INVALID_BLOCK_TOKEN", "The block token is invalid.")
            return {"DataLength": BLOCK, "BlockData": self.cloud.data[digest],
                    "Checksum": b64(digest), "ChecksumAlgorithm": "SHA256"}
