"""Clients of other makers: node's, h2load, slowhttptest's attacks, a thousand idle connections,
and one that leaves while its program runs."""
import csv
import json
import re
import shutil
import socket
import subprocess
import time

import pytest

from support import prometheus
from support.http_client import call, read_head
from support.load import ONE_BY_ONE

NODE = """
const http = require('http');
const agent = new http.Agent({keepAlive: true, maxSockets: 4});
const [host, port] = process.argv.slice(1);
function ask(i) {
	return new Promise((done, failed) => {
		const request = http.request({host, port, agent, method: 'POST', path: '/?cat'}, answer => {
			let text = '';
			answer.on('data', piece => text += piece);
			answer.on('end', () => done(answer.statusCode + ' ' + text));
		});
		request.on('error', failed);
		request.write('a' + i);   // chunked
		request.end('b');
	});
}
(async () => {
	const all = await Promise.all([...Array(40).keys()].map(ask));
	const stream = await new Promise((done, failed) => http.get(
		{host, port, agent, path: '/?seq&3&_format=stream'}, answer => {
			answer.resume();
			answer.on('end', () => done(answer.trailers));
		}).on('error', failed));
	console.log(JSON.stringify([all, stream]));
	agent.destroy();
})();
"""


def test_nodes_client_keeps_connections_and_reads_trailers(address):
    done = subprocess.run([shutil.which("node"), "-e", NODE, address[0], str(address[1])],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answers, trailers = json.loads(done.stdout)
    assert answers == [f"200 a{i}b" for i in range(40)]
    assert trailers == {"elfpack-outcome": "exited", "elfpack-exit-code": "0"}


def test_h2load_over_http_1_sees_no_protocol_error(address):
    done = subprocess.run(["h2load", "--h1", "-n", "400", "-c", "8", *ONE_BY_ONE,
                           f"http://{address[0]}:{address[1]}/?echo&x"], capture_output=True,
                          text=True, check=True, timeout=120)
    assert "400 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout
    assert re.search(r"status codes: 400 2xx", done.stdout)


@pytest.mark.parametrize("mode", ["-H", "-B", "-X", "-R"],
                         ids=["slow_headers", "slow_body", "slow_read", "ranges"])
def test_slowhttptest_does_not_stop_service(front_with, tmp_path, mode):
    """A hundred attackers for four seconds; slowhttptest itself asks whether service goes on."""
    url = front_with().url
    target = {"-X": "/_/openapi.json", "-B": "/?cat"}.get(mode, "/_/health")
    subprocess.run(["slowhttptest", mode, "-u", url + target, "-c", "100", "-r", "100", "-i", "1",
                    "-l", "4", "-p", "2", "-g", "-o", tmp_path / "slow"],
                   capture_output=True, check=True, timeout=60)
    with open(tmp_path / "slow.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows and all(int(row["Service Available"]) > 0 for row in rows)


def test_thousand_idle_connections_cost_others_nothing(front_with):
    address = front_with().address
    idle = []
    try:
        for _ in range(1000):
            idle.append(socket.create_connection(address, timeout=30))
        for i in range(5):
            assert call(address, f"/?echo&{i}")[1] == b"%d\n" % i
    finally:
        for client in idle:
            client.close()
    assert call(address, "/?echo&after")[1] == b"after\n"


def running(address):
    return prometheus.parse(call(address, "/_/metrics")[1].decode())["elfpack_jobs_running"][1][()]


@pytest.mark.parametrize("target", ["/?sleep&9", "/?sh&-c&while+:;do+:;done",
                                    "/?sh&-c&sleep+9%26+sleep+9%26+wait"])
def test_client_that_leaves_ends_its_job_within_100_ms(address, target):
    """Or, where the machine is too busy to answer so soon, before the answer after the next."""
    before = running(address)
    with socket.create_connection(address, timeout=30) as client:
        client.sendall(b"GET %s&_format=stream HTTP/1.1\r\nHost: h\r\n\r\n" % target.encode())
        read_head(client)  # of a stream: the program runs
        assert running(address) > before
    left, answers = time.monotonic(), 0
    while running(address) > before:
        answers += 1
        assert answers < 2 or time.monotonic() - left < 0.1
