"""ifcfg files of RedHat's family, as NetworkManager and network-scripts read them."""

import re
import shlex
from typing import Dict, List, NamedTuple, Optional, Sequence

from .edit import Edit, Refused
from .values import Interface, among, interface, is_cut_off, same

Entry = NamedTuple("Entry", [("key", str), ("value", str), ("line", int)])
LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)$")
OF_ONE = ("IPADDR", "PREFIX", "NETMASK", "BROADCAST", "NETWORK")


def parse(text: str) -> List[Entry]:
    """The assignments; a value is one word of the shell."""
    found = []  # type: List[Entry]
    for number, line in enumerate(text.split("\n")):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        matched = LINE.match(line)
        try:
            words = shlex.split(matched.group(2), comments=True) if matched else []
        except ValueError:
            words = ["", ""]
        if not matched or len(words) > 1 or (words and re.search(r"[$`]", words[0])):
            raise Refused("line {}: {!r} is no plain assignment".format(number + 1, line.strip()), BY_HAND)
        found.append(Entry(matched.group(1), words[0] if words else "", number))
    return found


def _numbers(entries: Sequence[Entry]) -> List[str]:
    """The endings of IPADDR in their order: none, 0, 1 and so on."""
    found = [one.key[6:] for one in entries if re.match(r"IPADDR\d*$", one.key)]
    return sorted(found, key=lambda ending: int(ending) if ending else -1)


def _one(entries: Sequence[Entry], ending: str) -> Optional[Interface]:
    given = {one.key: one.value for one in entries}
    mask = given.get("PREFIX" + ending) or given.get("NETMASK" + ending) or ""
    return interface(given["IPADDR" + ending] + ("/" + mask if mask else ""))


def _sixes(entries: Sequence[Entry]) -> List[str]:
    given = {one.key: one.value for one in entries}
    return given.get("IPV6ADDR", "").split() + given.get("IPV6ADDR_SECONDARIES", "").split()


def addresses(texts: Dict[str, str]) -> List[Interface]:
    found = []  # type: List[Optional[Interface]]
    for text in texts.values():
        entries = parse(text)
        found += [_one(entries, ending) for ending in _numbers(entries)] + [
            interface(one) for one in _sixes(entries)
        ]
    return [one for one in found if one is not None]


def off(texts: Dict[str, str], gone: Sequence[Interface]) -> Dict[str, str]:
    ((path, text),) = texts.items()
    entries = parse(text)
    there, kept = addresses(texts), [one for one in addresses(texts) if not among(str(one.ip), gone)]
    for address in gone:
        if not among(str(address.ip), there):
            raise Refused("{} has no address {}".format(path, address.ip), BY_HAND)
    edit = Edit(text)
    stay = [ending for ending in _numbers(entries) if not _is_among(_one(entries, ending), gone)]
    _number_again(edit, entries, stay)
    edit.aside(one.line for one in entries if one.key == "GATEWAY" and is_cut_off(one.value, gone, kept))
    edit.aside(
        one.line for one in entries if one.key == "IPV6_DEFAULTGW" and is_cut_off(one.value, gone, kept)
    )
    _write_sixes(edit, entries, [one for one in _sixes(entries) if not among(one, gone)])
    return {path: edit.text}


def over(texts: Dict[str, str], own: Interface, new: Sequence[Interface]) -> Dict[str, str]:
    """With the first new address before all others, and those of IPv6 behind."""
    ((path, text),) = texts.items()
    entries = parse(text)
    endings = _numbers(entries)
    found = [ending for ending in endings if same(str(_one(entries, ending)), own)]
    if len(found) != 1 or not endings:
        raise Refused("{} has {} times the address {}".format(path, len(found), own.ip), BY_HAND)
    edit = Edit(text)
    at = min(one.line for one in entries if re.match(r"IPADDR\d*$", one.key))
    edit.before(at, "IPADDR={}".format(new[0].ip), "PREFIX={}".format(new[0].network.prefixlen))
    _number_again(edit, entries, endings, 1)
    sixes = [str(one) for one in new if one.version == 6]
    if sixes:
        _write_sixes(edit, entries, _sixes(entries) + sixes)
        if not any(one.key == "IPV6INIT" and one.value.lower() in ("yes", "true") for one in entries):
            raise Refused("{} has not IPV6INIT=yes".format(path), BY_HAND)
    return {path: edit.text}


def _is_among(one: Optional[Interface], gone: Sequence[Interface]) -> bool:
    return one is not None and among(str(one.ip), gone)


def _number_again(edit: Edit, entries: Sequence[Entry], stay: Sequence[str], first: int = 0) -> None:
    """NetworkManager reads no further than to a number that is missing: those that stay are numbered without a gap."""
    every = _numbers(entries)
    for entry in entries:
        matched = re.match("({})(\\d*)$".format("|".join(OF_ONE)), entry.key)
        if not matched or matched.group(2) not in every:
            continue
        key, ending = matched.groups()
        if ending not in stay:
            edit.aside([entry.line])
        else:
            number = list(stay).index(ending) + first
            wanted = key + (str(number) if number else "")
            if wanted != entry.key and not (first == 0 and stay == every):
                line = edit.lines[entry.line]
                edit.replace(entry.line, line.replace(entry.key + "=", wanted + "=", 1))


def _write_sixes(edit: Edit, entries: Sequence[Entry], wanted: Sequence[str]) -> None:
    if list(wanted) == _sixes(entries):
        return
    lines = [one.line for one in entries if one.key in ("IPV6ADDR", "IPV6ADDR_SECONDARIES")]
    edit.aside(lines)
    written = ['IPV6ADDR="{}"'.format(one) for one in wanted[:1]]
    written += ['IPV6ADDR_SECONDARIES="{}"'.format(" ".join(wanted[1:]))] if len(wanted) > 1 else []
    edit.after(max(lines or [one.line for one in entries]), *written)


BY_HAND = "write static addresses as IPADDR= and PREFIX= (IPADDR1=, PREFIX1= for a second one), or use nmcli connection modify"
