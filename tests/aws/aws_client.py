"""What several tests of the mock do with boto3: write a snapshot, expect a refusal, send a request
that botocore has signed and a test has changed."""
import base64
import contextlib
import hashlib
import http.client

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest

BLOCK = 512 << 10


def b64_sha256(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def block(text):
    """A block's worth of data that is told apart by its text."""
    return text.encode().ljust(BLOCK, b".")


def put(ebs, snapshot_id, index, data):
    return ebs.put_snapshot_block(SnapshotId=snapshot_id, BlockIndex=index, BlockData=data,
                                  DataLength=len(data), Checksum=b64_sha256(data),
                                  ChecksumAlgorithm="SHA256")


def complete(ebs, snapshot_id, blocks):
    """blocks: index to data."""
    digests = b"".join(hashlib.sha256(blocks[i]).digest() for i in sorted(blocks))
    return ebs.complete_snapshot(SnapshotId=snapshot_id, ChangedBlocksCount=len(blocks),
                                 Checksum=b64_sha256(digests), ChecksumAlgorithm="SHA256",
                                 ChecksumAggregationMethod="LINEAR")


def make_snapshot(ebs, ec2, blocks, **parameters):
    """A completed snapshot's id."""
    made = ebs.start_snapshot(VolumeSize=1, **parameters)["SnapshotId"]
    for index, data in blocks.items():
        put(ebs, made, index, data)
    complete(ebs, made, blocks)
    while ec2.describe_snapshots(SnapshotIds=[made])["Snapshots"][0]["State"] == "pending":
        pass
    return made


def image_parameters(snapshot_id, name="an image", **more):
    return {"Name": name, "RootDeviceName": "/dev/xvda", "Architecture": "x86_64",
            "VirtualizationType": "hvm", "EnaSupport": True,
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda",
                                     "Ebs": {"SnapshotId": snapshot_id}}], **more}


@contextlib.contextmanager
def refused(code, status=None, reason=None):
    """What is done below is refused with AWS's code."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        yield
    answer = caught.value.response
    assert answer["Error"]["Code"] == code, answer
    assert status in (None, answer["ResponseMetadata"]["HTTPStatusCode"])
    assert reason in (None, answer.get("Reason"))


def signed_request(aws, method, target, body=b"", headers=None, service="ebs",
                   region="eu-west-1", key=None):
    """A request as botocore signs it; its headers are a dictionary to change."""
    key = key or aws.keys.first
    request = botocore.awsrequest.AWSRequest(method, aws.url + target, data=body,
                                             headers=headers or {})
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(key.id, key.secret, key.token),
                            service, region).add_auth(request)
    return request


def send(aws, request, target=None):
    """(status, headers, body) of a request that signed_request made."""
    connection = http.client.HTTPConnection("127.0.0.1", aws.server.port, timeout=20)
    try:
        path = target or request.url.removeprefix(aws.url)
        connection.request(request.method, path, body=request.data, headers=dict(request.headers))
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()
    finally:
        connection.close()
