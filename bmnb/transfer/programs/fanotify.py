"""Linux tells in which folder something changes, for whole file systems: fanotify(7), from Linux 5.9 on.

Folders are told by handles, which last as long as the folder, whatever its path is by then. What a mapped file
gets is told when it is closed and mapped no more.
"""

import ctypes
import os
import struct
from typing import Dict, Iterator, Optional

# the names of linux/fanotify.h, without their FAN_
CLOEXEC, NONBLOCK, UNLIMITED_QUEUE = 0x1, 0x2, 0x10
REPORT_DIR_FID, REPORT_NAME = 0x400, 0x800
MARK_ADD, MARK_FILESYSTEM = 0x1, 0x100
MODIFY, ATTRIB, CLOSE_WRITE = 0x2, 0x4, 0x8
MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x40, 0x80, 0x100, 0x200
Q_OVERFLOW, ONDIR = 0x4000, 0x40000000

CHANGES = MODIFY | ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | ONDIR
AT_FDCWD = -100

EVENT = struct.Struct("=IBBHQii")
"""Length, version, reserved, length of this part, mask, file descriptor, process."""

INFO = struct.Struct("=BBH")
"""Kind, padding, length of the whole part; a file system's number, a handle and a name follow."""

HANDLE = struct.Struct("=iiI")
"""A file system's number in two parts, and how many bytes the handle has after its own kind."""

Handle = bytes
"""A file system's number and the handle of a folder in it, as Linux tells them."""


def listen() -> int:
    """Raise OSError where Linux does not offer it, or not to this user."""
    flags = CLOEXEC | NONBLOCK | UNLIMITED_QUEUE | REPORT_DIR_FID | REPORT_NAME
    return _called("fanotify_init", flags, os.O_RDONLY)


def watch(group: int, path: str) -> None:
    """Have all changes told in the file system of a path. Raise OSError where it can't tell of them."""
    flags = MARK_ADD | MARK_FILESYSTEM
    _called("fanotify_mark", group, flags, ctypes.c_uint64(CHANGES), AT_FDCWD, os.fsencode(path))


def folders(events: bytes) -> Iterator[Handle]:
    """The folder of each event. Raise OverflowError where events were lost."""
    at = 0
    while at < len(events):
        length, _, _, header, mask, _, _ = EVENT.unpack_from(events, at)
        if mask & Q_OVERFLOW:
            raise OverflowError
        info, end = at + header, at + length
        while info < end:
            _, _, size = INFO.unpack_from(events, info)
            handle = info + INFO.size
            *_, handle_bytes = HANDLE.unpack_from(events, handle)
            yield events[handle : handle + HANDLE.size + 4 + handle_bytes]
            info += size
        at = end


def file_system(path: str) -> int:
    return os.statvfs(path).f_fsid


def path_of(handle: Handle, mounted: Dict[int, int]) -> Optional[bytes]:
    """Where a folder is now, given an open file of each file system; None where it is gone, or in none of these."""
    first, second, _ = HANDLE.unpack_from(handle)
    mount = mounted.get((first & 0xFFFFFFFF) | (second & 0xFFFFFFFF) << 32)
    if mount is None:
        return None
    try:
        found = _called("open_by_handle_at", mount, handle[8:], os.O_PATH)
    except OSError:
        return None
    try:
        return os.readlink(b"/proc/self/fd/%d" % found)
    finally:
        os.close(found)


LIBC = ctypes.CDLL(None, use_errno=True)


def _called(name: str, *given: object) -> int:
    returned: int = getattr(LIBC, name)(*given)
    if returned < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return returned
