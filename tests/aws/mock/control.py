"""/_mock/: for programs in other processes what MockAws's members are for a test in this one.

    GET  /_mock/log               the requests so far, with their canonical requests
    GET  /_mock/state             snapshots and images of every region
    GET  /_mock/disk/SNAPSHOT     the disk a volume made from it would be, without the zeros behind
                                  its last block
    POST /_mock/settings          members of cloud.Settings, as JSON
    POST /_mock/faults            members of faults.Fault, or of RandomFaults with "seed"
    POST /_mock/reset             no faults, an empty log"""
import dataclasses
import json

from .cloud import Settings
from .faults import Fault, RandomFaults
from .wire import Reply


def as_json(said):
    def plain(value):
        if dataclasses.is_dataclass(value):
            return dataclasses.asdict(value)
        return sorted(value) if isinstance(value, (set, frozenset)) else str(value)
    return Reply(200, {"Content-Type": "application/json"},
                 json.dumps(said, default=plain).encode())


def state(mock):
    regions = {}
    for region in mock.cloud.regions.values():
        snapshots = [{"id": s.id, "state": s.state, "size_gib": s.size_gib, "parent": s.parent,
                      "key": s.key, "tags": s.tags, "shared_with": s.shared_with,
                      "written": {i: d.hex() for i, d in sorted(s.written.items())},
                      "blocks": {i: d.hex() for i, d in sorted(s.blocks.items())}}
                     for s in region.snapshots.values()]
        images = [{"id": i.id, "name": i.name, "state": i.state, "fields": i.fields,
                   "mappings": i.mappings, "tags": i.tags, "shared_with": i.shared_with}
                  for i in region.images.values()]
        regions[region.name] = {"snapshots": snapshots, "images": images}
    return regions


def post(mock, what, said):
    if what == "settings":
        known = {f.name for f in dataclasses.fields(Settings)}
        if unknown := set(said) - known:
            raise ValueError(f"{min(unknown)}: not a setting")
        for name, value in said.items():
            setattr(mock.settings, name, value)
    elif what == "faults":
        if "kinds" in said:
            said["kinds"] = tuple(said["kinds"])
        mock.faults.add((RandomFaults if "seed" in said else Fault)(**said))
    elif what == "reset":
        mock.faults.clear()
        mock.log.clear()
    else:
        raise ValueError(what)


def answer(mock, request):
    what = request.path.removeprefix("/_mock/")
    try:
        if request.method == "POST":
            with mock.cloud.lock:
                post(mock, what, json.loads(request.body or b"{}"))
            return as_json({})
        with mock.cloud.lock:
            if what == "log":
                return as_json([dataclasses.asdict(record) for record in mock.log])
            if what == "state":
                return as_json(state(mock))
            if what.startswith("disk/"):
                return Reply(200, {"Content-Type": "application/octet-stream"},
                             mock.disk_bytes(what.removeprefix("disk/")))
    except (ValueError, TypeError, AttributeError) as error:
        return Reply(400, {"Content-Type": "text/plain"}, f"{error}\n".encode())
    return Reply(404, {}, b"")
