"""An image whose program makes its own server (--serve): it listens, answers, and ends the machine."""
import socket
import subprocess

from support.guest import Guest, build_image

# Answers one connection with more than a window holds, and ends at once.
PROGRAM = r"""
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char page[SIZE];

int main(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(80)};
	int one = 1, listening = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listening, (struct sockaddr *)&here, sizeof(here)) < 0 || listen(listening, 8) < 0)
		return 1;
	write(1, "listening\n", 10);
	int client = accept(listening, NULL, NULL);
	memset(page, 'x', sizeof(page));
	for (size_t at = 0; at < sizeof(page);) {
		ssize_t n = write(client, page + at, sizeof(page) - at);
		if (n < 0)
			return 2;
		at += (size_t)n;
	}
	return 3;
}
"""
SIZE = 3_000_000


def test_last_bytes_of_a_program_that_ends_arrive_and_its_status_is_the_machines(tmp_path):
    (tmp_path / "server.c").write_text(PROGRAM)
    subprocess.run(["gcc", "-static", "-O1", f"-DSIZE={SIZE}", "-o", tmp_path / "server",
                    tmp_path / "server.c"], check=True)
    image = build_image(tmp_path / "server.img", tmp_path / "server", "--serve", "80")
    with Guest(image, folder=tmp_path) as guest:
        guest.wait_console("by DHCP")
        guest.wait_console("listening")
        with socket.create_connection(("127.0.0.1", guest.port), timeout=30) as client:
            got = b"".join(iter(lambda: client.recv(1 << 16), b""))
        assert got == b"x" * SIZE
        assert guest.wait_exit() == 3
