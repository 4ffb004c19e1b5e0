"""ifupdown: /etc/network/interfaces and the files that it names, as interfaces(5) says."""

import fnmatch
import glob
import os
import re
import shlex
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

from .edit import Edit, Refused, of
from .values import Interface, among, interface, is_cut_off, same, with_prefix_of

MAIN = "/etc/network/interfaces"
HOOKS = ("pre-up", "up", "post-up", "down", "pre-down", "post-down")
OF_STATIC = ("address", "netmask", "broadcast", "network", "gateway", "pointopoint")
WORDS = re.compile(r"^(\s*\S+\s+)(.*?)(\s*)$")

Option = NamedTuple("Option", [("key", str), ("value", str), ("first", int), ("last", int)])
Stanza = NamedTuple(
    "Stanza", [("kind", str), ("words", List[str]), ("first", int), ("last", int), ("options", List[Option])]
)


def parse(text: str) -> List[Stanza]:
    """The stanzas in their order; a line ends with a backslash where the next one belongs to it."""
    found = []  # type: List[Stanza]
    lines, number = text.split("\n"), 0
    while number < len(lines):
        first, line = number, lines[number]
        number += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        while line.endswith("\\") and number < len(lines):
            line = line[:-1] + " " + lines[number]
            number += 1
        words = line.split(None, 1)
        key, value = words[0], words[1].strip() if len(words) > 1 else ""
        if key in ("iface", "mapping") or _is_single(key):
            found.append(Stanza(key, value.split(), first, number - 1, []))
        elif found and found[-1].kind in ("iface", "mapping"):
            found[-1].options.append(Option(key, value, first, number - 1))
        else:
            raise Refused("line {}: {!r} is in no stanza".format(first + 1, key), BY_HAND)
    return found


def _is_single(key: str) -> bool:
    singles = (
        "auto",
        "source",
        "source-directory",
        "source-dir",
        "no-auto-down",
        "no-scripts",
        "rename",
        "template",
    )
    return key in singles or fnmatch.fnmatch(key, "allow-*")


def named(read: Callable[[str], str], path: str = MAIN) -> Iterator[str]:
    """The path of this file, and of all that it names, in the order in which they are read."""
    yield path
    with of(path):
        stanzas = parse(read(path))
    for stanza in stanzas:
        for word in stanza.words if stanza.kind.startswith("source") else ():
            pattern = os.path.join(os.path.dirname(path), word)
            if stanza.kind == "source":
                paths = [one for one in sorted(glob.glob(pattern)) if os.path.isfile(one)]
            else:
                every = sorted(glob.glob(os.path.join(pattern, "*")))
                paths = [
                    one
                    for one in every
                    if re.match(r"^[A-Za-z0-9_-]+$", os.path.basename(one)) and os.path.isfile(one)
                ]
            for one in paths:
                for found in named(read, one):
                    yield found


def addresses(texts: Dict[str, str], names: Sequence[str]) -> List[Interface]:
    """All static addresses of an interface with these names."""
    found = []  # type: List[Interface]
    for text in texts.values():
        for stanza in _stanzas(text, names):
            one = _address(stanza)
            found += [] if one is None else [one]
            for option in stanza.options:
                added = _adds(option, stanza.words[0])
                found += [] if added is None else [added]
    return found


def off(texts: Dict[str, str], names: Sequence[str], gone: Sequence[Interface]) -> Dict[str, str]:
    """Without these addresses: a stanza stays, as `manual`, for what else it does."""
    kept = [one for one in addresses(texts, names) if not among(str(one.ip), gone)]
    changed = {}  # type: Dict[str, str]
    for path, text in texts.items():
        edit = Edit(text)
        with of(path):
            for stanza in _stanzas(text, names):
                _take_off(edit, stanza, gone, kept)
        if edit.text != text:
            changed[path] = edit.text
    _must_change(gone, addresses(texts, names))
    return changed


def _take_off(edit: Edit, stanza: Stanza, gone: Sequence[Interface], kept: Sequence[Interface]) -> None:
    own = _address(stanza)
    for option in stanza.options:
        added, way = _adds(option, stanza.words[0]), _gateway(option)
        if (added is not None and among(str(added.ip), gone)) or (way and is_cut_off(way, gone, kept)):
            edit.aside(range(option.first, option.last + 1))
        elif option.key in HOOKS and _names(option.value, gone):
            raise Refused("{} {}: what that does is not known".format(option.key, option.value), BY_HAND)
    if own is None or not among(str(own.ip), gone):
        return
    _one_line(stanza.first, stanza.last)
    if ":" in stanza.words[0]:
        edit.aside(_lines(stanza))
        _no_auto(edit, stanza.words[0])
        return
    edit.replace(stanza.first, re.sub(r"\bstatic\b(?!.*\bstatic\b)", "manual", edit.lines[stanza.first]))
    for option in stanza.options:
        if option.key in OF_STATIC:
            _one_line(option.first, option.last)
            edit.aside([option.first])


def _no_auto(edit: Edit, name: str) -> None:
    """An alias that is gone is brought up no more; the names beside it are."""
    for stanza in parse("\n".join(edit.lines)):
        if (stanza.kind == "auto" or stanza.kind.startswith("allow-")) and name in stanza.words:
            _one_line(stanza.first, stanza.last)
            rest = [word for word in stanza.words if word != name]
            if rest:
                edit.replace(stanza.first, "{} {}".format(stanza.kind, " ".join(rest)))
            else:
                edit.aside([stanza.first])


def over(
    texts: Dict[str, str], names: Sequence[str], own: Interface, new: Sequence[Interface]
) -> Dict[str, str]:
    """With the first new address in the place of the own one, which follows in a stanza of its own, and the others."""
    found = [
        (path, stanza, option)
        for path, text in texts.items()
        for stanza in _stanzas(text, names)
        for option in stanza.options
        if option.key == "address" and same(option.value, own)
    ]
    if len(found) != 1:
        raise Refused("{} stanzas of {} have the address {}".format(len(found), names[0], own.ip), BY_HAND)
    ((path, stanza, option),) = found
    others = {one.key: one for one in stanza.options}
    if "pointopoint" in others:
        raise Refused("{} is a point-to-point address".format(own.ip), BY_HAND)
    with of(path):
        _one_line(option.first, option.last)
    edit = Edit(texts[path])
    line, name = edit.lines[option.first], stanza.words[0]
    start = WORDS.match(line)
    edit.replace(option.first, (start.group(1) if start else "") + with_prefix_of(option.value, new[0]))
    space = line[: len(line) - len(line.lstrip())] or "  "
    more = ["", "iface {} inet static".format(name), "{}address {}".format(space, option.value)]
    if "netmask" in others and "/" not in option.value:
        more.append("{}netmask {}".format(space, others["netmask"].value))
    for one in new[1:]:
        more += [
            "",
            "iface {} inet{} static".format(name, "" if one.version == 4 else "6"),
            "{}address {}".format(space, one),
        ]
    edit.after(_lines(stanza)[-1], *more)
    return {path: edit.text}


def _stanzas(text: str, names: Sequence[str]) -> List[Stanza]:
    """Those of an interface, its aliases among them."""
    return [
        one
        for one in parse(text)
        if one.kind == "iface"
        and one.words
        and one.words[0].partition(":")[0] in [name.partition(":")[0] for name in names]
    ]


def _address(stanza: Stanza) -> Optional[Interface]:
    given = {option.key: option.value for option in stanza.options}
    if "static" not in stanza.words[2:3] or "address" not in given:
        return None
    mask = given.get("netmask", "")
    return interface(given["address"] + ("/" + mask if mask and "/" not in given["address"] else ""))


def _adds(option: Option, name: str) -> Optional[Interface]:
    """The address that a hook adds or deletes, where it does nothing else."""
    if option.key not in HOOKS or re.search(r"[;&|<>`]|\$\(", option.value):
        return None
    words = shlex.split(option.value.replace("$IFACE", name).replace("${IFACE}", name))
    words = (
        [os.path.basename(words[0])] + [word for word in words[1:] if word not in ("-4", "-6")]
        if words
        else []
    )
    is_ip = len(words) > 3 and words[0] == "ip" and words[1] in ("a", "addr", "address")
    if not is_ip or words[2] not in ("a", "add", "replace", "d", "del", "delete"):
        return None
    return interface(words[3])


def _gateway(option: Option) -> str:
    """The router that a hook has a route go by."""
    found = re.search(r"\b(?:via|gw)\s+(\S+)", option.value) if option.key in HOOKS else None
    return found.group(1) if found and "route" in option.value else ""


def _names(text: str, addresses: Sequence[Interface]) -> bool:
    return any(among(word, addresses) for word in re.split(r"[^0-9A-Fa-f.:/]+", text))


def _lines(stanza: Stanza) -> List[int]:
    return list(range(stanza.first, max([stanza.last] + [one.last for one in stanza.options]) + 1))


def _one_line(first: int, last: int) -> None:
    if first != last:
        raise Refused("line {} goes on in the next one".format(first + 1), BY_HAND)


def _must_change(gone: Sequence[Interface], there: Sequence[Interface]) -> None:
    for one in gone:
        if not among(str(one.ip), there):
            raise Refused("no static stanza of /etc/network/interfaces has {}".format(one.ip), BY_HAND)


BY_HAND = "write it as a stanza `iface NAME inet static` with `address` and `netmask`, see interfaces(5)"
