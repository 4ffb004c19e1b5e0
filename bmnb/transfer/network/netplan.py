"""netplan's YAML, changed at the places where its parser says that a value stands; comments and quotes stay."""

import re
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from .edit import MARK, Refused
from .values import Interface, among, interface, is_cut_off, same

Held = NamedTuple("Held", [("path", str), ("device", str), ("list", Any), ("number", int), ("item", Any)])
Span = Tuple[int, int, str]
"""From, to, and what stands there then."""


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise Refused("Python on this server has no YAML", "apt install python3-yaml") from None
    return yaml


def _map(node: Any) -> Dict[str, Any]:
    yaml = _yaml()
    return {key.value: value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}


def parse(text: str) -> None:
    """Raise Refused where it is no YAML."""
    yaml = _yaml()
    try:
        yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Refused(" ".join(str(error).split()), "correct that file") from None


def _devices(text: str) -> Iterator[Tuple[str, Any]]:
    """Each device, as its kind and its name, with its node of the text."""
    root = _yaml().compose(text)
    for kind, devices in sorted(_map(_map(root).get("network")).items()):
        for name, device in _map(devices).items():
            yield "{} {}".format(kind, name), device


def _value(item: Any) -> str:
    """An item of `addresses` is a scalar, or a mapping with the address as its one key."""
    return str(next(iter(_map(item)), "") if _map(item) else item.value)


def _held(texts: Dict[str, str]) -> List[Held]:
    found = []  # type: List[Held]
    for path, text in texts.items():
        for name, device in _devices(text):
            listed = _map(device).get("addresses")
            items = listed.value if isinstance(listed, _yaml().SequenceNode) else []
            found += [Held(path, name, listed, number, item) for number, item in enumerate(items)]
    return found


def addresses(texts: Dict[str, str]) -> List[Interface]:
    return [one for one in (interface(_value(held.item)) for held in _held(texts)) if one is not None]


def off(texts: Dict[str, str], gone: Sequence[Interface]) -> Dict[str, str]:
    spans = {path: [] for path in texts}  # type: Dict[str, List[Span]]
    held = _held(texts)
    for address in gone:
        found = [one for one in held if same(_value(one.item), address)]
        if len(found) != 1:
            raise Refused(
                "{} places of {} have {}".format(len(found), " and ".join(texts), address.ip), BY_HAND
            )
    leave = [one for one in held if among(_value(one.item), gone)]
    kept = [one for one in addresses(texts) if not among(str(one.ip), gone)]
    for path in texts:
        for name, device in _devices(texts[path]):
            numbers = [one.number for one in leave if (one.path, one.device) == (path, name)]
            if numbers:
                spans[path] += _without(texts[path], device, "addresses", numbers)
            spans[path] += _ways_out(texts[path], device, gone, kept)
    changed = {path: _spliced(texts[path], found) for path, found in spans.items() if found}
    _read_back(texts, changed, gone, [])
    return changed


def over(texts: Dict[str, str], own: Interface, new: Sequence[Interface]) -> Dict[str, str]:
    """With the first new address before the own one, and the others behind it."""
    found = [one for one in _held(texts) if same(_value(one.item), own)]
    if len(found) != 1:
        raise Refused("{} places of {} have {}".format(len(found), " and ".join(texts), own.ip), BY_HAND)
    (held,) = found
    text = texts[held.path]
    if held.list.flow_style:
        before, behind = (
            "{}, ".format(_quoted(new[0])),
            "".join(", {}".format(_quoted(one)) for one in new[1:]),
        )
    else:
        start = text.rfind("\n", 0, held.item.start_mark.index) + 1
        lead = text[start : held.item.start_mark.index]
        if lead.strip() != "-":
            raise Refused("{}: the list that {} is in".format(held.path, own.ip), BY_HAND)
        before = "{}\n{}".format(_quoted(new[0]), lead)
        behind = "".join("\n{}{}".format(lead, _quoted(one)) for one in new[1:])
    first, last = held.item.start_mark.index, _end(text, held.item)
    if not held.list.flow_style:
        # a comment behind it stays on its line
        ends = text.find("\n", last)
        last = len(text) if ends < 0 else ends
    changed = {held.path: _spliced(text, [(first, first, before), (last, last, behind)])}
    _read_back(texts, changed, [], new)
    return changed


def _quoted(address: Interface) -> str:
    return '"{}"'.format(address)


def _end(text: str, node: Any) -> int:
    """Where a node ends; a block mapping's end mark is at the next token."""
    last = node.end_mark.index
    return len(text[:last].rstrip()) if _map(node) and not node.flow_style else last


def _without(text: str, device: Any, key: str, numbers: Sequence[int]) -> List[Span]:
    """A list without some of its items; one without any is written as []."""
    listed = _map(device)[key]
    items = listed.value
    if len(numbers) == len(items):
        if listed.flow_style:
            return [(listed.start_mark.index, listed.end_mark.index, "[]")]
        ends = next(one.end_mark.index for one, value in device.value if value is listed)
        colon = text.find(":", ends) + 1
        return [(colon, colon, " []")] + [_aside(text, items[number]) for number in numbers]
    if not listed.flow_style:
        return [_aside(text, items[number]) for number in numbers]
    stay = [one for number, one in enumerate(items) if number not in numbers]
    kept = ", ".join(text[one.start_mark.index : _end(text, one)] for one in stay)
    return [(listed.start_mark.index, listed.end_mark.index, "[" + kept + "]")]


def _aside(text: str, node: Any) -> Span:
    """Comments of the lines that a node is on."""
    first = text.rfind("\n", 0, node.start_mark.index) + 1
    last = text.find("\n", max(node.start_mark.index, len(text[: node.end_mark.index].rstrip())))
    last = len(text) if last < 0 else last
    return first, last, re.sub("^", MARK, text[first:last], flags=re.MULTILINE)


def _ways_out(text: str, device: Any, gone: Sequence[Interface], kept: Sequence[Interface]) -> Iterator[Span]:
    """The routes that nothing leads to any more."""
    values = _map(device)
    for key in ("gateway4", "gateway6"):
        if key in values and is_cut_off(values[key].value, gone, kept):
            yield _aside(text, values[key])
    routes = values.get("routes")
    items = routes.value if isinstance(routes, _yaml().SequenceNode) else []
    cut = [
        number
        for number, one in enumerate(items)
        if "via" in _map(one) and is_cut_off(_map(one)["via"].value, gone, kept)
    ]
    if cut:
        for span in _without(text, device, "routes", cut):
            yield span


def _spliced(text: str, spans: Sequence[Span]) -> str:
    for first, last, said in sorted(spans, reverse=True):
        text = text[:first] + said + text[last:]
    return text


def _read_back(
    texts: Dict[str, str], changed: Dict[str, str], gone: Sequence[Interface], new: Sequence[Interface]
) -> None:
    """Nothing but the addresses, and ways out, has changed."""
    yaml = _yaml()
    for path, text in changed.items():
        try:
            before, after = (_bare(yaml.safe_load(one)) for one in (texts[path], text))
        except yaml.YAMLError as error:
            raise Refused("{} would be no YAML: {}".format(path, error), BY_HAND) from None
        if before != after:
            raise Refused("{}: more would change than the address".format(path), BY_HAND)
    wanted = [one.ip for one in addresses(texts) if not among(str(one.ip), gone)] + [one.ip for one in new]
    there = [one.ip for one in addresses(dict(texts, **changed))]
    if sorted(map(str, wanted)) != sorted(map(str, there)):
        raise Refused("{}: other addresses than wanted would be there".format(" and ".join(changed)), BY_HAND)


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        left = ("addresses", "gateway4", "gateway6", "routes")
        return {key: _bare(one) for key, one in value.items() if key not in left}
    return value


BY_HAND = "write it as an item of `addresses` of one device, in one file of /etc/netplan"
