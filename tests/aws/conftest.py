"""A mock a module, as new for every test, and boto3 clients of it."""
import pathlib
import sys

import boto3
import botocore.config
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from mock import MockAws  # noqa: E402


@pytest.fixture(scope="module")
def one_mock():
    with MockAws() as mock:
        yield mock


@pytest.fixture
def aws(one_mock):
    one_mock.begin_again()
    return one_mock


class Clients:
    """boto3 clients, made once each: to make one takes longer than most tests."""

    def __init__(self, mock):
        self.mock, self.made = mock, {}

    def __call__(self, service, region="eu-west-1", key=None, attempts=1, validate=False):
        key = key or self.mock.keys.first
        which = (service, region, key.id, attempts, validate)
        if which not in self.made:
            self.made[which] = boto3.client(
                service, region_name=region, endpoint_url=self.mock.url,
                aws_access_key_id=key.id, aws_secret_access_key=key.secret,
                aws_session_token=key.token,
                config=botocore.config.Config(
                    retries={"total_max_attempts": attempts}, parameter_validation=validate,
                    connect_timeout=20, read_timeout=20))
        return self.made[which]


@pytest.fixture(scope="module")
def clients(one_mock):
    return Clients(one_mock)


@pytest.fixture
def ebs(aws, clients):
    return clients("ebs")


@pytest.fixture
def ec2(aws, clients):
    return clients("ec2")
