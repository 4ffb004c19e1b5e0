"""Machines with names and addresses of their own, as network namespaces of this one."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bmnb.lab.host import call
from bmnb.lab.network import Bridge, remove_link
from bmnb.lab.sweep import PREFIX


@dataclass(frozen=True)
class Host:
    """A machine by its address, and the words before a command that runs on it."""

    address: str
    enter: tuple[str, ...] = ()


LOOPBACK = Host("127.0.0.1")


@contextmanager
def hosts(names: Sequence[str], network: Bridge, others: Sequence[Bridge] = ()) -> Iterator[list[Host]]:
    """A machine for each name, known by its address in the first network, with a line into the others as well."""
    with ExitStack() as up:
        yield [
            up.enter_context(_host(name, number, [network, *others]))
            for number, name in enumerate(names, 101)
        ]


@contextmanager
def _host(name: str, number: int, networks: Sequence[Bridge]) -> Iterator[Host]:
    machine = f"{name}-{os.getpid()}"
    # by this name `bmnb lab down --all` knows it where this process is killed
    space = f"{PREFIX}{machine}"
    call("ip", "netns", "add", space)
    try:
        call("ip", "-n", space, "link", "set", "lo", "up")
        for bridge in networks:
            near, far = f"{bridge.name}n{number}", f"{bridge.name}f{number}"
            call("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", space)
            call("ip", "link", "set", near, "master", bridge.name, "up")
            call("ip", "-n", space, "addr", "add", f"{bridge.address(number)}/24", "dev", far)
            call("ip", "-n", space, "link", "set", far, "up")
        # a name of its own, too: the lock on a server tells machines apart by it
        enter = f"nsenter --net=/run/netns/{space} unshare --uts sh -c".split()
        yield Host(networks[0].address(number), (*enter, 'hostname "$0"; exec "$@"', machine))
    finally:
        for bridge in networks:
            remove_link(f"{bridge.name}n{number}")
        call("ip", "netns", "del", space)
