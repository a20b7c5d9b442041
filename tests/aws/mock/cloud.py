"""What all services of one account share: the clock, regions, identifiers, limits, and when a
thing that was made can be seen."""
import dataclasses
import random
import threading
import time

from .errors import ApiError

REGIONS = ("ap-southeast-2", "eu-central-1", "eu-west-1", "us-east-1")
REGION_TO_OPT_IN = "me-south-1"     # exists, but the account has not asked for it
BLOCK = 512 << 10
MANAGED_KEY = "arn:aws:kms:{region}:{account}:key/aws-ebs"


@dataclasses.dataclass
class Settings:
    """How the cloud behaves; may be changed while it runs."""
    unseen_calls: int = 0       # calls naming a new thing that say it does not exist
    completion_polls: int = 2   # DescribeSnapshots calls until a snapshot is completed
    image_polls: int = 1        # DescribeImages calls until an image is available
    clock_offset_s: float = 0   # AWS's clock against ours
    most_snapshots: int = 100_000
    most_pending_snapshots: int = 100
    most_images: int = 50_000
    snapshots_fail: bool = False    # completed snapshots end in state `error`
    images_fail: bool = False       # images end in state `failed`


@dataclasses.dataclass
class Snapshot:
    id: str
    owner: str
    region: str
    size_gib: int
    description: str
    started: float
    parent: str = None
    key: str = None             # KMS, None: not encrypted
    tags: dict = dataclasses.field(default_factory=dict)
    blocks: dict = dataclasses.field(default_factory=dict)  # index to digest, with the parent's
    written: dict = dataclasses.field(default_factory=dict) # index to digest, by this one
    state: str = "pending"      # completed, error
    sealed: bool = False        # CompleteSnapshot was called
    polls: int = 0              # until it is completed
    unseen: int = 0             # calls that do not see it yet
    shared_with: set = dataclasses.field(default_factory=set)
    touched: float = 0
    timeout_s: float = 3600
    from_ebs: bool = True       # made by StartSnapshot, not by a copy


@dataclasses.dataclass
class Image:
    id: str
    owner: str
    name: str
    created: float
    fields: dict                # RegisterImage's, with the defaults filled in
    mappings: list
    state: str = "pending"
    polls: int = 0
    unseen: int = 0
    tags: dict = dataclasses.field(default_factory=dict)
    shared_with: set = dataclasses.field(default_factory=set)
    failing: bool = False


class Region:
    def __init__(self, name):
        self.name, self.snapshots, self.images = name, {}, {}
        self.tokens = {}        # ClientToken to (parameters, result)
        self.groups, self.instances = {}, {}


class Cloud:
    """lock guards all that the regions hold."""

    def __init__(self, seed=0):
        self.lock, self.seed = threading.RLock(), seed
        self.clear()

    def clear(self):
        self.settings, self.random = Settings(), random.Random(self.seed)
        self.regions = {name: Region(name) for name in REGIONS}
        self.data = {}          # digest to bytes of a block

    def now(self):
        return time.time() + self.settings.clock_offset_s

    def new_id(self, kind):
        return f"{kind}-{self.random.getrandbits(68):017x}"

    def region(self, name, protocol):
        if name in self.regions:
            return self.regions[name]
        if name == REGION_TO_OPT_IN:
            raise ApiError("OptInRequired" if protocol == "ec2" else "UnrecognizedClientException",
                           "You are not subscribed to this service.", 403)
        raise ApiError("SignatureDoesNotMatch" if protocol != "rest-json" else
                       "InvalidSignatureException",
                       f"Credential should be scoped to a valid region, not '{name}'.", 403)

    def can_see(self, thing):
        """False while a thing that was just made is not known everywhere; counts the call."""
        if thing.unseen > 0:
            thing.unseen -= 1
            return False
        return True

    def once(self, region, call, token, params, make):
        """make() once for a ClientToken; its result again for the same parameters."""
        if token is None:
            return make()
        key = (call.key.account, call.operation, token)
        said = {name: value for name, value in params.items() if name != "ClientToken"}
        if key in region.tokens:
            before, result = region.tokens[key]
            if before != said:
                return None
            return result
        result = make()
        region.tokens[key] = (said, result)
        return result

    def disk(self, snapshot):
        """The disk as blocks, up to the last that is in the snapshot."""
        zeros = bytes(BLOCK)
        for index in range(max(snapshot.blocks, default=-1) + 1):
            digest = snapshot.blocks.get(index)
            yield self.data[digest] if digest else zeros

    def write_disk(self, snapshot_id, path):
        """The disk as a file of the volume's size, with holes."""
        with self.lock, open(path, "wb") as file:
            snapshot = self.find_snapshot(snapshot_id)
            file.truncate(snapshot.size_gib << 30)
            for index, digest in snapshot.blocks.items():
                file.seek(index * BLOCK)
                file.write(self.data[digest])

    def find_snapshot(self, snapshot_id):
        return next((r.snapshots[snapshot_id] for r in self.regions.values()
                     if snapshot_id in r.snapshots), None)
