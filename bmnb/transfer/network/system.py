"""Which system configures an interface, and from which files."""

import glob
import os
import re
import shutil
import subprocess
from typing import Any, Dict, List, NamedTuple, Sequence

from . import ifcfg, ini, interfaces, keyfile, netplan, units
from .edit import Refused, of
from .values import Interface

IFUPDOWN, NETWORKD, NETPLAN = "ifupdown", "systemd-networkd", "netplan"
NETWORKMANAGER, IFCFG = "NetworkManager", "ifcfg"
NETPLAN_FOLDERS = ("/lib/netplan", "/etc/netplan", "/run/netplan")

Source = NamedTuple(
    "Source",
    [
        ("kind", str),
        ("device", str),
        ("names", List[str]),
        ("texts", Dict[str, str]),
        ("by", str),
        ("uuid", str),
    ],
)
"""`texts` are the files by their paths; `names` what ifupdown calls the interface; `by` who does what netplan
says; `uuid` is NetworkManager's of the connection."""


def ask(*command: str) -> str:
    """What a program says; nothing where it is not there, or fails."""
    if not shutil.which(command[0]):
        return ""
    english = dict(os.environ, LC_ALL="C.UTF-8")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=english)
    return done.stdout.decode(errors="surrogateescape") if done.returncode == 0 else ""


def read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def source_of(device: str) -> Source:
    """The one system that has configured this interface."""
    found = _by_networkmanager(device) + _by_networkd(device) + _by_ifupdown(device)
    found = found or _by_scripts(device)
    if len(found) != 1:
        who = " and ".join("{} ({})".format(one.kind, ", ".join(one.texts)) for one in found)
        what = "{} is configured by {}".format(device, who or "no system that is understood")
        raise Refused(
            what, "let one system alone configure it: ifupdown, systemd-networkd, netplan or NetworkManager"
        )
    return found[0]


def _source(
    kind: str, device: str, paths: Sequence[str], names: Sequence[str] = (), by: str = "", uuid: str = ""
) -> Source:
    texts = {path: read(path) for path in paths}
    parse = {IFUPDOWN: interfaces.parse, NETPLAN: netplan.parse, IFCFG: ifcfg.parse}.get(kind, ini.parse)
    for path, text in texts.items():
        with of(path):
            parse(text)
    return Source(kind, device, list(names), texts, by, uuid)


def _by_networkmanager(device: str) -> List[Source]:
    state = ask("nmcli", "-t", "-f", "GENERAL.STATE,GENERAL.CON-UUID", "device", "show", device)
    given = dict(line.split(":", 1) for line in state.splitlines() if ":" in line)
    if not given.get("GENERAL.STATE", "").startswith("100 ") or "externally" in given["GENERAL.STATE"]:
        return []
    uuid = given.get("GENERAL.CON-UUID", "")
    listed = [
        line.split(":", 1)
        for line in ask("nmcli", "-t", "-f", "UUID,FILENAME", "connection", "show").splitlines()
    ]
    path = next((name.replace("\\:", ":") for one, name in listed if one == uuid), "")
    if os.path.basename(path).startswith("netplan-"):
        return [_source(NETPLAN, device, netplan_files(), by=NETWORKMANAGER, uuid=uuid)]
    kind = IFCFG if os.path.basename(path).startswith("ifcfg-") else NETWORKMANAGER
    if not path.startswith("/etc/"):
        raise Refused(
            "the connection of {} is not in a file below /etc: {}".format(device, path or uuid),
            "save it with nmcli connection modify, with static addresses",
        )
    return [_source(kind, device, [path], by=NETWORKMANAGER, uuid=uuid)]


def _by_networkd(device: str) -> List[Source]:
    place = "/sys/class/net/{}/ifindex".format(device)
    state = "/run/systemd/netif/links/{}".format(read(place).strip()) if os.path.exists(place) else ""
    if not os.path.exists(state):
        return []
    given = dict(line.split("=", 1) for line in read(state).splitlines() if "=" in line)
    path = given.get("NETWORK_FILE", "")
    if given.get("ADMIN_STATE") == "unmanaged" or not path:
        return []
    if os.path.basename(path).startswith("10-netplan-") and path.startswith("/run/"):
        return [_source(NETPLAN, device, netplan_files(), by=NETWORKD)]
    dropins = {}  # type: Dict[str, str]
    for folder in ("/usr/lib", "/lib", "/usr/local/lib", "/run", "/etc"):
        for one in glob.glob("{}/systemd/network/{}.d/*.conf".format(folder, os.path.basename(path))):
            dropins[os.path.basename(one)] = one
    return [_source(NETWORKD, device, [path] + [dropins[name] for name in sorted(dropins)])]


def netplan_files() -> List[str]:
    """Of files with one name the last folder's counts; all are read in the order of their names."""
    found = {}  # type: Dict[str, str]
    for folder in NETPLAN_FOLDERS:
        for path in glob.glob(folder + "/*.yaml"):
            found[os.path.basename(path)] = path
    return [found[name] for name in sorted(found)]


def _by_ifupdown(device: str) -> List[Source]:
    up = [line.split("=", 1) for line in ask("ifquery", "--state").splitlines() if "=" in line]
    names = [name for one, name in up if one.partition(":")[0] == device]
    if not names or not os.path.exists(interfaces.MAIN):
        return []
    found = _source(IFUPDOWN, device, list(dict.fromkeys(interfaces.named(read))), names)
    every = [
        stanza for text in found.texts.values() for stanza in interfaces.parse(text) if stanza.kind == "iface"
    ]
    # NetworkManager and networkd may have what ifupdown only brings up
    methods = {
        one.words[2] for one in every if len(one.words) > 2 and one.words[0].partition(":")[0] in names
    }
    return [found] if methods - {"manual"} else []


def _by_scripts(device: str) -> List[Source]:
    path = "/etc/sysconfig/network-scripts/ifcfg-" + device
    return [_source(IFCFG, device, [path])] if os.path.exists(path) else []


def addresses(source: Source) -> List[Interface]:
    """What the files say."""
    if source.kind == IFUPDOWN:
        return interfaces.addresses(source.texts, source.names)
    found = _editor(source).addresses(source.texts)  # type: List[Interface]
    return found


def without(source: Source, gone: Sequence[Interface]) -> Dict[str, str]:
    """The files that change, as they are without these addresses."""
    if source.kind == IFUPDOWN:
        return interfaces.off(source.texts, source.names, gone)
    found = _editor(source).off(source.texts, gone)  # type: Dict[str, str]
    return found


def with_first(source: Source, own: Interface, new: Sequence[Interface]) -> Dict[str, str]:
    """The files that change, as they are with these addresses, the first of them before the own one."""
    if source.kind == IFUPDOWN:
        return interfaces.over(source.texts, source.names, own, new)
    found = _editor(source).over(source.texts, own, new)  # type: Dict[str, str]
    return found


def _editor(source: Source) -> Any:
    return {NETWORKD: units, NETPLAN: netplan, NETWORKMANAGER: keyfile, IFCFG: ifcfg}[source.kind]


def assert_stays(source: Source, changed: Sequence[str]) -> None:
    """These files can be written, and nothing is known to write them anew."""
    for path in changed:
        real = os.path.realpath(path)
        if not real.startswith("/etc/"):
            raise Refused(
                "{} is not below /etc: what makes it makes it again".format(path),
                "copy it to the folder of the same name below /etc, where it takes its place",
            )
        try:
            os.close(os.open(real, os.O_RDWR))
        except OSError as error:
            raise Refused(
                "{} can't be written: {}".format(path, error.strerror), "see lsattr and mount"
            ) from None
        text = source.texts[path]
        by_cloud = "cloud-init" in os.path.basename(path) or re.search(
            r"^\s*#.*cloud-init", text, re.MULTILINE
        )
        if by_cloud and not _cloud_init_is_off():
            raise Refused(
                "{} is written by cloud-init, which may write it anew when the server starts".format(path),
                "echo 'network: {config: disabled}' > /etc/cloud/cloud.cfg.d/99-disable-network-config.cfg",
            )
        keep = os.path.join(os.path.dirname(path), ".pve-ignore." + os.path.basename(path))
        if os.path.exists(PVE) and "--- BEGIN PVE ---" in read(PVE) and not os.path.exists(keep):
            raise Refused(
                "{} is written by Proxmox VE when the container starts".format(path),
                "touch {}; or give the container its address there".format(keep),
            )


PVE = "/etc/hosts"
"""Proxmox VE marks what it writes there into a container."""
MANAGED = re.compile(
    r"^\s*[#;].*(managed by|ansible managed|(generated|maintained) by|do not edit).*$",
    re.IGNORECASE | re.MULTILINE,
)


def managed(source: Source, changed: Sequence[str]) -> List[Dict[str, str]]:
    """Files that say that a program writes them."""
    found = [(path, MANAGED.search(source.texts[path])) for path in changed]
    return [{"item": path, "line": said.group(0).strip()} for path, said in found if said]


CLOUD = "/etc/cloud"
OFF = r"^network:\s*(\{\s*|\n\s+)[\"']?config[\"']?:\s*[\"']?disabled\b"


def _cloud_init_is_off() -> bool:
    """Whether it is not there, or is told to leave the network, or all, alone."""
    if os.path.exists(CLOUD + "/cloud-init.disabled") or not os.path.exists(CLOUD):
        return True
    paths = [CLOUD + "/cloud.cfg", *sorted(glob.glob(CLOUD + "/cloud.cfg.d/*.cfg"))]
    return any(re.search(OFF, read(path), re.MULTILINE) for path in paths if os.path.exists(path))
