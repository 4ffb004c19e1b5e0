"""The test whether a version 4 may be updated to 5: how it is run, what it says, and the commands that it proposes.

Its name, its option, its five subjects and three commands that it proposes are on BlueMind's page on the major update.
What it prints, and how it ends, is not published: it passes where it ends with 0, names no error and proposes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bmnb.steps import Condition, Result, Verdict

TEST = "bm-cli setup check-upgrade-5 --sampling-percentage=100"
REPORT = "check-upgrade-5"
NO_SUCH_COMMAND = "51|126|127"
"""How bm-cli ends after a wrong call, and a shell that finds no bm-cli."""
FRESH_HOURS = 24

WORDS = r"([ ][A-Za-z0-9_.,:=@/-]*[A-Za-z0-9_/])*"
"""What follows on its line, less the full stop of a sentence and whatever a shell would read as more than a word."""


@dataclass(frozen=True)
class Repair:
    """A command that the test proposes, with whatever options: its words, its name in titles and in answers."""

    words: str
    title: str
    key: str

    @property
    def pattern(self) -> str:
        return f"bm-cli {self.words}{WORDS}"


REPAIRS = (
    Repair("hotupgrade start", "start the hot upgrades that wait", "repair-hot-upgrades"),
    Repair("index coherency", "mend the index", "repair-index"),
    Repair("maintenance repair", "repair mailboxes", "repair-mailboxes"),
)


def run(folder: str) -> str:
    """Test, and keep what it says and how it ends; that it does not pass is no error here."""
    report = f"{folder}/{REPORT}"
    return f"""umask 077; mkdir -p {folder}; rm -f {report} {report}.status
{TEST} 2>&1 | sed -u 's/\\x1b\\[[0-9;]*m//g' | tee {report}.new
status=${{PIPESTATUS[0]}}
case $status in {NO_SUCH_COMMAND}) exit "$status";; esac
echo "$status" > {report}.status && mv {report}.new {report}"""


def at(folder: str) -> str:
    """A line that prints what it is at."""
    return f"tail -n 1 {folder}/{REPORT}.new"


def show(folder: str) -> str:
    """A line that prints how it has ended, and what it has said."""
    return f"cat {folder}/{REPORT}.status {folder}/{REPORT}"


def proposes(repair: Repair, core: str, folder: str) -> Condition:
    return Condition(
        core, f"grep -qE {_quoted(repair.pattern)} {folder}/{REPORT}", "the test does not propose it"
    )


def mend(repair: Repair, folder: str) -> str:
    """Do what the test proposes, each command once; its words are given as they stand, no shell reads them."""
    return f"""set -f; grep -oE {_quoted(repair.pattern)} {folder}/{REPORT} | sort -u > {folder}/repairs || exit 1
worst=0; while read -r line <&3; do echo "$line"; $line || worst=$?; done 3< {folder}/repairs; exit $worst"""


def commands(repair: Repair, told: Result) -> Verdict:
    """Does not hold where the test proposes such commands, which are for a person to accept."""
    found = sorted({one[0] for one in re.finditer(repair.pattern, told.stdout)})
    return Verdict(not found, "; ".join(found) or "not proposed", tuple({"command": one} for one in found))


def others(told: Result) -> Verdict:
    """Does not hold where it proposes commands that are none of those above."""
    proposed = [line.strip() for line in told.stdout.splitlines() if "bm-cli " in line]
    left = [line for line in proposed if not any(re.search(one.pattern, line) for one in REPAIRS)]
    return Verdict(not left, "; ".join(left) or "none", tuple({"line": one} for one in left))


def passes(told: Result) -> Verdict:
    """Ended with 0, no error is named, nothing is proposed; its last words are told.

    What speaks against it is told line by line: a person may know better what these words mean.
    """
    status, _, said = told.stdout.partition("\n")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    wrong = [line for line in lines if re.search(r"\b(error|fail(ed|ure)?|KO|not eligible)\b", line, re.I)]
    wrong += [line for line in lines if "bm-cli " in line]
    last = lines[-1] if lines else "it said nothing"
    if status != "0" and not wrong:
        wrong = [f"exit status {status}: {last}"]
    items = tuple({"line": one} for one in wrong)
    return Verdict(not wrong and bool(lines), "; ".join(wrong) or last, items)


def last_words(told: Result) -> str:
    _, _, said = told.stdout.partition("\n")
    return "\n".join(said.splitlines()[-20:])


def fresh(folder: str) -> str:
    """A line that prints how old the test's report is, in minutes."""
    return f"echo $((($(date +%s) - $(stat -c %Y {folder}/{REPORT}.status)) / 60))"


def is_fresh(told: Result) -> Verdict:
    minutes = int(told.stdout)
    return Verdict(0 <= minutes < FRESH_HOURS * 60, f"{minutes} minutes old")


def _quoted(pattern: str) -> str:
    return f"'{pattern}'"
