"""Files of sections with KEY=VALUE, as systemd and NetworkManager have them."""

from typing import List, NamedTuple

from .edit import Refused

Entry = NamedTuple("Entry", [("key", str), ("value", str), ("line", int)])
Section = NamedTuple("Section", [("name", str), ("line", int), ("entries", List[Entry])])


def parse(text: str) -> List[Section]:
    """The sections in their order."""
    found = []  # type: List[Section]
    goes_on = False
    for number, line in enumerate(text.split("\n")):
        plain = line.strip()
        if goes_on:
            entry = found[-1].entries[-1]
            found[-1].entries[-1] = Entry(entry.key, entry.value[:-1] + " " + plain, entry.line)
            goes_on = plain.endswith("\\")
        elif not plain or plain[0] in "#;":
            continue
        elif plain[0] == "[" and plain[-1] == "]":
            found.append(Section(plain[1:-1], number, []))
        elif "=" in plain and found:
            key, _, value = plain.partition("=")
            found[-1].entries.append(Entry(key.strip(), value.strip(), number))
            goes_on = value.endswith("\\")
        else:
            raise Refused(
                "line {}: {!r} is neither a section nor KEY=VALUE".format(number + 1, plain),
                "correct that line",
            )
    return found


def last_line(section: Section) -> int:
    return max([section.line] + [one.line for one in section.entries])


def lines(section: Section) -> List[int]:
    """The lines of what a section says, without its comments."""
    return [section.line] + [one.line for one in section.entries]
