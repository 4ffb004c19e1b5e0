"""The line between the servers carries what is sent, whole and in order, in both directions."""

import hashlib
import os
import socket
import threading

from benchmarks.relay import Line, relay


def echo(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def test_what_goes_in_comes_out():
    sent = os.urandom(3_000_000)
    got = hashlib.sha256()
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=echo, args=(server,), daemon=True).start()
        here = ("127.0.0.1", free_port())
        with (
            relay(Line("test", 0.002, 1e9), here, server.getsockname()),
            socket.create_connection(here) as client,
        ):
            threading.Thread(target=client.sendall, args=(sent,), daemon=True).start()
            left = len(sent)
            while left:
                data = client.recv(65536)
                got.update(data)
                left -= len(data)
    assert got.hexdigest() == hashlib.sha256(sent).hexdigest()
