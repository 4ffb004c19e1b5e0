"""The seal of a run: sums of its files as a line of the journal and in SHA256SUMS, signed with an SSH key if given.

Anyone can check it without our software: `sha256sum -c SHA256SUMS`, and `ssh-keygen -Y verify`.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bmnb.errors import InputError
from bmnb.files import replace_text
from bmnb.journal import Journal, Line, encoded

JOURNAL, SUMS, SIGNATURE = "journal.jsonl", "SHA256SUMS", "SHA256SUMS.sig"
NAMESPACE = "bmnb"
FOREIGN = "does not belong to the run"
HEAD = re.compile(r'<code data-line="(\d+)" id="head">([0-9a-f]{64})</code>')


def seal(folder: Path, key: Path | None = None, journal: Journal | None = None) -> None:
    """Seal the files of a run as they are; its `journal` may be read already.

    Raise InputError where the key cannot sign.
    """
    sums = dict(_sums(folder))
    (journal or Journal(folder / JOURNAL)).write("sealed", files=sums, signed=key is not None)
    replace_text(folder / SUMS, _listed({**sums, JOURNAL: _sum(folder / JOURNAL)}))
    (folder / SIGNATURE).unlink(missing_ok=True)
    if key:
        _ssh_keygen("sign", "-f", str(key.expanduser()), "-n", NAMESPACE, str(folder / SUMS))


def problems(folder: Path, signers: Path | None = None, head: str = "") -> Iterator[str]:
    """What does not belong to the run, or was changed, each in one line; nothing where all is as it was sealed.

    `signers` is an allowed-signers file of ssh-keygen, and wants all of the run signed; without it a
    signature is checked by the key that it brings. `head` is a printed sum of the chain. Raise BmnbError
    where the journal's chain is broken, InputError where `head` is no sum.
    """
    journal = Journal(folder / JOURNAL)
    if journal.torn:
        yield f"{JOURNAL}: its last line has no end, after a crash or a change"
    if head:
        yield from _head(journal, head)
    yield from _reports(folder, journal)
    sealed = journal.last("sealed")
    if sealed is None:
        yield from _unsealed(folder, signers)
        return
    after = len(journal.lines) - sealed["number"]
    if signers and after:
        yield f"{JOURNAL}: nobody vouches for its last {after} lines, which came after the seal"
    since = " since the seal" if after else ""
    found, wanted = dict(_sums(folder)), dict(sealed["files"])
    yield from (f"{name}: missing" for name in wanted if name not in found)
    yield from (
        f"{name}: {'came after the seal' if after else FOREIGN}" for name in found if name not in wanted
    )
    yield from (f"{name}: changed{since}" for name in wanted if name in found and found[name] != wanted[name])
    yield from _sums_file(folder, {**wanted, JOURNAL: _sum_of(journal.lines[: sealed["number"]])})
    yield from _signature(folder, signers, sealed.get("signed", False))


def whose(lines: Sequence[Line]) -> str:
    """Which run a journal is of: a record that holds may still be another client's."""
    opened = next((line for line in lines if line["event"] == "opened"), {})
    client = opened.get("settings", {}).get("client", "")
    return f"{opened.get('procedure', 'no run')} for {client or 'nobody'}, begun {lines[0]['time']}"


def after_seal(folder: Path) -> int | None:
    """How many lines the journal has after its last seal; None where it was never sealed."""
    journal = Journal(folder / JOURNAL)
    sealed = journal.last("sealed")
    return len(journal.lines) - sealed["number"] if sealed else None


def _head(journal: Journal, head: str) -> Iterator[str]:
    """Whether the journal is the one that had this head, and nothing but seals came since."""
    if not re.fullmatch("[0-9a-f]{64}", head):
        raise InputError(f"{head!r} is no head of a chain, which has 64 digits of 0-9 and a-f")
    line = journal.last(sha256=head)
    if line is None:
        yield f"{JOURNAL}: not the journal that had this head"
        return
    since = [one for one in journal.lines[line["number"] :] if one["event"] != "sealed"]
    if since:
        yield f"{JOURNAL}: {len(since)} lines were written after this head, from line {since[0]['number']} on"


def _unsealed(folder: Path, signers: Path | None) -> Iterator[str]:
    if (folder / SUMS).exists() or (folder / SIGNATURE).exists():
        yield f"{JOURNAL}: the line of the seal is missing"
    if signers:
        yield f"{JOURNAL}: the run is not sealed, so nobody vouches for it"


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


def _signature(folder: Path, signers: Path | None, signed: bool) -> Iterator[str]:
    if not (folder / SIGNATURE).exists():
        if signers or signed:
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


def _sum_of(lines: Iterable[Line]) -> str:
    """The sum that a journal of these lines has as a file."""
    found = hashlib.sha256()
    for line in lines:
        found.update(encoded(line) + b"\n")
    return found.hexdigest()


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
