"""Edits of a text by its lines: what is not touched stays to the byte."""

from contextlib import contextmanager
from typing import Dict, Iterable, Iterator, List, Set

MARK = "#bmnb "
"""What a line that was set aside begins with."""


class Refused(Exception):
    """The configuration is not understood, or can't be changed; `remedy` is the way by hand."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


@contextmanager
def of(path: str) -> Iterator[None]:
    """What is refused within is so in this file."""
    try:
        yield
    except Refused as error:
        raise Refused("{}: {}".format(path, error), error.remedy) from None


class Edit:
    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self._aside = set()  # type: Set[int]
        self._before = {}  # type: Dict[int, List[str]]
        self._after = {}  # type: Dict[int, List[str]]

    def aside(self, numbers: Iterable[int]) -> None:
        """Make comments of these lines."""
        self._aside.update(numbers)

    def replace(self, number: int, line: str) -> None:
        self.lines[number] = line

    def before(self, number: int, *lines: str) -> None:
        self._before.setdefault(number, []).extend(lines)

    def after(self, number: int, *lines: str) -> None:
        self._after.setdefault(number, []).extend(lines)

    @property
    def text(self) -> str:
        found = []  # type: List[str]
        for number, line in enumerate(self.lines):
            found += self._before.get(number, [])
            found.append(MARK + line if number in self._aside else line)
            found += self._after.get(number, [])
        return "\n".join(found)
