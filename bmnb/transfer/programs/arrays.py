"""Files of numbers, read in place: what a pass leaves of each row, which may be many."""

import mmap
import os
from array import array
from typing import Any


def view(path: str, code: Any) -> Any:
    """The numbers of a file, of the type that array names so."""
    with open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return memoryview(array(code))
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)).cast(code)
