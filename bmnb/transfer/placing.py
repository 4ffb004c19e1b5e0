"""Programs of ours on a server: a folder of Python files, which come in as one input."""

import base64
import bz2
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote
from types import ModuleType

from bmnb.steps import Command

UNPACK = (
    "import base64, bz2, json, sys; files = json.loads(bz2.decompress(base64.b64decode(sys.stdin.read())).decode()); "
    "[open(name, 'w', encoding='utf-8').write(text) for name, text in files.items()]"
)


def contents(programs: Path) -> str:
    """The files by their names, as JSON, compressed: bash keeps an input of more than 64 KiB in /tmp."""
    files = {one.name: one.read_text(encoding="utf-8") for one in programs.glob("*.py")}
    return base64.b64encode(bz2.compress(json.dumps(files).encode())).decode()


def inline(program: ModuleType, *words: str) -> str:
    """A line that runs one program that is not on the server, and stays nowhere."""
    text = Path(str(program.__file__)).read_text(encoding="utf-8")
    return f"python3 - {' '.join(map(quote, words))} <<'END_OF_PROGRAM'\n{text}END_OF_PROGRAM"


def place(folder: str, programs: Path) -> str:
    """A line that puts them below a folder of the server, in one of the same name."""
    there = f"{folder}/{programs.name}"
    return f"umask 077; mkdir -p {there}; cd {there} && python3 -c {quote(UNPACK)}"


def for_once(programs: Path, *words: str) -> str:
    """A line that runs them, which come in as input, and leaves nothing of them."""
    return f"""place=$(mktemp -d) && trap 'rm -rf "$place"' EXIT && mkdir "$place/{programs.name}" || exit
cd "$place/{programs.name}" && python3 -c {quote(UNPACK)} && cd .. && python3 -B -m {programs.name} {" ".join(map(quote, words))}"""


def put(servers: Iterable[str], folder: str, programs: Path, title: str) -> Iterator[Command]:
    """Put them on each of the servers."""
    line, text = place(folder, programs), contents(programs)
    for server in servers:
        yield Command(server, line, title, text=text)
