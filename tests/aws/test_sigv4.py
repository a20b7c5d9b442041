"""Our SigV4 beside botocore's own, over requests of every shape that publish makes."""
import datetime
import hashlib
import random
import subprocess
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from support.guest import BUILD

REQUESTS = 500
STAMP = "20260102T030405Z"


def word(rng, signs="abcXYZ019-_.~", least=1, most=12):
    return "".join(rng.choice(signs) for _ in range(rng.randint(least, most)))


def random_request(rng):
    """(method, URL, headers, body, region, service, key, secret, token)"""
    path = "".join("/" + urllib.parse.quote(word(rng, "ab0-_. +%é")) for _ in
                   range(rng.randint(0, 4))) or "/"
    if any(part in (".", "..") for part in path.split("/")):
        path = "/"
    query = "&".join(f"{urllib.parse.quote(word(rng), safe='-_.~')}="
                     f"{urllib.parse.quote(word(rng, 'ab =&+/%é'), safe='-_.~')}"
                     for _ in range(rng.randint(0, 5)))
    headers = {f"x-amz-{word(rng, 'abcdefg-')}z": word(rng, "abc  XYZ/+=;,") + "z"
               for _ in range(rng.randint(0, 4))}
    body = rng.randbytes(rng.randint(0, 200)) if rng.random() < 0.7 else b""
    token = word(rng, "abc/+=", 50, 300) if rng.random() < 0.5 else None
    return (rng.choice(["GET", "PUT", "POST"]),
            f"https://{word(rng, 'abc')}.amazonaws.com{path}{'?' + query if query else ''}",
            headers, body, word(rng, "abc-1"), rng.choice(["ebs", "ec2", "sts"]),
            word(rng, "ABC123", 16, 20), word(rng, "abc/+=", 30, 40), token)


def botocores(request):
    method, url, headers, body, region, service, key, secret, token = request
    made = botocore.awsrequest.AWSRequest(method, url, headers=headers, data=body)
    signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials(key, secret, token),
                                     service, region)
    signer.add_auth(made)
    return made.headers["Authorization"]


def line(request):
    method, url, headers, body, region, service, key, secret, token = request
    parts = urllib.parse.urlsplit(url)
    signed = {"host": parts.netloc, "x-amz-date": STAMP, **headers}
    if token:
        signed["x-amz-security-token"] = token
    words = [method, parts.path, parts.query, hashlib.sha256(body).hexdigest(), STAMP, region,
             service, key, secret, *(w for pair in signed.items() for w in pair)]
    return "\x1f".join(words)


def test_signatures_equal_botocores(monkeypatch):
    class Clock(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return cls.strptime(STAMP, "%Y%m%dT%H%M%SZ")
    monkeypatch.setattr(botocore.auth.datetime, "datetime", Clock)
    rng = random.Random(6)
    requests = [random_request(rng) for _ in range(REQUESTS)]
    ours = subprocess.run([BUILD / "bin/sign_lines"], input="\n".join(map(line, requests)) + "\n",
                          capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(ours) == REQUESTS
    for request, our in zip(requests, ours):
        assert our == botocores(request), line(request)
