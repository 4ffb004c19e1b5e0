"""Ask DNS where a client's names lead: the external-url's, other urls' and those that mail for its domains goes to.

Runs on a server, with its Python from 3.5 on, so it imports nothing of this project. It asks the name servers of
/etc/resolv.conf, past /etc/hosts, in which a server has its own name, and for the time to live a name server of the
zone itself: that of a cache has run down. It prints a line of JSON a name, after one with the server's own addresses.
"""

import json
import os
import random
import re
import socket
import struct
import subprocess
from typing import Any, Dict, Iterator, List, Sequence, Tuple

SECONDS = 3
A, NS, CNAME, MX, AAAA = 1, 2, 5, 15, 28
NO_SUCH_NAME = 3
RESOLVERS = ("/run/systemd/resolve/resolv.conf", "/etc/resolv.conf")
INI, DOMAINS, MAIL = "/etc/bm/bm.ini", "/etc/bm/domains-settings", "/etc/postfix/virtual_domains-flat"


Record = Tuple[int, int, str]
"""Kind, seconds to live, value."""


class Unanswered(Exception):
    """No name server has answered."""


def question(name: str, kind: int, recursive: bool) -> bytes:
    number = random.randrange(1 << 16)
    labels = name.rstrip(".").encode("idna").split(b".")
    head = struct.pack(">6H", number, 0x100 if recursive else 0, 1, 0, 0, 0)
    return head + b"".join(bytes([len(one)]) + one for one in labels) + b"\0" + struct.pack(">2H", kind, 1)


def exchange(server: str, packet: bytes) -> bytes:
    """By UDP, and by TCP where the answer is cut."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as line:
        line.settimeout(SECONDS)
        line.connect((server, 53))
        line.send(packet)
        answer = line.recv(4096)
    if answer[:2] != packet[:2]:
        raise OSError("an answer to another question")
    if not answer[2] & 2:
        return answer
    with socket.create_connection((server, 53), SECONDS) as line, line.makefile("rwb") as stream:
        stream.write(struct.pack(">H", len(packet)) + packet)
        stream.flush()
        return stream.read(struct.unpack(">H", stream.read(2))[0])


def name_at(packet: bytes, place: int) -> Tuple[str, int]:
    """A name, and where what follows it begins; the rest of a name may stand earlier in the packet."""
    labels = []  # type: List[str]
    after, jumps = 0, 0
    while packet[place]:
        if packet[place] >= 0xC0:
            after, jumps = after or place + 2, jumps + 1
            if jumps > 100:
                raise OSError("a name without an end")
            place = struct.unpack_from(">H", packet, place)[0] & 0x3FFF
        else:
            labels.append(packet[place + 1 : place + 1 + packet[place]].decode("ascii", "replace"))
            place += 1 + packet[place]
    return ".".join(labels).lower(), after or place + 1


def records(packet: bytes) -> List[Record]:
    questions, answers = struct.unpack_from(">2H", packet, 4)
    place = 12
    found = []  # type: List[Record]
    for _ in range(questions):
        place = name_at(packet, place)[1] + 4
    for _ in range(answers):
        place = name_at(packet, place)[1]
        kind, _, seconds, length = struct.unpack_from(">2HIH", packet, place)
        place += 10
        if kind == A:
            found.append((kind, seconds, socket.inet_ntop(socket.AF_INET, packet[place : place + length])))
        elif kind == AAAA:
            found.append((kind, seconds, socket.inet_ntop(socket.AF_INET6, packet[place : place + length])))
        elif kind in (NS, CNAME, MX):
            found.append((kind, seconds, name_at(packet, place + 2 * (kind == MX))[0]))
        place += length
    return found


def ask(servers: Sequence[str], name: str, kind: int, recursive: bool = True) -> List[Record]:
    """The records of a name. Raise Unanswered where no server tells."""
    said = "no name server is known"
    for server in servers:
        try:
            packet = exchange(server, question(name, kind, recursive))
            status = packet[3] & 15
            if status in (0, NO_SUCH_NAME) and (recursive or packet[2] & 4):
                return records(packet)
            said = "{}: status {}".format(server, status)
        except (OSError, IndexError, struct.error) as error:
            said = "{}: {}".format(server, error)
    raise Unanswered(said)


def resolvers() -> List[str]:
    for path in RESOLVERS:
        if os.path.exists(path):
            with open(path) as file:
                found = re.findall(r"^\s*nameserver\s+(\S+)", file.read(), re.M)
            if found:
                return found
    return []


def authorities(servers: Sequence[str], name: str) -> List[str]:
    """The addresses of the name servers of the zone that a name is in."""
    labels = name.split(".")
    for cut in range(len(labels) - 1):
        named = [value for kind, _, value in ask(servers, ".".join(labels[cut:]), NS) if kind == NS]
        if named:
            return [value for one in named[:2] for kind, _, value in ask(servers, one, A) if kind == A]
    return []


def look_up(servers: Sequence[str], name: str, why: str) -> Dict[str, Any]:
    found = []  # type: List[Record]
    own = []  # type: List[Record]
    ran_down = True
    for kind in (A, AAAA):
        found += ask(servers, name, kind)
    try:
        own = [
            one for kind in (A, AAAA) for one in ask(authorities(servers, name), name, kind, recursive=False)
        ]
        # where the name is another one's, that may be in another zone
        if any(kind in (A, AAAA) for kind, _, _ in own):
            found, ran_down = found + own, False
    except Unanswered:
        pass  # a firewall lets only the resolver's questions out
    times = [seconds for kind, seconds, _ in own or found]
    addresses = sorted({value for kind, _, value in found if kind in (A, AAAA)})
    return {
        "name": name,
        "why": why,
        "addresses": addresses,
        "seconds": max(times) if times else None,
        "cache": ran_down,
    }


def lines(path: str) -> List[str]:
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as file:
        return [line.strip() for line in file]


def urls() -> Iterator[Tuple[str, str]]:
    """(name, why) of the names under which users come."""
    for line in lines(INI):
        key, _, value = line.partition("=")
        if key.strip() in ("external-url", "other-urls"):
            for name in value.split():
                yield name, key.strip()
    for line in lines(DOMAINS):
        _, external, _, others = (line.split(":") + [""] * 4)[:4]
        for name in [external, *others.split()]:
            if name:
                yield name, "other-urls"


def exchangers(servers: Sequence[str]) -> Iterator[Tuple[str, str]]:
    """(name, why) of the names to which others send mail for the client's domains."""
    for line in lines(MAIL):
        domain = line.split()[0] if line and not line.startswith("#") else ""
        if "." in domain:
            for kind, _, name in ask(servers, domain, MX):
                if kind == MX and name:
                    yield name, "MX of " + domain


def own_addresses() -> List[str]:
    told = subprocess.check_output(["ip", "-o", "addr", "show", "scope", "global"], universal_newlines=True)
    return re.findall(r"inet6? ([0-9a-f.:]+)/", told)


def main() -> None:
    servers = resolvers()
    print(json.dumps({"own": own_addresses()}))
    seen = {}  # type: Dict[str, List[str]]
    for name, why in list(urls()) + list(exchangers(servers)):
        seen.setdefault(name.lower(), []).append(why)
    for name, reasons in seen.items():
        print(json.dumps(look_up(servers, name, ", ".join(sorted(set(reasons))))))


if __name__ == "__main__":
    try:
        main()
    except Unanswered as error:
        raise SystemExit("DNS does not answer: {}".format(error)) from None
