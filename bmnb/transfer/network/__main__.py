"""Run on a server as root, as `python3 -m network`, in the folder that this one is in; Python from 3.5 on.

    check off|over ADDRESS     what would change, tried in a folder of its own, as a JSON object
    moving FOLDER ADDRESS      the addresses of IPv6 that go with it, one a line
    off FOLDER ADDRESS         take the address off this server, now and in its configuration
    back FOLDER                undo that
    over FOLDER ADDRESS        give it to this server, and what stands in `moving` in FOLDER
    up FOLDER                  undo that

`network-off.json` and `network-over.json` in FOLDER keep what was changed, before it is.
"""

import json
import os
import sys
from typing import Any, Dict, List, Sequence

from . import plan, running, system, writing
from .edit import Refused
from .plan import Plan
from .system import Source
from .values import Interface, interface


def read(text: str) -> Interface:
    found = interface(text)
    if found is None:
        raise Refused("{!r} is no address".format(text), "give one as 192.0.2.10")
    return found


def check(way: str, address: Interface) -> Dict[str, Any]:
    try:
        found = plan.off(address) if way == "off" else plan.over(address)
        told = {
            "rows": list(plan.told(found, "origin" if way == "off" else "target")),
            "moving": [str(one) for one in found.moving[1:]],
            "named": system.managed(found.source, list(found.changed)),
        }  # type: Dict[str, Any]
        if way == "off":
            return dict(told, named=told["named"] + plan.named_elsewhere(found))
        here = [one for one in running.held(found.source.device) if one.address.version == 6]
        return dict(
            told,
            networks=[str(one.address.network) for one in here],
            six=plan.sixes_can_come(address),
            sixes=[str(one.address.ip) for one in here if one.scope == "global"],
        )
    except Refused as error:
        return {"refused": str(error), "remedy": error.remedy}


def moving(folder: str, address: Interface) -> List[str]:
    kept = writing.kept(state(folder, "off"))
    found = kept["moving"] if kept else [str(one) for one in plan.off(address).moving]
    return [str(one) for one in found[1:]]


def state(folder: str, way: str) -> str:
    return os.path.join(folder, "network-{}.json".format(way))


def kept(path: str, found: Plan) -> Dict[str, Any]:
    """What is to be taken back; it is written before anything is changed."""
    before = {name: found.source.texts[name] for name in found.changed}
    told = {
        "device": found.source.device,
        "kind": found.source.kind,
        "by": found.source.by,
        "moving": [str(one) for one in found.moving],
        "own": [str(one) for one in found.own],
        "first": running.of_network(found.source.device, found.moving[0])[:1] == found.moving[:1],
        "ways": running.ways(),
        "before": writing.packed(before),
        "after": writing.packed(found.changed),
    }
    writing.keep(path, told)
    return told


def follow(told: Dict[str, Any], before: Sequence[running.Held]) -> float:
    """Have the system read the files again; how many seconds it may take to act on that."""
    reads = running.follow(Source(told["kind"], told["device"], [], {}, told["by"], ""))
    running.stay_beside(before)
    return running.SETTLED_SECONDS if reads else 0.0


def off(folder: str, address: Interface) -> None:
    path = state(folder, "off")
    told = writing.kept(path) or kept(path, plan.off(address))
    gone, before = [read(one) for one in told["moving"]], running.held()
    writing.write(writing.unpacked(told["before"]), writing.unpacked(told["after"]))
    running.drop(gone)
    seconds = follow(told, before)
    running.stay_off(gone, seconds)
    running.stay_beside(before)
    running.put_ways(told["ways"])


def over(folder: str, address: Interface) -> None:
    path, given, before = state(folder, "over"), os.path.join(folder, "moving"), running.held()
    more = [read(line) for line in system.read(given).split()] if os.path.exists(given) else []
    told = writing.kept(path) or kept(path, plan.over(address, more))
    new = [read(one) for one in told["moving"]]
    writing.write(writing.unpacked(told["before"]), writing.unpacked(told["after"]))
    running.add(told["device"], new)
    running.make_first(told["device"], new[0])
    running.put_ways(told["ways"])
    running.announce(told["device"], new)
    seconds = follow(told, before)
    running.stay_on(told["device"], new + [read(one) for one in told["own"]], True, seconds)
    running.stay_beside(before)
    running.put_ways(told["ways"])
    running.announce(told["device"], new)


def back(folder: str) -> None:
    """Where the server had lost nothing, nothing is done."""
    path = state(folder, "off")
    told = writing.kept(path)
    if told is None:
        return
    before = running.held()
    writing.take_back(writing.unpacked(told["before"]), writing.unpacked(told["after"]))
    device, came = told["device"], [read(one) for one in told["moving"]]
    running.do("ip", "link", "set", device, "up")
    seconds = follow(told, before)
    running.stay_on(device, came, told["first"], seconds)
    running.stay_beside(before, running.SETTLED_BACK_SECONDS if seconds else 0.0)
    running.put_ways(told["ways"])
    running.announce(device, came)
    os.unlink(path)


def up(folder: str) -> None:
    """Where the server had got nothing, nothing is done."""
    path = state(folder, "over")
    told = writing.kept(path)
    if told is None:
        return
    before = running.held()
    writing.take_back(writing.unpacked(told["before"]), writing.unpacked(told["after"]))
    gone, own = [read(one) for one in told["moving"]], [read(one) for one in told["own"]]
    running.add(told["device"], own)
    running.drop(gone)
    running.add(told["device"], own)
    seconds = follow(told, before)
    running.stay_off(gone, seconds)
    running.stay_on(told["device"], own, False, 0.0)
    running.stay_beside(before, running.SETTLED_BACK_SECONDS if seconds else 0.0)
    running.put_ways(told["ways"])
    os.unlink(path)


def main() -> None:
    command, *words = sys.argv[1:]
    try:
        if command == "check":
            print(json.dumps(check(words[0], read(words[1]))))
        elif command == "moving":
            print("\n".join(moving(words[0], read(words[1]))))
        elif command in ("off", "over"):
            {"off": off, "over": over}[command](words[0], read(words[1]))
        else:
            {"back": back, "up": up}[command](words[0])
    except Refused as error:
        sys.exit("{}\n  → {}".format(error, error.remedy))


if __name__ == "__main__":
    main()
