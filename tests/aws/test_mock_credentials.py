"""The mock's places of credentials, by botocore's own providers."""
import json
import urllib.error
import urllib.request

import boto3
import botocore.config
import botocore.credentials
import botocore.session
import botocore.utils
import pytest

from aws_client import refused
from mock import AccessKey, Fault


def works(clients, access, secret, token):
    """The key is taken by EC2."""
    clients("ec2", key=AccessKey(access, secret, token)).describe_regions()


def fetch(aws, path, method="GET", **headers):
    request = urllib.request.Request(aws.url + path, method=method, headers={
        name.replace("_", "-"): value for name, value in headers.items()})
    with urllib.request.urlopen(request, timeout=20) as reply:
        return reply.read()


def test_role_is_assumed_with_a_web_identity(aws, clients):
    anonymous = boto3.client("sts", endpoint_url=aws.url, region_name="eu-west-1",
                             config=botocore.config.Config(signature_version=botocore.UNSIGNED))
    right = {"RoleArn": "arn:aws:iam::123456789012:role/publisher", "RoleSessionName": "ci",
             "WebIdentityToken": "mock.web.identity"}
    found = anonymous.assume_role_with_web_identity(**right)["Credentials"]
    works(clients, found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    with refused("InvalidIdentityToken", 400):
        anonymous.assume_role_with_web_identity(**{**right, "WebIdentityToken": "forged"})
    with refused("AccessDenied", 403):
        anonymous.assume_role_with_web_identity(
            **{**right, "RoleArn": "arn:aws:iam::123456789012:role/other"})
    with refused("MissingParameter", 400):
        boto3.client("sts", endpoint_url=aws.url, region_name="eu-west-1",
                     config=botocore.config.Config(signature_version=botocore.UNSIGNED,
                                                   parameter_validation=False)
                     ).assume_role_with_web_identity(RoleSessionName="ci")


def test_container_endpoint_gives_a_key(aws, clients):
    fetcher = botocore.utils.ContainerMetadataFetcher()
    found = fetcher.retrieve_full_uri(f"{aws.url}/container-credentials",
                                      {"Authorization": "Bearer mock-container"})
    works(clients, found["AccessKeyId"], found["SecretAccessKey"], found["Token"])
    with pytest.raises(urllib.error.HTTPError, match="401"):
        fetch(aws, "/container-credentials", Authorization="Bearer other")


def test_instance_metadata_gives_a_key(aws, clients):
    fetcher = botocore.utils.InstanceMetadataFetcher(base_url=aws.url)
    found = fetcher.retrieve_iam_role_credentials()
    works(clients, found["access_key"], found["secret_key"], found["token"])


def test_instance_metadata_without_a_session_is_refused(aws):
    with pytest.raises(urllib.error.HTTPError, match="401"):
        fetch(aws, "/latest/meta-data/iam/security-credentials/")
    with pytest.raises(urllib.error.HTTPError, match="400"):
        fetch(aws, "/latest/api/token", "PUT")
    with pytest.raises(urllib.error.HTTPError, match="400"):
        fetch(aws, "/latest/api/token", X_aws_ec2_metadata_token_ttl_seconds="60")
    session = fetch(aws, "/latest/api/token", "PUT",
                    X_aws_ec2_metadata_token_ttl_seconds="60").decode()
    assert fetch(aws, "/latest/meta-data/placement/region",
                 X_aws_ec2_metadata_token=session) == b"eu-west-1"


def test_instance_without_a_role_has_no_key(aws):
    aws.places.role = None
    assert botocore.utils.InstanceMetadataFetcher(
        base_url=aws.url, num_attempts=1).retrieve_iam_role_credentials() == {}
    aws.places.role = "instance-role"


def test_sso_portal_gives_a_key(aws, clients):
    portal = boto3.client("sso", endpoint_url=aws.url, region_name="eu-west-1")
    found = portal.get_role_credentials(roleName="r", accountId="123456789012",
                                        accessToken="mock-sso-token")["roleCredentials"]
    works(clients, found["accessKeyId"], found["secretAccessKey"], found["sessionToken"])
    with refused("UnauthorizedException", 401):
        portal.get_role_credentials(roleName="r", accountId="123456789012", accessToken="old")


def test_places_fail_on_command_too(aws):
    aws.faults.add(Fault("/latest/*", "error-503"))
    with pytest.raises(urllib.error.HTTPError, match="503"):
        fetch(aws, "/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="60")
    fetch(aws, "/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="60")


def test_key_has_a_short_life_where_asked(aws):
    aws.keys.lifetime_s = 1
    said = json.loads(fetch(aws, "/container-credentials", Authorization="Bearer mock-container"))
    assert aws.keys.keys[said["AccessKeyId"]].expires <= aws.cloud.now() + 1
