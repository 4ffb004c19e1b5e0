"""The seal of a run: sums of its files as a line of the journal and in SHA256SUMS, signed with an SSH key if given.

Anyone can check it without our software: `sha256sum -c SHA256SUMS`, and `ssh-keygen -Y verify`.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bmnb.errors import InputError
from bmnb.files import replace_text
from bmnb.journal import Journal

JOURNAL, SUMS, SIGNATURE = "journal.jsonl", "SHA256SUMS", "SHA256SUMS.sig"
NAMESPACE = "bmnb"
HEAD = re.compile(r'<code data-line="(\d+)" id="head">([0-9a-f]{64})</code>')


def seal(folder: Path, key: Path | None = None) -> None:
    """Seal the files of a run as they are. Raise InputError where the key cannot sign."""
    sums = dict(_sums(folder))
    Journal(folder / JOURNAL).write("sealed", files=sums)
    sums[JOURNAL] = _sum(folder / JOURNAL)
    replace_text(folder / SUMS, _listed(sums))
    (folder / SIGNATURE).unlink(missing_ok=True)
    if key:
        _ssh_keygen("sign", "-f", str(key.expanduser()), "-n", NAMESPACE, str(folder / SUMS))


def problems(folder: Path, signers: Path | None = None) -> Iterator[str]:
    """What does not belong to the run, or was changed, each in one line; nothing where all holds.

    `signers` is an allowed-signers file of ssh-keygen; without it a signature is checked by the key that
    it brings. Raise BmnbError where the journal's chain is broken.
    """
    journal = Journal(folder / JOURNAL)
    if journal.torn:
        yield f"{JOURNAL}: its last line has no end, after a crash or a change"
    yield from _reports(folder, journal)
    sealed = journal.last("sealed")
    if sealed is None:
        if (folder / SUMS).exists():
            yield f"{JOURNAL}: the line of the seal is missing"
        return
    if sealed is not journal.lines[-1]:
        return
    found, wanted = dict(_sums(folder)), dict(sealed["files"])
    yield from (f"{name}: missing" for name in wanted if name not in found)
    yield from (f"{name}: does not belong to the run" for name in found if name not in wanted)
    yield from (f"{name}: changed" for name in wanted if name in found and found[name] != wanted[name])
    yield from _sums_file(folder, {**wanted, JOURNAL: _sum(folder / JOURNAL)})
    yield from _signature(folder, signers)


def after_seal(folder: Path) -> int | None:
    """How many lines the journal has after its last seal; None where it was never sealed."""
    lines = Journal(folder / JOURNAL).lines
    sealed = [line["number"] for line in lines if line["event"] == "sealed"]
    return len(lines) - sealed[-1] if sealed else None


def _reports(folder: Path, journal: Journal) -> Iterator[str]:
    """Reports whose head of the chain is not in this journal."""
    sums = {str(line["number"]): line["sha256"] for line in journal.lines}
    for path in sorted(folder.glob("report*.html")):
        head = HEAD.search(path.read_text(encoding="utf-8", errors="replace"))
        if head is None or sums.get(head[1]) != head[2]:
            yield f"{path.name}: made from another journal"


def _sums_file(folder: Path, wanted: dict[str, str]) -> Iterator[str]:
    found = (folder / SUMS).read_bytes() if (folder / SUMS).exists() else b""
    if found != _listed(wanted).encode():
        yield f"{SUMS}: not the sums of this run"


def _listed(sums: dict[str, str]) -> str:
    """The sums as sha256sum writes and reads them."""
    return "".join(f"{value}  {name}\n" for name, value in sorted(sums.items()))


def _signature(folder: Path, signers: Path | None) -> Iterator[str]:
    if not (folder / SIGNATURE).exists():
        if signers:
            yield f"{SIGNATURE}: missing, the run is not signed"
        return
    try:
        signature = ("-n", NAMESPACE, "-s", str(folder / SIGNATURE))
        if signers is None:
            _ssh_keygen("check-novalidate", *signature, stdin=folder / SUMS)
            return
        who = _ssh_keygen("find-principals", "-f", str(signers), "-s", str(folder / SIGNATURE)).split()
        _ssh_keygen("verify", "-f", str(signers), "-I", who[0], *signature, stdin=folder / SUMS)
    except InputError as error:
        yield f"{SIGNATURE}: {error}"


def _ssh_keygen(action: str, *arguments: str, stdin: Path | None = None) -> str:
    """What ssh-keygen prints. Raise InputError with its message where it refuses."""
    data = stdin.read_bytes() if stdin else b""
    done = subprocess.run(["ssh-keygen", "-Y", action, *arguments], input=data, capture_output=True)
    if done.returncode != 0:
        said = (done.stderr + done.stdout).decode(errors="replace").strip().splitlines()
        raise InputError(f"ssh-keygen -Y {action}: {said[-1] if said else done.returncode}")
    return done.stdout.decode()


def _sums(folder: Path) -> Iterator[tuple[str, str]]:
    """(path in the folder, SHA-256) of each file that a seal covers."""
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and name not in (JOURNAL, SUMS, SIGNATURE) and "/." not in f"/{name}":
            yield name, _sum(path)


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
