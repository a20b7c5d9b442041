#!/usr/bin/python3
"""Stands in for QEMU where only `elfpack run`'s own side matters: says its command line on the
console, accepts connections at once as QEMU does, and answers /_/ready a little later: first
not at all, then 503, then 200."""
import re
import socket
import sys
import time

print("console", *sys.argv[1:], end="\r\n", flush=True)
forward = re.search(r"hostfwd=tcp:([0-9.]+):(\d+)-", " ".join(sys.argv))
server = socket.create_server((forward[1], int(forward[2])))
silent, _ = server.accept()
asked = 0
while True:
    connection, _ = server.accept()
    connection.recv(4096)
    asked += 1
    status = "503 Not Yet" if asked < 3 else "200 OK"
    connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
    connection.close()
    if asked == 3:
        time.sleep(60)
