"""The mock's faults: what the client sees, what the service has done, and that a seed means the
same again."""
import http.client
import json
import time
import urllib.request

import botocore.exceptions
import pytest

from aws_client import block, put, refused, send, signed_request
from mock import Fault, RandomFaults
from mock.faults import KINDS, Schedule

START = b'{"VolumeSize":1}'


def start(aws):
    return send(aws, signed_request(aws, "POST", "/snapshots", START))


def snapshots(aws):
    return len(aws.cloud.regions["eu-west-1"].snapshots)


@pytest.mark.parametrize("kind, code, status", [
    ("throttle", "RequestThrottledException", 400), ("error-500", "InternalServerException", 500)])
def test_ebs_says_what_failed(aws, ebs, kind, code, status):
    aws.faults.add(Fault("StartSnapshot", kind))
    with refused(code, status):
        ebs.start_snapshot(VolumeSize=1)
    assert snapshots(aws) == 0
    ebs.start_snapshot(VolumeSize=1)


@pytest.mark.parametrize("kind, code, status", [
    ("throttle", "RequestLimitExceeded", 503), ("error-500", "InternalError", 500),
    ("error-503", "Unavailable", 503)])
def test_ec2_says_what_failed(aws, ec2, kind, code, status):
    aws.faults.add(Fault("Describe*", kind))
    with refused(code, status):
        ec2.describe_regions()
    ec2.describe_regions()


def test_balancer_knows_no_json(aws):
    aws.faults.add(Fault("StartSnapshot", "error-503"))
    status, headers, body = start(aws)
    assert (status, headers["Content-Type"], body[:6]) == (503, "text/html", b"<html>")


@pytest.mark.parametrize("kind, done", [("reset-before", 0), ("reset-after", 1)])
def test_connection_is_reset(aws, kind, done):
    aws.faults.add(Fault("StartSnapshot", kind))
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        start(aws)
    assert snapshots(aws) == done == sum(record.done for record in aws.log)


def test_reply_is_cut_off(aws):
    aws.faults.add(Fault("StartSnapshot", "truncate"))
    with pytest.raises(http.client.IncompleteRead):
        start(aws)
    assert snapshots(aws) == 1


def test_reply_is_slow(aws):
    aws.faults.add(Fault("StartSnapshot", "slow", seconds=0.2))
    before = time.monotonic()
    assert start(aws)[0] == 201
    assert time.monotonic() - before >= 0.2


def test_fault_hits_the_nth_of_what_it_names(aws, ebs):
    made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    aws.faults.add(Fault("PutSnapshotBlock", "throttle", key="7", first=2, times=1))
    for index in (6, 7, 8):
        put(ebs, made, index, block("x"))
    with refused("RequestThrottledException"):
        put(ebs, made, 7, block("x"))
    put(ebs, made, 7, block("x"))


def test_botocore_gets_through_random_faults(aws, clients):
    aws.faults.add(RandomFaults(seed=3, rate=0.5, most=1, seconds=0.01,
                                kinds=tuple(set(KINDS) - {"truncate"})))
    patient = clients("ebs", attempts=6)
    made = patient.start_snapshot(VolumeSize=1, ClientToken="t")["SnapshotId"]
    for index in range(6):
        put(patient, made, index, block(str(index)))
    assert len(aws.cloud.find_snapshot(made).written) == 6 and snapshots(aws) == 1
    assert len({record.fault for record in aws.log}) >= 3


def test_seed_means_the_same_in_any_order():
    def drawn(order, seed):
        schedule = Schedule()
        schedule.add(RandomFaults(seed, rate=0.5))
        hits = {}
        for index, attempt in order:
            fault = schedule.choose("PutSnapshotBlock", str(index))
            hits[index, attempt] = fault and fault.kind
        return hits
    once = [(i, a) for i in range(40) for a in (1, 2)]
    otherwise = [(i, a) for a in (1, 2) for i in reversed(range(40))]
    assert drawn(once, 1) == drawn(otherwise, 1) != drawn(once, 2)
    assert {None, *KINDS} == set(drawn(once, 1).values())


def test_unknown_kind_is_refused(aws):
    with pytest.raises(ValueError, match="not one of"):
        aws.faults.add(Fault("*", "flood"))


def post(aws, what, said):
    request = urllib.request.Request(f"{aws.url}/_mock/{what}", json.dumps(said).encode())
    with urllib.request.urlopen(request, timeout=20) as reply:
        return reply.status


def get(aws, what):
    with urllib.request.urlopen(f"{aws.url}/_mock/{what}", timeout=20) as reply:
        return reply.read()


def test_everything_is_done_over_http_too(aws, ebs):
    post(aws, "settings", {"most_pending_snapshots": 1})
    post(aws, "faults", {"operation": "StartSnapshot", "kind": "throttle"})
    post(aws, "faults", {"seed": 1, "rate": 0, "kinds": ["slow"]})
    with refused("RequestThrottledException"):
        ebs.start_snapshot(VolumeSize=1)
    made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    put(ebs, made, 0, block("x"))
    state = json.loads(get(aws, "state"))["eu-west-1"]["snapshots"][0]
    assert (state["id"], list(state["written"])) == (made, ["0"])
    assert get(aws, f"disk/{made}") == block("x")
    assert [line["fault"] for line in json.loads(get(aws, "log"))] == ["throttle", "", ""]
    post(aws, "reset", {})
    assert json.loads(get(aws, "log")) == []


@pytest.mark.parametrize("what, said", [
    ("settings", {"colour": 1}), ("faults", {"operation": "*", "kind": "flood"}),
    ("faults", {"colour": 1}), ("dance", {})])
def test_wrong_commands_are_refused(aws, what, said):
    with pytest.raises(urllib.error.HTTPError, match="400"):
        post(aws, what, said)


def test_botocore_may_time_out_but_the_service_has_done_it(aws, clients):
    aws.faults.add(Fault("StartSnapshot", "reset-after", times=None))
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        clients("ebs").start_snapshot(VolumeSize=1)
    assert snapshots(aws) == 1
