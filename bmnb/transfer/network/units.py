"""systemd-networkd: a .network file and its drop-ins, as systemd.network(5) says."""

from typing import Dict, List, NamedTuple, Sequence, Tuple

from . import ini
from .edit import Edit, Refused
from .values import Interface, among, interface, is_cut_off, same

Found = NamedTuple("Found", [("path", str), ("section", ini.Section), ("entry", ini.Entry)])
ROUTES = (("Network", "Gateway"), ("Route", "Gateway"))


def _entries(texts: Dict[str, str], places: Sequence[Tuple[str, str]]) -> List[Found]:
    return [
        Found(path, section, entry)
        for path, text in texts.items()
        for section in ini.parse(text)
        for entry in section.entries
        if (section.name, entry.key) in places
    ]


def _held(texts: Dict[str, str]) -> List[Found]:
    """The entries that count: an empty one in [Network] resets what stood before."""
    found = []  # type: List[Found]
    for one in _entries(texts, (("Network", "Address"), ("Address", "Address"))):
        if one.section.name == "Network" and not one.entry.value:
            found = [other for other in found if other.section.name != "Network"]
        else:
            found.append(one)
    return found


def addresses(texts: Dict[str, str]) -> List[Interface]:
    read = [interface(one.entry.value) for one in _held(texts)]
    return [one for one in read if one is not None]


def off(texts: Dict[str, str], gone: Sequence[Interface]) -> Dict[str, str]:
    held, kept = _held(texts), [one for one in addresses(texts) if not among(str(one.ip), gone)]
    edits = {path: Edit(text) for path, text in texts.items()}
    for address in gone:
        if not any(same(one.entry.value, address) for one in held):
            raise Refused("{} has no Address={}".format(" and ".join(texts), address.ip), BY_HAND)
    for one in held:
        if among(one.entry.value, gone):
            whole = one.section.name == "Address"
            edits[one.path].aside(ini.lines(one.section) if whole else [one.entry.line])
    for one in _entries(texts, ROUTES):
        if is_cut_off(one.entry.value, gone, kept):
            whole = one.section.name == "Route"
            edits[one.path].aside(ini.lines(one.section) if whole else [one.entry.line])
    return {path: edit.text for path, edit in edits.items() if edit.text != texts[path]}


def over(texts: Dict[str, str], own: Interface, new: Sequence[Interface]) -> Dict[str, str]:
    """With the first new address before the own one, which it has the prefix of, and the others behind."""
    found = [one for one in _held(texts) if same(one.entry.value, own)]
    if len(found) != 1:
        raise Refused("{} has {} entries Address={}".format(" and ".join(texts), len(found), own.ip), BY_HAND)
    (held,) = found
    edit = Edit(texts[held.path])
    if held.section.name == "Network":
        edit.before(held.entry.line, "Address={}".format(new[0]))
        edit.after(held.entry.line, *["Address={}".format(one) for one in new[1:]])
    else:
        if any(one.key == "Peer" for one in held.section.entries):
            raise Refused("{} is a point-to-point address".format(own.ip), BY_HAND)
        edit.before(held.section.line, "[Address]", "Address={}".format(new[0]), "")
        for one in new[1:]:
            edit.after(ini.last_line(held.section), "", "[Address]", "Address={}".format(one))
    return {held.path: edit.text}


BY_HAND = "write it as Address=ADDRESS/PREFIX in the [Network] section of the .network file that networkctl status names"
