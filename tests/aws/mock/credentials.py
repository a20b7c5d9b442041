"""Access keys, and the places where programs find them: STS AssumeRoleWithWebIdentity, a
container's endpoint, the instance's metadata (version 2 only) and the SSO portal."""
import dataclasses
import datetime
import json
import urllib.parse

from .errors import ApiError
from .wire import Reply

ACCOUNT = "123456789012"
OTHER_ACCOUNT = "210987654321"


@dataclasses.dataclass
class AccessKey:
    id: str
    secret: str
    token: str = None
    expires: float = None       # seconds since the epoch
    account: str = ACCOUNT
    denied: frozenset = frozenset()     # operations that its policy refuses


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


class KeyStore:
    """The first key is the one a person would have in ~/.aws/credentials."""

    def __init__(self, cloud):
        self.cloud, self.made = cloud, 0
        self.first = AccessKey("AKIAMOCKAWSEXAMPLE00", "mock/secret+EXAMPLEKEY0123456789abcdefgh")
        self.keys, self.lifetime_s = {self.first.id: self.first}, 3600

    def clear(self):
        self.keys.clear()
        self.keys[self.first.id] = self.first
        self.first.denied, self.lifetime_s = frozenset(), 3600

    def add(self, key):
        self.keys[key.id] = key
        return key

    def temporary(self, lifetime_s=None):
        """A new key with a session token."""
        with self.cloud.lock:
            self.made += 1
            number = self.made
        return self.add(AccessKey(
            f"ASIAMOCKAWS{number:09}", f"temporary/secret+{number:023}",
            f"FwoGZXIvYXdzEMock{number}//////////token+for/tests==",
            self.cloud.now() + (lifetime_s or self.lifetime_s)))


class Sts:
    def __init__(self, cloud, keys):
        self.cloud, self.keys = cloud, keys
        self.web_tokens = {"mock.web.identity"}    # what an OIDC provider would have signed
        self.roles = {f"arn:aws:iam::{ACCOUNT}:role/publisher"}

    def assume_role_with_web_identity(self, params, _):
        if params["WebIdentityToken"] not in self.web_tokens:
            raise ApiError("InvalidIdentityToken", "No OpenIDConnect provider found in your "
                                                   "account for this token", 400)
        if params["RoleArn"] not in self.roles:
            raise ApiError("AccessDenied", "Not authorized to perform "
                                           "sts:AssumeRoleWithWebIdentity", 403)
        key = self.keys.temporary(params.get("DurationSeconds"))
        return {"Credentials": {"AccessKeyId": key.id, "SecretAccessKey": key.secret,
                                "SessionToken": key.token, "Expiration": key.expires},
                "SubjectFromWebIdentityToken": "repo:example/project",
                "AssumedRoleUser": {"AssumedRoleId": f"AROAMOCK:{params['RoleSessionName']}",
                                    "Arn": f"{params['RoleArn']}/{params['RoleSessionName']}"}}

    def get_caller_identity(self, _, call):
        return {"UserId": call.key.id, "Account": call.key.account,
                "Arn": f"arn:aws:iam::{call.key.account}:user/mock"}


class Places:
    """What is answered without a signature, by path. role: the instance's; None: it has none."""

    def __init__(self, cloud, keys):
        self.cloud, self.keys = cloud, keys
        self.role, self.region = "instance-role", "eu-west-1"
        self.container_token = "Bearer mock-container"
        self.sso_token = "mock-sso-token"
        self.session, self.sessions = 0, set()

    def answer(self, request):
        """A Reply, or None: not one of these places."""
        if request.path.startswith("/latest/"):
            return self.instance(request)
        if request.path == "/container-credentials":
            if request.header("Authorization") != self.container_token:
                return Reply(401, {}, b'{"code":"AccessDenied","message":"wrong token"}')
            return self.json({**self.document(), "RoleArn":
                              f"arn:aws:iam::{ACCOUNT}:role/container"})
        if request.path == "/federation/credentials":
            return self.sso(request)
        return None

    @staticmethod
    def json(said):
        return Reply(200, {"Content-Type": "application/json"}, json.dumps(said).encode())

    def document(self):
        key = self.keys.temporary()
        return {"AccessKeyId": key.id, "SecretAccessKey": key.secret, "Token": key.token,
                "Expiration": iso(key.expires)}

    def instance(self, request):
        if request.path == "/latest/api/token":
            ttl = request.header("X-aws-ec2-metadata-token-ttl-seconds") or ""
            if request.method != "PUT" or not ttl.isdigit() or not 1 <= int(ttl) <= 21600:
                return Reply(400, {}, b"Bad Request")
            with self.cloud.lock:
                self.session += 1
                token = f"AQAEAMock{self.session}=="
                self.sessions.add(token)
            return Reply(200, {"X-aws-ec2-metadata-token-ttl-seconds": ttl,
                               "Content-Type": "text/plain"}, token.encode())
        if request.header("X-aws-ec2-metadata-token") not in self.sessions:
            return Reply(401, {}, b"Unauthorized")
        below = request.path.removeprefix("/latest/meta-data/")
        roles = "iam/security-credentials/"
        if below == "placement/region":
            return Reply(200, {"Content-Type": "text/plain"}, self.region.encode())
        if self.role and below.rstrip("/") == roles.rstrip("/"):
            return Reply(200, {"Content-Type": "text/plain"}, self.role.encode())
        if self.role and below == roles + self.role:
            return self.json({"Code": "Success", "LastUpdated": iso(self.cloud.now()),
                              "Type": "AWS-HMAC", **self.document()})
        return Reply(404, {}, b"Not Found")

    def sso(self, request):
        query = urllib.parse.parse_qs(request.query)
        if request.header("x-amz-sso_bearer_token") != self.sso_token:
            return Reply(401, {"x-amzn-ErrorType": "UnauthorizedException"},
                         b'{"message":"Session token not found or invalid"}')
        if query.get("account_id") != [ACCOUNT] or "role_name" not in query:
            return Reply(403, {"x-amzn-ErrorType": "ForbiddenException"},
                         b'{"message":"No access"}')
        key = self.keys.temporary()
        return self.json({"roleCredentials": {
            "accessKeyId": key.id, "secretAccessKey": key.secret, "sessionToken": key.token,
            "expiration": int(key.expires * 1000)}})
