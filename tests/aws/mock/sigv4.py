"""Signature Version 4, from the server's side: the canonical request is made again from the bytes
that came, and the signature with the secret that belongs to the access key. Written from AWS's
description, not from botocore: the two judge each other."""
import dataclasses
import datetime
import hashlib
import hmac
import re
import urllib.parse

from .errors import ApiError

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
AUTHORIZATION = re.compile(
    ALGORITHM + r" *Credential=([^/, ]+)/(\d{8})/([^/, ]+)/([^/, ]+)/aws4_request,"
    r" *SignedHeaders=([^, ]+), *Signature=([0-9a-f]{64})")

# What each fault of a signature is called, by the protocol of the service.
CODES = {
    "ec2": {"missing": ("MissingAuthenticationToken", 403), "form": ("IncompleteSignature", 400),
            "key": ("AuthFailure", 401), "signature": ("SignatureDoesNotMatch", 403),
            "time": ("RequestExpired", 400), "token": ("RequestExpired", 400),
            "scope": ("SignatureDoesNotMatch", 403)},
    "rest-json": {"missing": ("MissingAuthenticationTokenException", 403),
                  "form": ("IncompleteSignatureException", 403),
                  "key": ("UnrecognizedClientException", 403),
                  "signature": ("InvalidSignatureException", 403),
                  "time": ("InvalidSignatureException", 403),
                  "token": ("ExpiredTokenException", 403),
                  "scope": ("InvalidSignatureException", 403)},
    "query": {"missing": ("MissingAuthenticationToken", 403), "form": ("IncompleteSignature", 400),
              "key": ("InvalidClientTokenId", 403), "signature": ("SignatureDoesNotMatch", 403),
              "time": ("RequestExpired", 400), "token": ("ExpiredToken", 403),
              "scope": ("SignatureDoesNotMatch", 403)},
}
SKEW_S = {"rest-json": 5 * 60}
SKEW_OTHERWISE_S = 15 * 60


@dataclasses.dataclass
class Authorization:
    key_id: str
    date: str
    region: str
    service: str
    signed: list
    signature: str

    @property
    def scope(self):
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def authorization_of(request):
    """What the request says of its signer; None: nothing that can be read."""
    match = AUTHORIZATION.fullmatch(request.header("Authorization") or "")
    if not match:
        return None
    *fields, signed, signature = match.groups()
    return Authorization(*fields, signed.split(";"), signature)


def encoded(text, safe=""):
    return urllib.parse.quote(text, safe="-_.~" + safe)


def canonical_path(path):
    """Without dot segments and double slashes; encoded once more than it was sent, as every
    service but S3 wants it."""
    parts = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    clean = "/" + "/".join(parts) + ("/" if parts and path.endswith("/") else "")
    return encoded(clean, "/")


def canonical_query(query):
    pairs = [part.partition("=") for part in query.split("&") if part]
    return "&".join(f"{name}={value}" for name, value in sorted(
        (encoded(urllib.parse.unquote(n)), encoded(urllib.parse.unquote(v))) for n, _, v in pairs))


def canonical_headers(request, names):
    lines = []
    for name in names:
        values = [" ".join(v.split()) for n, v in request.headers if n.lower() == name]
        lines.append(f"{name}:{','.join(values)}\n")
    return "".join(lines)


def canonical_request(request, names, payload):
    return "\n".join([request.method, canonical_path(request.path),
                      canonical_query(request.query), canonical_headers(request, names),
                      ";".join(names), payload])


def signing_key(secret, authorization):
    key = f"AWS4{secret}".encode()
    for part in (authorization.date, authorization.region, authorization.service,
                 "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


class Verifier:
    """keys: access key id to credentials.AccessKey; clock: seconds since the epoch."""

    def __init__(self, keys, clock):
        self.keys, self.clock = keys, clock

    def verify(self, request, authorization, protocol, may_be_unsigned, body_digest):
        """Returns (the AccessKey, the canonical request) or raises ApiError. body_digest:
        a function that gives the SHA-256 of the body in hex."""
        codes = CODES[protocol]

        def refuse(why, message):
            code, status = codes[why]
            raise ApiError(code, message, status)
        if not request.header("Authorization"):
            refuse("missing", "Missing Authentication Token")
        if authorization is None:
            refuse("form", "Authorization header requires 'Credential', 'SignedHeaders' and "
                           f"'Signature' parameters. Authorization={ALGORITHM}")
        key = self.keys.get(authorization.key_id)
        token = request.header("X-Amz-Security-Token")
        if key is None or token != key.token:
            refuse("key", "AWS was not able to validate the provided access credentials"
                   if protocol == "ec2" else
                   "The security token included in the request is invalid.")
        self.check_names(request, authorization, refuse)
        payload = self.payload(request, may_be_unsigned, body_digest, refuse)
        canonical = canonical_request(request, authorization.signed, payload)
        stamp = request.header("X-Amz-Date") or ""
        if not re.fullmatch(r"\d{8}T\d{6}Z", stamp):
            refuse("form", "Authorization header requires existence of either a 'X-Amz-Date' or "
                           "a 'Date' header.")
        if stamp[:8] != authorization.date:
            refuse("scope", "Date in Credential scope does not match YYYYMMDD from ISO-8601 "
                            f"version of date from HTTP: '{authorization.date}' != "
                            f"'{stamp[:8]}', from '{stamp}'.")
        to_sign = "\n".join([ALGORITHM, stamp, authorization.scope,
                             hashlib.sha256(canonical.encode()).hexdigest()])
        expected = hmac.digest(signing_key(key.secret, authorization), to_sign.encode(),
                               "sha256").hex()
        if not hmac.compare_digest(expected, authorization.signature):
            refuse("signature", "The request signature we calculated does not match the "
                   "signature you provided. Check your AWS Secret Access Key and signing "
                   "method. Consult the service documentation for details.\n\nThe Canonical "
                   f"String for this request should have been\n'{canonical}'")
        self.check_time(stamp, protocol, refuse)
        if key.expires and key.expires <= self.clock():
            refuse("token", "The security token included in the request is expired"
                   if protocol != "ec2" else "Request has expired.")
        return key, canonical

    @staticmethod
    def check_names(request, authorization, refuse):
        signed = authorization.signed
        if signed != sorted(set(signed)) or any(n != n.lower() for n in signed):
            refuse("form", "SignedHeaders must be unique, in lower case and sorted.")
        present = {n.lower() for n, _ in request.headers}
        if "host" not in signed or not set(signed) <= present:
            refuse("signature", "'Host' or a header that SignedHeaders names is missing.")
        unsigned = {n for n in present if n.startswith("x-amz-")} - set(signed)
        if unsigned:
            refuse("signature", "There were headers present in the request which were not "
                                f"signed: {', '.join(sorted(unsigned))}")

    @staticmethod
    def payload(request, may_be_unsigned, body_digest, refuse):
        said = request.header("X-Amz-Content-SHA256")
        if said == UNSIGNED and may_be_unsigned:
            return UNSIGNED
        actual = body_digest()
        if said not in (None, actual):
            refuse("signature", "The provided 'x-amz-content-sha256' header does not match what "
                                "was computed.")
        return actual

    def check_time(self, stamp, protocol, refuse):
        signed = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(
            tzinfo=datetime.timezone.utc).timestamp()
        skew, now = SKEW_S.get(protocol, SKEW_OTHERWISE_S), self.clock()
        if abs(now - signed) <= skew:
            return
        shown = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
        if protocol == "ec2":
            refuse("time", f"Request has expired. Timestamp date is {stamp}. Current date is "
                           f"{shown:%Y%m%dT%H%M%SZ}.")
        late = signed < now
        refuse("time", f"Signature {'expired' if late else 'not yet current'}: {stamp} is "
                       f"{'now earlier' if late else 'still later'} than "
                       f"{shown:%Y%m%dT%H%M%SZ} ({skew // 60} min.)")
