"""A name server for tests, authority and resolver in one; its records may change while it runs."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bmnb.transfer.asking.resolving import AAAA, MX, NS, A, name_at

Zone = dict[tuple[str, int], list[str]]
TTL = 300


def encoded(name: str) -> bytes:
    return b"".join(bytes([len(one)]) + one.encode() for one in name.split(".")) + b"\0"


def data(kind: int, value: str) -> bytes:
    if kind == A:
        return socket.inet_pton(socket.AF_INET, value)
    if kind == AAAA:
        return socket.inet_pton(socket.AF_INET6, value)
    return (struct.pack(">H", 10) if kind == MX else b"") + encoded(value)


def answer(zone: Zone, packet: bytes) -> bytes:
    name, place = name_at(packet, 12)
    kind = struct.unpack_from(">H", packet, place)[0]
    found = zone.get((name, kind), [])
    known = any(one == name for one, _ in zone)
    head = packet[:2] + struct.pack(">5H", 0x8400 | (0 if known else 3), 1, len(found), 0, 0)
    records = b"".join(
        b"\xc0\x0c" + struct.pack(">2HIH", kind, 1, TTL, len(data(kind, one))) + data(kind, one)
        for one in found
    )
    return head + packet[12 : place + 4] + records


@contextmanager
def serving(zone: Zone, address: str) -> Iterator[Zone]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind((address, 53))
        line.settimeout(0.2)
        end = threading.Event()

        def serve() -> None:
            while not end.is_set():
                try:
                    packet, who = line.recvfrom(4096)
                except TimeoutError:
                    continue
                line.sendto(answer(zone, packet), who)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield zone
        finally:
            end.set()
            thread.join()


def client_zone(nameserver: str, address: str) -> Zone:
    """The lab's client: mail goes to a name of its own, and for one domain to somebody else's."""
    return {
        ("org", NS): [],
        ("example.org", NS): ["ns.example.org"],
        ("ns.example.org", A): [nameserver],
        ("mail.example.org", A): [address],
        ("mx.example.org", A): [address],
        ("example.org", MX): ["mx.example.org"],
    }
