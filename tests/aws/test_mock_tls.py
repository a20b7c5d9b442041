"""The mock over TLS, where botocore leaves blocks unsigned, and as an HTTP proxy."""
import urllib.request

import boto3
import botocore.exceptions
import pytest

from aws_client import block, put
from mock import MockAws, make_certificate


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"))
    with MockAws(certificate=(certificate, key)) as mock:
        mock.certificate = certificate
        yield mock


def ebs_of(mock, **more):
    key = mock.keys.first
    return boto3.client("ebs", region_name="eu-west-1", endpoint_url=mock.url,
                        aws_access_key_id=key.id, aws_secret_access_key=key.secret, **more)


def test_block_over_tls_is_unsigned_payload(secure):
    ebs = ebs_of(secure, verify=str(secure.certificate))
    made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    put(ebs, made, 0, block("x"))
    canonical = secure.requests("PutSnapshotBlock")[-1].canonical
    assert canonical.endswith("\nUNSIGNED-PAYLOAD")
    assert "\nx-amz-content-sha256:UNSIGNED-PAYLOAD\n" in canonical


def test_unknown_certificate_is_the_clients_to_refuse(secure):
    with pytest.raises(botocore.exceptions.SSLError):
        ebs_of(secure).start_snapshot(VolumeSize=1)


def test_proxied_request_keeps_its_host(aws):
    request = urllib.request.Request("http://ec2.eu-west-1.amazonaws.com/latest/api/token",
                                     method="PUT",
                                     headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": aws.url}))
    with opener.open(request, timeout=20) as reply:
        assert reply.status == 200
    assert aws.log[-1].proxied and aws.log[-1].target == "/latest/api/token"
