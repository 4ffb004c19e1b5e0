"""Stands in for `bmnb run`: does what the client's answer `fake` says, and leaves a line of what it did.

`seconds`, then an exit code where it is not 0; a stop file `mended` in the run's folder makes it end well.
"""

import re
import signal
import sys
import time
from pathlib import Path


def value(text: str, name: str, usual: str = "") -> str:
    found = re.search(rf"^\s*{name}: (.*)$", text, re.MULTILINE)
    return found[1].strip("'\"") if found else usual


def main() -> int:
    text = Path(sys.argv[sys.argv.index("-f") + 1]).read_text()
    folder = Path(value(text, "folder"))
    folder.mkdir(parents=True, exist_ok=True)
    through = sys.argv[sys.argv.index("--through") + 1]
    seconds, _, code = value(text, "fake", "0").partition(" ")
    with (folder / "world").open("a") as world:
        world.write(f"began {through}\n")
        world.flush()
        try:
            time.sleep(float(seconds))
        except KeyboardInterrupt:
            world.write(f"interrupted {through}\n")
            return 3
        if code and not (folder / "mended").exists():
            print(f"Stopped: {through} cannot be done\nnotebook: there\nreport: there")
            return int(code)
        world.write(f"done {through}{', again' if '--again' in sys.argv else ''}\n")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
