"""MockAws: the whole of it on one port. Which service and region a request is for is what its
signature's scope says; a Host of amazonaws.com (through a proxy) must agree with it."""
import dataclasses
import hashlib
import re
import ssl
import time

from . import control, sigv4
from .cloud import Cloud
from .credentials import KeyStore, Places, Sts
from .ebs import Ebs
from .ec2 import Ec2
from .errors import ApiError
from .faults import Schedule
from .protocol import load_service
from .wire import Reply, Server

AWS_HOST = re.compile(r"(ebs|ec2|sts)\.([a-z0-9-]+)\.amazonaws\.com(:\d+)?")
UNSIGNED_OPERATIONS = {"AssumeRoleWithWebIdentity"}


@dataclasses.dataclass
class Call:
    """One request on its way through a service."""
    operation: str
    key: object             # credentials.AccessKey
    region: object          # cloud.Region
    body_digest: object     # the SHA-256 of the body, as a function, computed once


@dataclasses.dataclass
class Record:
    """A line of the log. Secrets are in no part of it but headers, which are as they came."""
    number: int
    time: float
    method: str
    target: str
    headers: list
    service: str = ""
    region: str = ""
    operation: str = ""
    key: str = ""           # what it is about: a block's index, a name
    params: dict = None
    canonical: str = ""     # the canonical request, as AWS would make it
    proxied: bool = False
    fault: str = ""
    done: bool = False      # the service has done it, whatever the client heard
    status: int = 0         # of the reply; 0: there was none
    error: str = ""         # the reply's code


def snake(name):
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def subject(operation, params):
    """What a request is about, for faults that depend on it."""
    for name in ("BlockIndex", "SnapshotId", "Name", "ImageId", "SourceImageId", "ClientToken"):
        if operation in ("DescribeImages", "StartSnapshot"):
            break   # asked again and again, or once
        if name in params:
            return str(params[name])
    return ""


class MockAws:
    """with MockAws() as aws: aws.url, aws.environment(), aws.cloud, aws.faults, aws.log.
    certificate: (certificate file, key file) for TLS."""

    def __init__(self, seed=0, certificate=None):
        self.cloud = Cloud(seed)
        self.keys, self.faults, self.log = KeyStore(self.cloud), Schedule(), []
        self.services = {name: load_service(name) for name in ("ebs", "ec2", "sts")}
        self.sts = Sts(self.cloud, self.keys)
        self.handlers = {"ebs": Ebs(self.cloud), "ec2": Ec2(self.cloud), "sts": self.sts}
        self.places = Places(self.cloud, self.keys)
        self.verifier = sigv4.Verifier(self.keys.keys, self.cloud.now)
        tls = None
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(*certificate)
        self.server = Server(self.answer, tls)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server.port}"

    @property
    def settings(self):
        return self.cloud.settings

    def environment(self, key=None, region="eu-west-1"):
        """Variables with which AWS's programs, and ours, find the keys."""
        key = key or self.keys.first
        found = {"AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret,
                 "AWS_DEFAULT_REGION": region, "AWS_EC2_METADATA_DISABLED": "true",
                 "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
                 "AWS_PAGER": ""}
        if key.token:
            found["AWS_SESSION_TOKEN"] = key.token
        return found

    def answer(self, request, connection):
        if request.path.startswith("/_mock/"):
            return control.answer(self, request)
        with self.cloud.lock:
            record = Record(len(self.log), time.time(), request.method, request.target,
                            request.headers, proxied=request.proxied)
            self.log.append(record)
        reply = self.places.answer(request)
        if reply is not None:
            record.service = "credentials"
            record.operation = record.key = request.path
            return self.with_fault(record, None, connection, lambda: reply)
        return self.call(request, connection, record)

    def call(self, request, connection, record):
        authorization = sigv4.authorization_of(request)
        service = self.service_of(request, authorization)
        record.service = service.name
        request_id = hashlib.sha256(str(record.number).encode()).hexdigest()[:32]
        digest = []

        def body_digest():
            if not digest:
                digest.append(hashlib.sha256(request.body).digest())
            return digest[0]

        def failed(error):
            reply = service.encode_error(error, request_id)
            record.status, record.error = reply.status, error.code
            return reply
        try:
            operation, rest = service.identify(request)
            if operation:
                record.operation = operation.name
            key, region = self.authenticate(request, authorization, service, operation, record,
                                            lambda: body_digest().hex())
            if operation is None or not hasattr(self.handlers[service.name],
                                                snake(operation.name)):
                raise service.refuse_operation(request)
            params = service.decode(operation, request, rest)
            record.params = {n: v for n, v in params.items() if not isinstance(v, bytes)}
            record.key = subject(operation.name, params)
            call = Call(operation.name, key, region, body_digest)
        except ApiError as error:
            return failed(error)

        def effect():
            try:
                self.permit(service, call, params)
                result = getattr(self.handlers[service.name], snake(call.operation))(params, call)
            except ApiError as error:
                return failed(error)
            record.done = True
            reply = service.encode(operation, result, request_id)
            record.status = reply.status
            return reply
        return self.with_fault(record, failed, connection, effect)

    def service_of(self, request, authorization):
        if authorization and authorization.service in self.services:
            return self.services[authorization.service]
        if request.path.startswith("/snapshots"):
            return self.services["ebs"]
        sts = self.services["sts"]
        return sts if sts.identify(request)[0] else self.services["ec2"]

    def authenticate(self, request, authorization, service, operation, record, body_digest):
        if operation and operation.name in UNSIGNED_OPERATIONS:
            return None, None
        key, record.canonical = self.verifier.verify(
            request, authorization, service.protocol,
            operation is not None and operation.auth_type == "v4-unsigned-body", body_digest)
        record.region = authorization.region
        host = AWS_HOST.fullmatch(request.header("Host") or "")
        if authorization.service != service.name or \
                host and host.groups()[:2] != (service.name, authorization.region):
            code, status = sigv4.CODES[service.protocol]["scope"]
            raise ApiError(code, "Credential should be scoped to a valid region and to the "
                                 f"correct service: '{service.name}'.", status)
        return key, self.cloud.region(authorization.region, service.protocol)

    @staticmethod
    def permit(service, call, params):
        if call.key and call.operation in call.key.denied:
            if service.protocol == "ec2":
                raise ApiError("UnauthorizedOperation",
                               "You are not authorized to perform this operation.", 403)
            raise ApiError("AccessDeniedException", f"User: arn:aws:iam::{call.key.account}:user/"
                           f"mock is not authorized to perform: ebs:{call.operation}",
                           Reason="UNAUTHORIZED_ACCOUNT")
        if params.get("DryRun"):
            raise ApiError("DryRunOperation",
                           "Request would have succeeded, but DryRun flag is set.", 412)

    def with_fault(self, record, failed, connection, effect):
        """The reply, or what becomes of it."""
        fault = self.faults.choose(record.operation, record.key)
        if fault is None:
            return effect()
        kind = record.fault = fault.kind
        if kind == "reset-before":
            connection.reset()
            return None
        if kind == "slow":
            time.sleep(fault.seconds)
        elif kind in ("throttle", "error-500", "error-503"):
            return self.fail(record, kind, failed)
        reply = effect()
        if kind == "reset-after":
            record.status = 0
            connection.reset()
            return None
        if kind == "truncate":
            whole = reply.bytes()
            record.status = 0
            return whole[:len(whole) - max(1, len(reply.body) // 2)] if reply.body else whole[:-5]
        return reply

    @staticmethod
    def fail(record, kind, failed):
        if kind == "error-503" and record.service != "ec2" or failed is None:
            record.status = 503     # from a balancer before the service
            return Reply(503, {"Content-Type": "text/html"},
                         b"<html><body><h1>503 Service Unavailable</h1></body></html>")
        errors = {
            ("throttle", "ebs"): ApiError("RequestThrottledException", "Rate exceeded",
                                          Reason="ACCOUNT_THROTTLED"),
            ("throttle", "ec2"): ApiError("RequestLimitExceeded", "Request limit exceeded.", 503),
            ("throttle", "sts"): ApiError("Throttling", "Rate exceeded", 400),
            ("error-500", "ebs"): ApiError("InternalServerException",
                                           "An internal error has occurred."),
            ("error-500", "ec2"): ApiError("InternalError", "An internal error has occurred", 500),
            ("error-500", "sts"): ApiError("InternalFailure", "An internal error", 500),
            ("error-503", "ec2"): ApiError("Unavailable", "The service is unavailable.", 503),
        }
        return failed(errors[kind, record.service])

    def disk_bytes(self, snapshot_id):
        """The disk that a volume made from the snapshot would be, up to the last block that is
        in the snapshot; zeros follow."""
        with self.cloud.lock:
            return b"".join(self.cloud.disk(self.cloud.find_snapshot(snapshot_id)))

    def requests(self, operation):
        """The log's records of one operation."""
        return [record for record in self.log if record.operation == operation]

    def begin_again(self):
        """As new, at the same address and with the first key alone."""
        with self.cloud.lock:
            self.cloud.clear()
            self.keys.clear()
            self.faults.clear()
            self.log.clear()

    def stop(self):
        self.server.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
