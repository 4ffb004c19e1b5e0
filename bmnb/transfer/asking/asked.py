"""Find the local services that Postfix and nginx ask, and those that listen.

Runs on a server as root, with its Python from 3.5 on, so it imports nothing of this project: asked.py GLOB..., which
are nginx' files. Prints a JSON object: `asked`, each address with where it is named, and `listens`.

A port of this server is written as `localhost:PORT`, a socket as its path.
"""

import glob
import json
import os
import re
import socket
import subprocess
import sys
from typing import Dict, Iterator, Sequence, Set, Tuple

INET = re.compile(r"(?<![\w.])\[?(?:localhost|127\.\d+\.\d+\.\d+|::1)\]?:(\w+)")
UNIX = re.compile(r"\bunix:([\w./@+-]+)")
COMMENT = re.compile(r"#.*$", re.MULTILINE)
LISTENS = "0A"
"""TCP_LISTEN, as /proc/net/tcp has it."""


def ask(*command: str) -> str:
    """What a program says."""
    return subprocess.check_output(command).decode(errors="surrogateescape")


def texts(globs: Sequence[str]) -> Iterator[Tuple[str, str]]:
    """Where something may be named, and what it says."""
    for where, option in (("main.cf", "-nx"), ("master.cf", "-P")):
        for line in ask("postconf", option).splitlines():
            name, _, value = line.partition(" = ")
            yield "{}: {}".format(where, name), value
    for path in sorted({path for one in globs for path in glob.glob(one)}):
        if os.path.isfile(path):
            with open(path, errors="surrogateescape") as file:
                yield path, COMMENT.sub("", file.read())


def port(name: str) -> str:
    try:
        return "localhost:{}".format(int(name) if name.isdigit() else socket.getservbyname(name))
    except OSError:
        return "localhost:" + name


def own_services() -> Set[str]:
    """The sockets of Postfix' own services, which come with its configuration."""
    rows = [line.split() for line in ask("postconf", "-M").splitlines()]
    return {row[0] for row in rows if len(row) > 1 and row[1] in ("unix", "fifo", "unix-dgram")}


def asked(globs: Sequence[str]) -> Dict[str, str]:
    queue = ask("postconf", "-xh", "queue_directory").strip()
    own = own_services()
    found = {}  # type: Dict[str, str]
    for where, text in texts(globs):
        for name in INET.findall(text):
            found.setdefault(port(name), where)
        for path in UNIX.findall(text):
            if re.sub("^(private|public)/", "", path) not in own:
                found.setdefault(os.path.join(queue, path), where)
    return found


def ports() -> Iterator[str]:
    for table in filter(os.path.exists, ("/proc/net/tcp", "/proc/net/tcp6")):
        with open(table) as file:
            rows = [line.split() for line in file][1:]
        for row in rows:
            if row[3] == LISTENS:
                yield "localhost:{}".format(int(row[1].split(":")[1], 16))


def sockets() -> Iterator[str]:
    with open("/proc/net/unix", errors="surrogateescape") as file:
        for row in (line.rstrip("\n").split(None, 7) for line in file):
            if len(row) == 8:
                yield row[7]


def main() -> None:
    print(json.dumps({"asked": asked(sys.argv[1:]), "listens": sorted({*ports(), *sockets()})}))


if __name__ == "__main__":
    main()
