"""Trying changed files in a folder of their own, with the programs that will read them."""

import glob
import os
import re
import shutil
import subprocess
import tempfile
from typing import Dict, Iterable

from . import interfaces, system
from .edit import Refused
from .system import Source
from .values import Interface, among


def prove(
    source: Source, changed: Dict[str, str], there: Iterable[Interface], gone: Iterable[Interface]
) -> str:
    """How it was tried that these files have the former addresses and not the latter. Raise Refused where they don't."""
    texts = dict(source.texts, **changed)
    if any(changed[path] == source.texts[path] for path in changed) or not changed:
        raise Refused("nothing would change in {}".format(" and ".join(source.texts)), "change it by hand")
    found = system.addresses(source._replace(texts=texts))
    for one in there:
        if not among(str(one.ip), found):
            raise Refused("{} would not be in {}".format(one.ip, " and ".join(changed)), "add it by hand")
    for one in gone:
        if among(str(one.ip), found):
            raise Refused(
                "{} would still be in {}".format(one.ip, " and ".join(changed)), "take it out by hand"
            )
    with tempfile.TemporaryDirectory() as folder:
        if source.kind == system.IFUPDOWN:
            return _ifquery(source, texts, folder, there, gone)
        if source.kind == system.NETPLAN:
            return _generate(texts, folder, there, gone)
        if source.kind == system.NETWORKMANAGER:
            return _offline(texts)
    return "read back"


def _put(folder: str, path: str, text: str) -> str:
    place = folder + path
    os.makedirs(os.path.dirname(place), exist_ok=True)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
    return place


def _run(*command: str, said: str = "") -> str:
    """What a program says. Raise Refused where it fails."""
    given = said.encode("utf-8", "surrogateescape")
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        told = (
            done.stderr.decode(errors="replace").strip() or "exit status {}".format(done.returncode)
        ).splitlines()
        raise Refused(
            "{} refuses what would be written: {}".format(command[0], told[-1]),
            "change the configuration by hand",
        )
    return done.stdout.decode(errors="surrogateescape") + done.stderr.decode(errors="surrogateescape")


def _has(said: str, there: Iterable[Interface], gone: Iterable[Interface], who: str) -> None:
    words = re.split(r"[^0-9A-Fa-f.:/]+", said)
    for one in there:
        if not any(among(word.strip(":"), [one]) or among(word, [one]) for word in words):
            raise Refused("{} would not give {}".format(who, one.ip), "change the configuration by hand")
    for one in gone:
        if any(among(word.strip(":"), [one]) or among(word, [one]) for word in words):
            raise Refused("{} would still give {}".format(who, one.ip), "change the configuration by hand")


def _ifquery(
    source: Source, texts: Dict[str, str], folder: str, there: Iterable[Interface], gone: Iterable[Interface]
) -> str:
    """All files as one, since a file names others by their paths."""
    one = _put(folder, "/interfaces", _flat(texts, interfaces.MAIN))
    wanted = [
        one if one.partition(":")[0] == source.device else source.device + "=" + one for one in source.names
    ]
    said = "".join(
        _run("ifup", "--no-act", "--force", "--verbose", "-i", one, name) for name in dict.fromkeys(wanted)
    )
    at_start = [
        line
        for line in said.splitlines()
        if not re.match(r"\s*(ip|/sbin/ip|/bin/ip)\b.*\b(del|flush)\b", line)
    ]
    _has("\n".join(at_start), there, gone, "ifup")
    return "ifup --no-act"


def _flat(texts: Dict[str, str], path: str) -> str:
    lines = texts[path].split("\n")
    for stanza in reversed(interfaces.parse(texts[path])):
        if stanza.kind.startswith("source"):
            lines[stanza.first : stanza.last + 1] = ["# " + lines[stanza.first]]
    others = [text for other, text in texts.items() if other != path]
    if path == interfaces.MAIN:
        return "\n".join(["\n".join(lines)] + [_bare(text) for text in others])
    return "\n".join(lines)


def _bare(text: str) -> str:
    return _flat({"": text}, "")


def _generate(
    texts: Dict[str, str], folder: str, there: Iterable[Interface], gone: Iterable[Interface]
) -> str:
    for path, text in texts.items():
        _put(folder, path, text)
    _run("netplan", "generate", "--root-dir", folder)
    places = [folder + "/run/" + one for one in ("systemd/network", "NetworkManager/system-connections")]
    made = [system.read(path) for place in places for path in glob.glob(place + "/*")]
    _has("\n".join(made), there, gone, "netplan generate")
    return "netplan generate"


def _offline(texts: Dict[str, str]) -> str:
    """nmcli reads a connection without a daemon from 1.38 on."""
    numbers = re.search(r"(\d+)\.(\d+)", system.ask("nmcli", "--version"))
    if not shutil.which("nmcli") or numbers is None or tuple(map(int, numbers.groups())) < (1, 38):
        return "read back"
    ((_, text),) = texts.items()
    _run("nmcli", "--offline", "connection", "modify", "connection.autoconnect-retries", "-1", said=text)
    return "nmcli --offline"
