"""Requests that are cheap to send and dear to work through: bounded before they hold up others."""
import json

import pytest

from support.http_client import call, sh

MANY = 100_000


def form_of(name, count):
    part = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\na=%d\r\n'
    return ("".join(part % i for i in range(count)) + "--b--\r\n").encode()


@pytest.mark.parametrize("envelope", [
    {"argv": ["a"] * MANY}, {"out": ["a"] * MANY}, {"out": [f"{i}*" for i in range(MANY)]},
    {"env": {f"a{i}": "" for i in range(MANY)}},
], ids=["arguments", "equal-outputs", "globs", "variables"])
def test_an_envelope_of_a_hundred_thousand_of_anything_is_413(address, envelope):
    answer, text = call(address, "/_/run", "POST", json.dumps(envelope),
                        Content_Type="application/json")
    assert answer.status == 413 and b"too many arguments, variables or outputs" in text
    assert call(address, "/?echo&next")[1] == b"next\n"


@pytest.mark.parametrize("name", ["arg", "_out", "_env"])
def test_a_form_of_thousands_of_anything_is_413(address, name):
    answer, _ = call(address, "/?true", "POST", form_of(name, 5000),
                     Content_Type="multipart/form-data; boundary=b")
    assert answer.status == 413
    assert call(address, "/?echo&next")[1] == b"next\n"


def test_outputs_of_query_and_form_are_counted_together(address):
    def status(outs, parts):
        target = "/?true&" + "&".join(["_out=*"] * outs)
        answer, text = call(address, target, "POST", form_of("_out", parts),
                            Content_Type="multipart/form-data; boundary=b")
        return answer.status, b"too many outputs" in text
    assert status(0, 512)[0] == status(256, 256)[0] == 422, "none of them is there"
    assert status(256, 257) == status(513, 0) == (413, True)


def test_globs_that_are_long_to_match_are_an_output_limit(address):
    """Each of the 40 names is tried 120 times against each of 300 globs, at 120 steps a try."""
    script = f"i=0; while [ $i -lt 40 ]; do : > {'a' * 240}$i; i=$((i+1)); done"
    envelope = {"argv": ["sh", "-c", script], "out": ["**" + "a" * 120 + "b"] * 300}
    _, data = call(address, "/_/run", "POST", json.dumps(envelope),
                   Content_Type="application/json")
    assert json.loads(data)["outcome"] == "output-limit"
    envelope["out"] = ["**" + "a" * 120 + "b", "**1"]
    _, data = call(address, "/_/run", "POST", json.dumps(envelope),
                   Content_Type="application/json")
    assert json.loads(data)["outcome"] == "exited" and len(json.loads(data)["files"]) == 4


def test_more_names_of_outputs_than_memory_is_meant_for_are_an_output_limit(front_with):
    """Empty files have no bytes, but their names have: 17,000 of 250 are more than 4 MiB."""
    name = "a" * 245
    script = f"i=10000; while [ $i -lt 27000 ]; do : > {name}$i; i=$((i+1)); done"
    address = front_with("limit.wall_ms=60000").address
    answer, _ = call(address, sh(script, "_out=*", "_format=tar"), timeout=120)
    assert answer.getheader("Elfpack-Outcome") == "output-limit" and answer.status == 422
    assert call(address, "/?echo&next")[1] == b"next\n"
