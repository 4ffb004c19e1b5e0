"""Launch BlueMind on the target with what was copied, where nothing reaches it and it changes nothing.

Runs on the target as root, on Python 3.7 or newer with nothing installed, beside systemd 242 or newer and iproute2:

    launch.py begin ADDRESS FOLDER...   make a network of its own, with the client's address and no way out, and a
                                        layer above each folder, into which alone is written
    launch.py view LINE                 do a line that sees these layers, with the server's own network
    launch.py inside LINE               do a line that sees these layers and that network
    launch.py start LINE                start PostgreSQL there, do a line inside, start BlueMind
    launch.py outside                   print the processes of it that have another network
    launch.py stop                      stop BlueMind
    launch.py end                       stop what runs, and throw layers and network away; whatever is there of them

Units get network and layers by drop-ins below /run, so that a restart of the server leaves nothing of them; systemd
binds the layers over the folders for these units alone: all others see the folders as they are. A unit of its own ends
the launch as soon as the run that holds the server's lock gives no sign of life.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from typing import Dict, Iterator, List, Sequence

NAME = "bmnb-launch"
PLACE = f"/run/{NAME}"
LAYERS = "/var/lib/bmnb/launch"
"""Beside the copied data, where there is room; in memory where this file system cannot hold a layer."""
NETWORK = f"/run/netns/{NAME}"
UNITS = "/run/systemd/system"
DROP_IN = f"{NAME}.conf"
LOCK, NOBODY = "/var/lib/bmnb/lock", "nobody now"
SILENT_SECONDS, LOOK_SECONDS, PATIENCE = 60, 2, 300
SYSTEMD = 242
"""From this version on a unit can be given a network (NetworkNamespacePath=)."""


def call(*words: str) -> None:
    subprocess.run(words, check=True, stdout=sys.stderr)


def told(*words: str) -> str:
    return subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout.decode()


def show(unit: str, *properties: str) -> List[str]:
    return told("systemctl", "show", "--value", *(f"--property={one}" for one in properties), unit).split()


def is_active(unit: str) -> bool:
    return subprocess.run(["systemctl", "is-active", "--quiet", unit], check=False).returncode == 0


def begin(address: str, folders: Sequence[str]) -> None:
    end()
    version = int(told("systemctl", "--version").split()[1].split(".")[0])
    if version < SYSTEMD:
        sys.exit(f"systemd {version}: it can give units no network of their own before {SYSTEMD}")
    os.makedirs(PLACE, mode=0o700)
    shutil.copy(os.path.abspath(__file__), program())
    ended = [f"--property=ExecStopPost=python3 {program()} end-layers", "--property=TimeoutStopSec=15min"]
    call("systemd-run", "--quiet", "--collect", f"--unit={NAME}", *ended, "python3", program(), "watch")
    postgresql = told("runuser", "-u", "postgres", "--", "psql", "-XAtc", "SHOW data_directory").strip()
    places = list(places_of([*folders, postgresql, *tablespaces(postgresql)]))
    call("systemctl", "stop", "postgresql", "postgresql@*")
    binds = [f"{layer(number, place)}:{place}" for number, place in enumerate(places)]
    call("ip", "netns", "add", NAME)
    call("ip", "-n", NAME, "link", "set", "lo", "up")
    call("ip", "-n", NAME, "address", "add", f"{address}/32", "dev", "lo")
    with open(f"{PLACE}/binds", "w") as file:
        json.dump(binds, file)
    cut_off = units()
    for unit in cut_off:
        add(unit, ["[Service]", *properties()])
    for unit in told("systemctl", "list-unit-files", "--no-legend", "postfix*").splitlines():
        add(unit.split()[0], ["[Unit]", f"ConditionPathExists=!{PLACE}"])
    call("systemctl", "daemon-reload")
    open_ = [unit for unit in cut_off if show(unit, "NetworkNamespacePath") != [NETWORK]]
    if open_:
        sys.exit(f"systemd would give them the server's own network: {', '.join(open_)}")
    with open(f"{PLACE}/units", "w") as file:
        json.dump(cut_off, file)
    print(json.dumps({"services": len(cut_off), "folders": len(binds)}))


def program() -> str:
    return f"{PLACE}/launch.py"


def tablespaces(postgresql: str) -> List[str]:
    links = f"{postgresql}/pg_tblspc"
    return [os.path.realpath(f"{links}/{name}") for name in os.listdir(links)]


def places_of(folders: Sequence[str]) -> Iterator[str]:
    """Where the folders are, and what is mounted below, which a layer does not see."""
    mounted = told("findmnt", "--raw", "--noheadings", "--output=TARGET").splitlines()
    for place in sorted({os.path.realpath(one) for one in folders if os.path.isdir(one)}):
        yield place
        yield from sorted({one for one in mounted if one.startswith(f"{place}/")})


def layer(number: int, place: str) -> str:
    """Mount a layer above a folder; return where."""
    for above in (LAYERS, f"{PLACE}/layers"):
        parts = [f"{above}/{number}/{part}" for part in ("new", "work")]
        for part in parts:
            os.makedirs(part, mode=0o700, exist_ok=True)
        found = os.stat(place)
        os.chown(parts[0], found.st_uid, found.st_gid)
        shutil.copystat(place, parts[0])  # the folder itself is taken from its layer
        at = f"{PLACE}/at/{number}"
        os.makedirs(at, exist_ok=True)
        options = "lowerdir={},upperdir={},workdir={}".format(place.replace(":", "\\:"), *parts)
        mounted = subprocess.run(["mount", "-t", "overlay", NAME, "-o", options, at], check=False)
        if mounted.returncode == 0:
            return at
    sys.exit(f"no layer can be laid above {place}")


def properties() -> List[str]:
    with open(f"{PLACE}/binds") as file:
        return [f"NetworkNamespacePath={NETWORK}", *(f"BindPaths={one}" for one in json.load(file))]


def units() -> List[str]:
    """The services that come with BlueMind, and those that these want; what runs already is not of them."""
    found: Dict[str, bool] = {}
    waiting = ["bluemind.target"]
    while waiting:
        unit = waiting.pop()
        for other in show(unit, "Wants", "Requires", "BindsTo", "ConsistsOf"):
            if other not in found and (other.endswith(".service") or other.startswith("bluemind")):
                found[other] = other.endswith(".service") and not is_active(other)
                if found[other] or not other.endswith(".service"):
                    waiting.append(other)
    return sorted(unit for unit, wanted in found.items() if wanted)


def add(unit: str, lines: Sequence[str]) -> None:
    folder = f"{UNITS}/{unit}.d"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{DROP_IN}", "w") as file:
        file.write("\n".join([*lines, ""]))


def within(line: str, cut_off: bool) -> "subprocess.CompletedProcess[bytes]":
    given = [f"--property={one}" for one in properties()[0 if cut_off else 1 :]]
    # as an argument systemd would put its own variables and specifiers in for $ and %
    with open(f"{PLACE}/line", "w") as file:
        file.write(line)
    words = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", *given, "bash", file.name]
    return subprocess.run(words, check=False)


def start(line: str) -> None:
    began = time.monotonic()
    call("systemctl", "start", "postgresql")
    asked = ["runuser", "-u", "postgres", "--", "psql", "-XAtc", "SELECT 1"]
    while subprocess.run(asked, check=False, stdout=subprocess.DEVNULL).returncode:
        if time.monotonic() > began + PATIENCE:
            sys.exit("PostgreSQL does not start")
        time.sleep(0.5)
    if within(line, True).returncode:
        sys.exit("the databases could not be put in place")
    began = time.monotonic()
    call("bmctl", "start")
    print(json.dumps({"start seconds": round(time.monotonic() - began, 1)}))


def outside() -> None:
    network = os.stat(NETWORK).st_ino
    with open(f"{PLACE}/units") as file:
        for unit in json.load(file):
            for group in show(unit, "ControlGroup"):
                for process in processes(group):
                    try:
                        if os.stat(f"/proc/{process}/ns/net").st_ino != network:
                            print(f"{unit}: process {process}")
                    except FileNotFoundError:
                        continue  # it has ended


def processes(group: str) -> Iterator[str]:
    """Those of a control group, and of the groups below."""
    for top in ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd"):
        for folder, _, names in os.walk(top + group):
            if "cgroup.procs" in names:
                with open(f"{folder}/cgroup.procs") as file:
                    yield from file.read().split()


def stop() -> None:
    began = time.monotonic()
    call("bmctl", "stop")
    print(json.dumps({"stop seconds": round(time.monotonic() - began, 1)}))


def end() -> None:
    """The watching unit does it when it is stopped, so that only one does at a time."""
    if is_active(NAME):
        call("systemctl", "stop", NAME)
    end_layers()


def end_layers() -> None:
    if os.path.isdir(PLACE):
        if os.path.exists(f"{PLACE}/binds"):
            call("bmctl", "stop")
        with_drop_in = [
            name[:-2] for name in os.listdir(UNITS) if os.path.exists(f"{UNITS}/{name}/{DROP_IN}")
        ]
        services = [unit for unit in with_drop_in if not unit.startswith("postfix") and "@." not in unit]
        call("systemctl", "stop", "postgresql", "postgresql@*", *services)
        for unit in with_drop_in:
            os.unlink(f"{UNITS}/{unit}.d/{DROP_IN}")
            if not os.listdir(f"{UNITS}/{unit}.d"):
                os.rmdir(f"{UNITS}/{unit}.d")
        call("systemctl", "daemon-reload")
        for at in reversed(mounts()):
            call("umount", at)
        if os.path.exists(NETWORK):
            call("ip", "netns", "delete", NAME)
        call("systemctl", "start", "postgresql")
        shutil.rmtree(PLACE)
    if os.path.isdir(LAYERS):
        shutil.rmtree(LAYERS)


def mounts() -> List[str]:
    listed = told("findmnt", "--raw", "--noheadings", "--output=TARGET").splitlines()
    return [one for one in listed if one.startswith(f"{PLACE}/at/")]


def watch() -> None:
    """Until the run that holds the server's lock has left it, or is silent."""
    while True:
        time.sleep(LOOK_SECONDS)
        try:
            with open(LOCK) as file:
                holder = file.read().splitlines()[1]
            if holder == NOBODY or time.time() - os.stat(LOCK).st_mtime > SILENT_SECONDS:
                return
        except (FileNotFoundError, IndexError):
            return


def main() -> None:
    verb, *words = sys.argv[1:]
    if verb == "begin":
        begin(words[0], words[1:])
    elif verb in ("view", "inside"):
        sys.exit(within(words[0], verb == "inside").returncode)
    elif verb == "start":
        start(words[0])
    else:
        {"outside": outside, "stop": stop, "end": end, "end-layers": end_layers, "watch": watch}[verb]()


if __name__ == "__main__":
    main()
