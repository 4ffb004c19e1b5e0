"""Addresses as configuration files have them."""

import ipaddress
from typing import Any, Iterable, Optional

Interface = Any
"""IPv4Interface or IPv6Interface: an address with its prefix."""


def interface(text: str) -> Optional[Interface]:
    """What the text says, if it is an address with or without a prefix or a netmask."""
    try:
        return ipaddress.ip_interface(text.strip().strip("\"'"))
    except ValueError:
        return None


def same(text: str, address: Interface) -> bool:
    found = interface(text)
    return found is not None and found.ip == address.ip


def among(text: str, addresses: Iterable[Interface]) -> bool:
    return any(same(text, one) for one in addresses)


def is_cut_off(gateway: str, gone: Iterable[Interface], kept: Iterable[Interface]) -> bool:
    """Whether a gateway is reached by what goes, and by nothing that stays."""
    at = interface(gateway)
    if at is None:
        return False
    return any(at.ip in one.network for one in gone) and not any(at.ip in one.network for one in kept)


def with_prefix_of(own: str, new: Interface) -> str:
    """The new address in the form of this one."""
    slash = own.find("/")
    return str(new.ip) + (own[slash:] if slash >= 0 else "")
