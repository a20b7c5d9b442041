"""The mock's judgement of signatures: AWS's published examples, botocore's signatures, and what is
wrong with a request in one place only."""
import datetime
import json

import pytest
from mock import AccessKey, sigv4
from mock.wire import Request

from aws_client import block, b64_sha256, refused, send, signed_request

START = {"target": "/snapshots", "body": b'{"VolumeSize":1}'}


def error_of(answer):
    status, headers, _ = answer
    return status, headers.get("x-amzn-ErrorType")


# From AWS's documents: the Signature Version 4 test suite's get-vanilla, and the worked example of
# IAM ListUsers.
@pytest.mark.parametrize("request_, service, signature", [
    (Request("GET", "/", [("Host", "example.amazonaws.com"),
                          ("X-Amz-Date", "20150830T123600Z")], b""), "service",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    (Request("GET", "/?Action=ListUsers&Version=2010-05-08",
             [("Host", "iam.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z"),
              ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")], b""), "iam",
     "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
])
def test_published_signatures_are_accepted(request_, service, signature):
    key = AccessKey("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    names = ";".join(sorted(n.lower() for n, _ in request_.headers))
    request_.headers.append(("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/"
                             f"us-east-1/{service}/aws4_request, SignedHeaders={names}, "
                             f"Signature={signature}"))
    at = datetime.datetime(2015, 8, 30, 12, 36, tzinfo=datetime.timezone.utc).timestamp()
    verifier = sigv4.Verifier({key.id: key}, lambda: at)
    found, _ = verifier.verify(request_, sigv4.authorization_of(request_), "query", False, lambda: (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
    assert found is key


@pytest.mark.parametrize("path, canonical", [
    ("/", "/"), ("/a/../b//./c/", "/b/c/"), ("/a%20b", "/a%2520b"), ("/%C3%BC", "/%25C3%25BC")])
def test_paths_are_cleaned_and_encoded_twice(path, canonical):
    assert sigv4.canonical_path(path) == canonical


@pytest.mark.parametrize("query, canonical", [
    ("b=1&a=2&a=1", "a=1&a=2&b=1"), ("x", "x="), ("t=a%2Fb=", "t=a%2Fb%3D"), ("a-=1&a=2",
                                                                           "a=2&a-=1")])
def test_query_pairs_are_encoded_then_sorted(query, canonical):
    assert sigv4.canonical_query(query) == canonical


def test_botocore_signature_is_accepted(aws):
    assert send(aws, signed_request(aws, "POST", START["target"], START["body"]))[0] == 201


def test_request_without_signature_is_refused(aws):
    request = signed_request(aws, "POST", "/snapshots", b'{"VolumeSize":1}')
    del request.headers["Authorization"]
    assert error_of(send(aws, request)) == (403, "MissingAuthenticationTokenException")


@pytest.mark.parametrize("change, code", [
    (lambda v: v[:-1] + ("0" if v[-1] != "0" else "1"), "InvalidSignatureException"),
    (lambda v: v.replace("AKIA", "AKIB"), "UnrecognizedClientException"),
    (lambda v: v.replace("/eu-west-1/", "/eu-central-1/"), "InvalidSignatureException"),
    (lambda v: v.replace("Signature=", "Sig="), "IncompleteSignatureException"),
    (lambda v: v.replace("host;x-amz-date", "x-amz-date;host"), "IncompleteSignatureException"),
    (lambda v: v.replace("host;x-amz-date", "host"), "InvalidSignatureException")])
def test_changed_authorization_is_refused(aws, change, code):
    request = signed_request(aws, "POST", "/snapshots", b'{"VolumeSize":1}')
    value = request.headers["Authorization"]
    assert change(value) != value
    request.headers.replace_header("Authorization", change(value))
    assert error_of(send(aws, request)) == (403, code)


@pytest.mark.parametrize("header, value", [
    ("X-Amz-Extra", "not signed"), ("X-Amz-Date", "20200101T000000Z"),
    ("X-Amz-Content-SHA256", "0" * 64), ("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")])
def test_changed_header_is_refused(aws, header, value):
    request = signed_request(aws, "POST", "/snapshots", b'{"VolumeSize":1}')
    del request.headers[header]
    request.headers[header] = value
    assert error_of(send(aws, request)) == (403, "InvalidSignatureException")


def test_changed_body_is_refused(aws):
    request = signed_request(aws, "POST", "/snapshots", b'{"VolumeSize":1}')
    request.data = b'{"VolumeSize":2}'
    assert error_of(send(aws, request)) == (403, "InvalidSignatureException")


def test_changed_target_is_refused(aws):
    request = signed_request(aws, "GET", "/snapshots/snap-0/blocks?maxResults=100")
    answer = send(aws, request, target="/snapshots/snap-0/blocks?maxResults=200")
    assert error_of(answer) == (403, "InvalidSignatureException")


@pytest.mark.parametrize("said", ["digest", "UNSIGNED-PAYLOAD"])
def test_block_may_leave_its_body_unsigned(aws, ebs, said):
    made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    data = block("x")
    request = signed_request(
        aws, "PUT", f"/snapshots/{made}/blocks/0", data,
        {"x-amz-Data-Length": str(len(data)), "x-amz-Checksum": b64_sha256(data),
         "x-amz-Checksum-Algorithm": "SHA256",
         **({"X-Amz-Content-SHA256": said} if said == "UNSIGNED-PAYLOAD" else {})})
    assert send(aws, request)[0] == 201


@pytest.mark.parametrize("minutes", [-20, 20])
def test_clock_skew_is_refused(aws, clients, minutes):
    aws.settings.clock_offset_s = 60 * minutes
    with refused("InvalidSignatureException", 403):
        clients("ebs").start_snapshot(VolumeSize=1)
    with refused("RequestExpired", 400):
        clients("ec2").describe_regions()


def test_wrong_key_is_refused(aws, clients):
    stranger = AccessKey("AKIASTRANGER00000000", "secret")
    with refused("UnrecognizedClientException", 403):
        clients("ebs", key=stranger).start_snapshot(VolumeSize=1)
    with refused("AuthFailure", 401):
        clients("ec2", key=stranger).describe_regions()


def test_wrong_secret_is_refused(aws, clients):
    wrong = AccessKey(aws.keys.first.id, "another")
    with refused("SignatureDoesNotMatch", 403):
        clients("ec2", region="us-east-1", key=wrong).describe_regions()


def test_temporary_key_expires_and_needs_its_token(aws, clients):
    key = aws.keys.temporary()
    clients("ec2", key=key).describe_regions()
    without = AccessKey(key.id, key.secret)
    request = signed_request(aws, "POST", "/snapshots", b'{"VolumeSize":1}', key=without)
    assert error_of(send(aws, request)) == (403, "UnrecognizedClientException")
    key.expires = aws.cloud.now() - 1
    with refused("RequestExpired"):
        clients("ec2", key=key).describe_regions()
    with refused("ExpiredTokenException", 403):
        clients("ebs", key=key).start_snapshot(VolumeSize=1)


def test_region_that_is_not_opted_in_is_refused(aws, clients):
    with refused("OptInRequired"):
        clients("ec2", region="me-south-1").describe_regions()
    with refused("SignatureDoesNotMatch"):
        clients("ec2", region="eu-nowhere-1").describe_regions()


def test_host_of_another_region_is_refused(aws):
    request = signed_request(aws, "POST", "/snapshots", b'{"VolumeSize":1}',
                             {"Host": "ebs.us-east-1.amazonaws.com"})
    assert error_of(send(aws, request)) == (403, "InvalidSignatureException")
    request = signed_request(aws, "POST", "/snapshots", b'{"VolumeSize":1}',
                             {"Host": "ebs.eu-west-1.amazonaws.com"})
    assert send(aws, request)[0] == 201


def test_log_has_the_canonical_request(aws):
    send(aws, signed_request(aws, "POST", "/snapshots", b'{"VolumeSize":1}'))
    request = signed_request(aws, "GET", "/_mock/log")
    line = json.loads(send(aws, request)[2])[-1]
    assert line["operation"] == "StartSnapshot" and line["status"] == 201
    assert line["canonical"].startswith("POST\n/snapshots\n\nhost:127.0.0.1:")
