"""The page to try the program, and the description of the interface."""
import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess

import pytest

from support import npm
from support.http_client import call


def test_page_needs_nothing_from_elsewhere_and_may_reach_nothing_else(front_with):
    address = front_with("ui=1").address
    answer, page = call(address, "/_/ui")
    assert answer.status == 200
    assert answer.getheader("Content-Type") == "text/html; charset=utf-8"
    policy = answer.getheader("Content-Security-Policy")
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        inside = re.findall(f"<{tag}[^>]*>(.*?)</{tag}>".encode(), page, re.S)
        assert len(inside) == 1
        digest = base64.b64encode(hashlib.sha256(inside[0]).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy
    assert not re.search(rb"https?:|src=|href=\"|@import|style=\"|onclick", page)


def test_description_names_the_program_and_is_json(address):
    answer, text = call(address, "/_/openapi.json")
    assert answer.status == 200 and answer.getheader("Content-Type") == "application/json"
    description = json.loads(text)
    assert description["info"]["title"] == "busybox"
    for route in ("/", "/{path}", "/_/run", "/_/health", "/_/ready", "/_/info", "/_/metrics"):
        assert route in description["paths"]


@pytest.fixture(scope="session")
def npm_tools():
    return npm.install(pathlib.Path(__file__).parent / "npm", "npm")


@pytest.mark.xdist_group("npm")
def test_description_is_valid_openapi(address, npm_tools, tmp_path):
    _, text = call(address, "/_/openapi.json")
    (tmp_path / "openapi.json").write_bytes(text)
    check = ("const p = require('@apidevtools/swagger-parser');"
             "p.validate(process.argv[1]).then(d => console.log(d.openapi),"
             "e => { console.error(String(e)); process.exit(1); });")
    said = subprocess.run(["node", "-e", check, str(tmp_path / "openapi.json")], cwd=npm_tools,
                          capture_output=True, text=True, timeout=60,
                          env={**os.environ, "NODE_PATH": str(npm_tools / "node_modules")})
    assert said.returncode == 0, said.stderr
    assert said.stdout == "3.0.3\n"
