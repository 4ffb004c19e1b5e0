"""A way from a Unix socket here to PostgreSQL's on the origin, each connection through a command of its own.

On the target `way.py listen SOCKET COMMAND...`, on the origin `way.py join SOCKET`, both as root, on Python
3.7 or newer with nothing installed. PostgreSQL on the origin sees its own account: no password goes anywhere,
nothing listens on a network, and the key that the command uses needs no right to forward.
"""

import os
import pwd
import socket
import subprocess
import sys
from threading import Thread

BLOCK = 1 << 16


def listen(path: str, command: "list[str]") -> None:
    """The folder of the socket decides who may connect."""
    if os.path.exists(path):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as server:
        os.umask(0)
        server.bind(path)
        server.listen()
        while True:
            connection, _ = server.accept()
            with connection:
                subprocess.Popen(command, stdin=connection.fileno(), stdout=connection.fileno())


def join(path: str) -> None:
    """Ends with the connection, whichever side closes it."""
    os.seteuid(pwd.getpwnam("postgres").pw_uid)
    with socket.socket(socket.AF_UNIX) as there:
        there.connect(path)
        Thread(target=send, args=(there,), daemon=True).start()
        for block in iter(lambda: there.recv(BLOCK), b""):
            sys.stdout.buffer.write(block)
            sys.stdout.buffer.flush()
    os._exit(0)


def send(there: socket.socket) -> None:
    for block in iter(lambda: os.read(0, BLOCK), b""):
        there.sendall(block)
    there.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    if sys.argv[1] == "listen":
        listen(sys.argv[2], sys.argv[3:])
    else:
        join(sys.argv[2])
