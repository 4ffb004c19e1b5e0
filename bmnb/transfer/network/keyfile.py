"""NetworkManager's keyfiles, as nm-settings-keyfile(5) says."""

import re
from typing import Dict, List, Optional, Sequence

from . import ini
from .edit import Edit, Refused
from .values import Interface, among, interface, is_cut_off, same

KEY = re.compile(r"address(?:es)?(\d*)$")
ROUTE = re.compile(r"routes?\d*$")
NAMES = {4: "ipv4", 6: "ipv6"}
NOTHING = {4: "disabled", 6: "link-local"}
"""The method of a connection without an address."""


def _section(text: str, version: int) -> Optional[ini.Section]:
    found = [one for one in ini.parse(text) if one.name == NAMES[version]]
    if len(found) > 1:
        raise Refused("the section [{}] stands there twice".format(NAMES[version]), BY_HAND)
    return found[0] if found else None


def _held(section: Optional[ini.Section]) -> List[ini.Entry]:
    """The addresses in the order of their numbers."""
    found = [one for one in section.entries if KEY.match(one.key)] if section else []
    for one in found:
        if interface(_plain(one)) is None:
            raise Refused(
                "{}={}: one address with its prefix is expected".format(one.key, one.value), BY_HAND
            )
    return sorted(found, key=_number)


def _number(entry: ini.Entry) -> int:
    found = KEY.match(entry.key)
    return int(found.group(1)) if found and found.group(1) else 0


def _plain(entry: ini.Entry) -> str:
    """The address without the gateway that may stand behind it."""
    return entry.value.split(",")[0].rstrip(";")


def addresses(texts: Dict[str, str]) -> List[Interface]:
    every = [one for text in texts.values() for version in NAMES for one in _held(_section(text, version))]
    return [one for one in (interface(_plain(entry)) for entry in every) if one is not None]


def off(texts: Dict[str, str], gone: Sequence[Interface]) -> Dict[str, str]:
    ((path, text),) = texts.items()
    edit = Edit(text)
    for version in sorted({one.version for one in gone}):
        section = _section(text, version)
        held = _held(section)
        leave = [one for one in held if among(_plain(one), gone)]
        missing = [
            one
            for one in gone
            if one.version == version and not any(same(_plain(entry), one) for entry in leave)
        ]
        if missing or section is None:
            raise Refused(
                "{} has no address {}".format(path, " and ".join(str(one.ip) for one in missing)), BY_HAND
            )
        stay = [one for one in held if one not in leave]
        method = next((one for one in section.entries if one.key == "method"), None)
        if not stay and method is not None and method.value == "manual":
            edit.aside(one.line for one in section.entries)
            edit.after(section.line, "method={}".format(NOTHING[version]))
            continue
        edit.aside(one.line for one in leave)
        kept = [one for one in (interface(_plain(entry)) for entry in stay) if one is not None]
        edit.aside(one.line for one in section.entries if _is_cut_off(one, gone, kept))
    return {path: edit.text}


def _is_cut_off(entry: ini.Entry, gone: Sequence[Interface], kept: Sequence[Interface]) -> bool:
    if entry.key == "gateway":
        return is_cut_off(entry.value, gone, kept)
    parts = entry.value.split(",")
    return bool(ROUTE.match(entry.key)) and len(parts) > 1 and is_cut_off(parts[1], gone, kept)


def over(texts: Dict[str, str], own: Interface, new: Sequence[Interface]) -> Dict[str, str]:
    """With the first new address before all of its kind, and the others behind."""
    ((path, text),) = texts.items()
    edit = Edit(text)
    if not any(same(_plain(one), own) for one in _held(_section(text, own.version))):
        raise Refused("{} has no address {}".format(path, own.ip), BY_HAND)
    for version in sorted({one.version for one in new}):
        come = [str(one) for one in new if one.version == version]
        section = _section(text, version)
        if section is None:
            raise Refused("{} has no section [{}]".format(path, NAMES[version]), BY_HAND)
        held = _held(section)
        first = 2 if version == 4 else max([_number(one) for one in held] + [0]) + 1
        at = min([one.line for one in held] or [ini.last_line(section) + 1])
        if version == 4:
            edit.before(at, "address1={}".format(come.pop(0)))
            for number, one in enumerate(held, first):
                edit.replace(one.line, "address{}={}".format(number, one.value))
            first += len(held)
        added = ["address{}={}".format(number, one) for number, one in enumerate(come, first)]
        edit.after(max([one.line for one in held] or [ini.last_line(section)]), *added)
        method = next((one for one in section.entries if one.key == "method"), None)
        if method is not None and method.value in ("ignore", "disabled", "link-local"):
            edit.replace(method.line, "method=manual")
    return {path: edit.text}


BY_HAND = "give the connection static addresses: nmcli connection modify NAME ipv4.method manual ipv4.addresses ADDRESS/PREFIX"
