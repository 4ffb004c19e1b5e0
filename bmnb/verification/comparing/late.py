"""The late proof: the target is in use by now, so that only what rests there since its start is brought.

Who may have touched it is told by its ctime, of what is not there by that of the folder that it would be in.
"""

import errno
import json
import os
import shutil
import stat
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .paths import text

Difference = Dict[str, Any]

BRING = "brought from the origin"
CAME = "came since the start"
CHANGED = "changed on the target since its start"
GONE = "gone from a folder that has changed since the start, or never there"
LEFT = "on the target alone since before its start"
OTHERWISE = "cannot be brought beside the target's own"
SET_BACK = "nobody knows since when, as the target's clock was set back after the start"
OPEN = (GONE, LEFT, OTHERWISE, SET_BACK)
BESIDE = b".bmnb-late"
PIECE = 1 << 20
OURS = "ours"
"""The file of what the proof itself has changed on the target, with the ctime that it has since."""

Since = NamedTuple("Since", [("start", int), ("steady", bool), ("ours", Dict[bytes, int])])


def since(folder: str, served: str) -> Since:
    """The start of the target's services, whether its clock went on from there, and what is the proof's own since."""
    ours = {}  # type: Dict[bytes, int]
    path = os.path.join(folder, OURS)
    with open(path, "a+") as file:
        file.seek(0)
        for line in file.read().split("\n")[:-1]:
            name, changed = json.loads(line)
            ours[name.encode("latin-1")] = changed
    return Since(os.stat(served).st_mtime_ns, booted("/proc/stat") >= booted(served) - 1, ours)


def booted(path: str) -> float:
    """When the server began to run by its clock now, in seconds: that is earlier once the clock was set back."""
    with open(path) as file:
        for line in file:
            if line.startswith("btime "):
                return int(line.split()[1])
    return float("inf")


def seen(path: bytes) -> Optional[os.stat_result]:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def rests(path: bytes, known: Since) -> bool:
    """Whether nobody has touched it since the start; what is not there rests as its folder does."""
    here = seen(path)
    if here is None:
        return rests(os.path.dirname(path), known)
    return here.st_ctime_ns < known.start or known.ours.get(path) == here.st_ctime_ns


def wrong(folder: str) -> Iterator[Tuple[bytes, Difference]]:
    """Each difference with the path as it is: `again` has none of a place that is on the target alone."""
    with open(os.path.join(folder, "again"), "rb") as file:
        paths = iter(file.read().split(b"\0"))
    with open(os.path.join(folder, "differences")) as told:
        for line in told:
            difference = json.loads(line)
            alone = [difference["item"], "absent"] == [difference["place"], difference["origin"]]
            yield os.fsencode(difference["item"]) if alone else next(paths), difference


def what_to_do(path: bytes, differences: List[Difference], known: Since) -> str:
    what = {one["what"] for one in differences}
    if "existence" in what and differences[0]["origin"] == "absent":
        return LEFT if rests(path, known) else CAME
    if "existence" in what:
        return BRING if seen(path) is None and rests(path, known) else GONE
    if not rests(path, known):
        return CHANGED
    return OTHERWISE if what & {"kind", "hard link"} else BRING


def sort(folder: str, served: str) -> None:
    """Write into the folder what is to be brought, and what was found, what nobody can bring first."""
    known, found = since(folder, served), {}  # type: Since, Dict[bytes, List[Difference]]
    for path, difference in wrong(folder):
        found.setdefault(path, []).append(difference)
    told = {word: [] for word in (*OPEN, BRING, CHANGED, CAME)}  # type: Dict[str, List[Tuple[bytes, Difference]]]
    for path in sorted(found):
        first = dict(found[path][0], what=", ".join(one["what"] for one in found[path]))
        word = what_to_do(path, found[path], known) if known.steady else SET_BACK
        told[word].append((path, dict(first, why=word)))
    with open(os.path.join(folder, "bring"), "wb") as bring:
        bring.write(b"".join(path + b"\0" for path, _ in told[BRING]))
    with open(os.path.join(folder, "found"), "w") as file:
        file.write(json.dumps({word: len(items) for word, items in told.items()}) + "\n")
        for word in (*OPEN, BRING, CHANGED):
            file.writelines(json.dumps(item) + "\n" for _, item in told[word])


def place(folder: str, served: str, staging: str) -> None:
    """Put what has come below the staging folder in its place, where that rests still."""
    known, names = since(folder, served), {}  # type: Since, Dict[int, bytes]
    with open(os.path.join(folder, "bring"), "rb") as file:
        paths = file.read().split(b"\0")[:-1]
    with open(os.path.join(folder, OURS), "a") as ours, open(os.path.join(folder, "brought"), "a") as brought:
        for path in paths:
            came, parent = os.fsencode(staging) + path, os.path.dirname(path)
            if not known.steady or seen(came) is None or not rests(path, known):
                continue
            # a folder in which users have changed something is never taken for the proof's own
            quiet, before = rests(parent, known), os.stat(parent)
            one = os.lstat(came).st_ino
            took = put(came, path, names.get(one), known)
            if took and stat.S_ISREG(os.lstat(came).st_mode):
                names.setdefault(one, path)
            if quiet:
                os.utime(parent, ns=(before.st_atime_ns, before.st_mtime_ns))
            for changed in ([path] if took else []) + ([parent] if quiet else []):
                known.ours[changed] = os.lstat(changed).st_ctime_ns
                ours.write(json.dumps([text(changed), known.ours[changed]]) + "\n")
            ours.flush()
            if took:
                item = {"item": path.decode("utf-8", "backslashreplace"), "why": BRING}
                brought.write(json.dumps(item) + "\n")


def put(came: bytes, path: bytes, other: Optional[bytes], known: Since) -> bool:
    """Whether it took its place, as another name of `other` where it is; never that of what somebody has put there."""
    kind = os.lstat(came).st_mode
    if stat.S_ISDIR(kind):
        if seen(path) is None:
            os.mkdir(path, 0o700)
        dress(came, path)
        return True
    if not (stat.S_ISREG(kind) or stat.S_ISLNK(kind)):
        return False
    beside = os.path.join(os.path.dirname(path), BESIDE)
    drop(beside)  # of a proof that was killed
    try:
        if other:
            os.link(other, beside, follow_symlinks=False)
        else:
            copy(came, beside)
            dress(came, beside)
        return take_place(beside, path, known)
    finally:
        drop(beside)


def copy(came: bytes, beside: bytes) -> None:
    """Of a file the data alone: its holes take no room here either."""
    if os.path.islink(came):
        os.symlink(os.readlink(came), beside)
        return
    with open(came, "rb") as source, open(beside, "xb") as there:
        for begin, end in data(source.fileno()):
            source.seek(begin)
            there.seek(begin)
            for at in range(begin, end, PIECE):
                there.write(source.read(min(PIECE, end - at)))
        there.truncate(os.stat(came).st_size)


def data(file: int) -> Iterator[Tuple[int, int]]:
    """Where a file's data begin and end."""
    end = 0
    while end < os.fstat(file).st_size:
        try:
            begin = os.lseek(file, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return
        end = os.lseek(file, begin, os.SEEK_HOLE)
        yield begin, end


def drop(path: bytes) -> None:
    if seen(path) is not None:
        os.unlink(path)


def take_place(beside: bytes, path: bytes, known: Since) -> bool:
    if seen(path) is None:
        try:
            os.link(beside, path, follow_symlinks=False)
        except FileExistsError:
            return False
        return True
    if not rests(path, known):
        return False
    os.replace(beside, path)
    return True


def dress(came: bytes, path: bytes) -> None:
    """Give it owner, mode, attributes and times of what came."""
    found = os.lstat(came)
    os.chown(path, found.st_uid, found.st_gid, follow_symlinks=False)
    shutil.copystat(came, path, follow_symlinks=False)
