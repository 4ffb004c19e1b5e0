"""`python -m benchmarks.report`: how long the report of a large migration takes to make, and how large it is."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from bmnb import report
from bmnb.report import Wish
from tests.report import synthetic


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=synthetic.FILES)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = synthetic.run(Path(folder) / "run", files=given.files)
        for number in range(1, given.rounds + 1):
            for language in ("en", "fr"):
                began = time.perf_counter()
                made = report.write(run, Wish(language=language))
                seconds = round(time.perf_counter() - began, 1)
                told = {"language": language, "files": given.files, "round": number}
                print(json.dumps({**told, "seconds": seconds, "bytes": made.stat().st_size}), flush=True)


if __name__ == "__main__":
    main()
