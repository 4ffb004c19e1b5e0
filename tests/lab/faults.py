"""The table of faults: what breaks, what the operator sees, what is left, and what the same command then does.

`python -m tests.lab.faults > docs/faults.md` writes the page; the tests beside this file make each row true.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

CYRUS, DOCS, HOSTING, MAPI = (
    f"/var/spool/{name}" for name in ("cyrus", "bm-docs", "bm-filehosting", "bm-mapi")
)
PHOTO = f"{DOCS}/photos/anais.user14.png"
REBOOT = "systemctl reboot --force --force"


PAUSE = "if read -rt 0.05 <> <(:); then :; fi"
"""A pause that starts no process, lest the waiting be most of what a server does."""


def as_soon_as(line: str, act: str = "") -> str:
    """A script that tries a line in the background until it succeeds, then does something."""
    return f"setsid bash -c 'until {line}; do {PAUSE}; done{act and f'; {act}'}' > /dev/null 2>&1 &"


def killing(program: str, when: str = "true") -> str:
    """A script that kills a program with SIGKILL as soon as it runs, and `when` is so, once."""
    return as_soon_as(f"{when} && pkill -9 -x {program}")


def killing_ssh(words: str) -> str:
    """A script that kills an ssh with these words in its arguments as soon as it runs, once."""
    return as_soon_as(f'pkill -9 -f "^ssh .*{words}"')


def during(program: str, act: str) -> str:
    """A script that does something while a program runs, which `pkill` finds by these words.

    It is halted meanwhile, lest it be done before.
    """
    # runuser halts itself when it sees that its program is halted, which may be after it was told to go on
    go_on = f"while pkill -CONT {program}; do {PAUSE}; done"
    return as_soon_as(f"pkill -STOP {program}", f"{act}; {go_on}")


def restarting_during(program: str) -> str:
    """A script that restarts the server while a program runs; it stays halted, lest it be done before the end."""
    return as_soon_as(f"pkill -STOP {program}", REBOOT)


READS, WRITES = '-f "[p]sql -XAtq -F"', '-f "[p]sql -XAtq -F.*_bmnb_import"'
"""The fast engine's sessions on a database, with the shells around them."""

READER, WRITER = (words.replace("[p]", "^[^ ]*p") for words in (READS, WRITES))
"""The sessions alone, and not the short one by which it asks ahead whether PostgreSQL answers."""


@dataclass(frozen=True)
class Fault:
    """What happens on a server during a step, how it is mended, and what the message must say.

    An empty `says` means that the run goes on by itself. `engine` is the one that it makes sense with, if not both.
    One in which the engine has no part strikes in one story alone: `apart`.
    """

    step: str
    name: str
    server: str
    breaks: str
    mends: str
    says: str
    left: str
    then: str = "the same command goes on and completes"
    engine: str = ""
    apart: bool = False


APART = "literal"
"""The engine with whose story the faults strike in which it has no part."""


def of(engine: str, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Those that strike in the story of an engine."""
    return tuple(one for one in faults if (APART if one.apart else one.engine or engine) == engine)


def each_at(fast: str, *faults: Fault) -> tuple[Fault, ...]:
    """These strike in another step with the fast engine."""
    return (
        *(replace(one, engine="literal") for one in faults),
        *(replace(one, engine="fast", step=fast) for one in faults),
    )


HOT_LEFT = "origin: untouched, in service; target: stopped, a part of the copy"
COLD_LEFT = "origin: stopped, data untouched; target: stopped"
NOTHING = "nothing was copied or deleted"
BY_ITSELF = "goes on by itself"
AGAIN = "the pass is started again, on record"

UNTOUCHED = "both servers: nothing was touched"
ENCODING = (
    "cd /; runuser -u postgres -- psql -qc 'UPDATE pg_database SET encoding = {} WHERE datname = $$bj$$'"
)
LATE_DATE = '#!/bin/sh\n[ "$1" = +%s ] && echo $(($(/bin/date +%s) + 3600)) || exec /bin/date "$@"\n'

FIRST = (
    Fault("prerequisites", "the servers' clocks are apart", "origin", f"printf '{LATE_DATE.replace('%', '%%')}' > /usr/local/bin/date; chmod +x /usr/local/bin/date", "rm /usr/local/bin/date", "s apart", UNTOUCHED, apart=True),
    Fault("prerequisites", "a database has another encoding", "target", ENCODING.format(0), ENCODING.format(6), "bj SQL_ASCII", UNTOUCHED, apart=True),
    Fault("prerequisites", "PostgreSQL is stopped", "target", "systemctl stop postgresql", "systemctl start postgresql", "PostgreSQL does not answer on target", UNTOUCHED, apart=True),
)  # fmt: skip

MIDDLE = (
    Fault("hot-synchronization", "rsync is killed on the target", "target", killing("rsync"), "", "exit status 137", HOT_LEFT, engine="literal"),
    Fault("hot-synchronization", "tar is killed on the target", "target", killing("tar"), "", "-9 on the target", HOT_LEFT, engine="fast"),
    Fault("hot-synchronization", "tar is killed on the origin", "origin", killing("tar"), "", "137 on the origin", HOT_LEFT, engine="fast"),
    Fault("hot-synchronization", "the target restarts", "target", REBOOT, "", "the server restarted", HOT_LEFT),
    Fault("hot-synchronization", "the network is cut for good", "target", "cable down", "cable up", "target", HOT_LEFT + "; the copy runs on there when the line is back"),
)  # fmt: skip
"""These strike while a tree is copied."""

ALONE = (
    Fault("hot-synchronization", "ssh is killed between the servers", "target", killing("ssh", "pgrep -x rsync"), "", "", HOT_LEFT, AGAIN, "literal"),
    Fault("hot-synchronization", "ssh is killed between the servers", "target", killing_ssh("carry_files scan"), "", "", HOT_LEFT, AGAIN, "fast"),
    Fault("hot-synchronization", "rsync is killed on the origin", "origin", killing("rsync"), "", "", HOT_LEFT, AGAIN, "literal"),
    Fault("hot-synchronization", "the network is cut for 5 s", "target", "cable down 5", "", "", HOT_LEFT, BY_ITSELF),
    Fault("hot-synchronization", "/tmp is full on the target", "target", "mount -t tmpfs -o size=4k t /tmp; head -c 9000 /dev/zero > /tmp/full; true", "umount /tmp", "", HOT_LEFT, BY_ITSELF),
    Fault("hot-synchronization", "a file grows while it is read", "origin", f"setsid bash -c 'while sleep 0.01; do head -c 9999 /dev/zero >> {DOCS}/grows; done' > /dev/null 2>&1 & echo $! > /run/grows", f"kill -- -$(cat /run/grows); rm {DOCS}/grows", "", HOT_LEFT, BY_ITSELF),
)  # fmt: skip
"""The pass goes on, though these strike at once while a tree is copied."""

LINE = (
    Fault("hot-synchronization", "the network is cut for 60 s", "target", "cable down 60", "", "", HOT_LEFT, BY_ITSELF),
    Fault("hot-synchronization", "the network is cut for longer than a silent connection is kept (120 s)", "target", "cable down 10", "", "", HOT_LEFT, AGAIN),
    Fault("hot-synchronization", "the line is slow, and loses its connections again and again", "target", "cable slow", "cable fast", "", HOT_LEFT, AGAIN),
)  # fmt: skip
"""The pass goes on on such a line; from the second one on the tests keep a silent connection for shorter."""

RESTART = Fault("hot-synchronization", "the origin restarts", "origin", REBOOT, "", "", "origin: in service again; target: stopped, a part of the copy", "the pass is started again, on record, or by the same command")  # fmt: skip

HOT = (
    Fault("hot-synchronization", "the target's disk is full", "target", f"mount -t tmpfs -o size=512k full {DOCS}", f"umount {DOCS}", "No space left on device", HOT_LEFT),
    Fault("hot-synchronization", "the target's tree is read-only", "target", f"mkdir -p {HOSTING}; rm -rf {HOSTING}/*; mount --bind {HOSTING} {HOSTING}; mount -o remount,bind,ro {HOSTING}", f"umount {HOSTING}", "Read-only file system", HOT_LEFT),
    Fault("hot-synchronization", "inodes are exhausted on the target", "target", f"mkdir -p {MAPI}; mount -t tmpfs -o nr_inodes=6 few {MAPI}", f"umount {MAPI}", "No space left on device", HOT_LEFT),
)  # fmt: skip

GUARDS = (
    Fault("hot-synchronization", "the origin has another installation id", "origin", "cp /etc/bm/mcast.id /root/id; echo other > /etc/bm/mcast.id", "mv /root/id /etc/bm/mcast.id", "is now", NOTHING),
    Fault("hot-synchronization", "something is mounted over a tree", "origin", f"mount -t tmpfs none {DOCS}; touch {DOCS}/one", f"umount {DOCS}", f"is: {DOCS} mounted {DOCS}", NOTHING),
    Fault("hot-synchronization", "a tree is not mounted", "origin", f"cp /etc/fstab /root/fstab; echo 'UUID=1 {CYRUS}/data/more ext4 defaults 0 0' >> /etc/fstab", "mv /root/fstab /etc/fstab", f"{CYRUS} is unmounted", NOTHING),
    Fault("hot-synchronization", "most of a tree is gone", "origin", f"systemctl stop bmnb-writer; mv {CYRUS}/data /root/data", f"mv /root/data {CYRUS}/data; systemctl start bmnb-writer", f"{CYRUS} has", NOTHING),
)  # fmt: skip

COLD = (
    Fault("stop-services", "a process keeps a file open", "origin", f"setsid tail -f {DOCS}/photos/*.png > /dev/null 2>&1 & echo $! > /run/open", "kill $(cat /run/open)", "tail -f", COLD_LEFT, apart=True),
    Fault("cold-synchronization", "the writer was not stopped", "origin", f"cp -a {PHOTO} /run/photo; setsid bash -c 'while sleep 0.01; do printf x >> {PHOTO}; done' > /dev/null 2>&1 & echo $! > /run/writes", f"kill -- -$(cat /run/writes); cat /run/photo > {PHOTO}; touch -r /run/photo {PHOTO}", f"{PHOTO}", COLD_LEFT),
    Fault("cold-synchronization", "files come and vanish while they are read", "origin", f"touch -r {DOCS} /run/time; setsid bash -c 'n=0; while sleep 0.02; do touch {DOCS}/comes.$((n++)); rm -f {DOCS}/comes.$((n - 5)); done' > /dev/null 2>&1 & echo $! > /run/comes", f"kill -- -$(cat /run/comes); rm -f {DOCS}/comes.*; touch -r /run/time {DOCS}", f"{DOCS}/comes", COLD_LEFT),
    Fault("cold-synchronization", "permission is denied on one file", "target", f"printf x >> {PHOTO}; chattr +i {PHOTO}", f"chattr -i {PHOTO}", PHOTO.removeprefix(f"{DOCS}/"), COLD_LEFT),
    *each_at(
        "cold-synchronization",
        Fault("dump-databases", "a session is open on a database", "origin", "systemctl start postgresql; cd /; runuser -u postgres -- psql -d bj -c 'SELECT pg_sleep(600)' > /dev/null 2>&1 & sleep 1", "pkill -x psql", "psql", COLD_LEFT),
        Fault("dump-databases", "PostgreSQL is out of connections", "origin", "cd /; runuser -u postgres -- psql -qc 'ALTER SYSTEM SET max_connections = 5'; systemctl restart postgresql; for n in 1 2 3 4 5; do runuser -u postgres -- psql -c 'SELECT pg_sleep(600)' > /dev/null 2>&1 & done; sleep 2", "pkill -x psql; sleep 1; cd /; runuser -u postgres -- psql -qc 'ALTER SYSTEM RESET max_connections'; systemctl restart postgresql", "too many clients", COLD_LEFT),
    ),
    Fault("dump-databases", "pg_dump is killed on the origin", "origin", killing("pg_dump"), "", "dump bj", COLD_LEFT + "; no database was dropped", engine="literal"),
    Fault("dump-databases", "PostgreSQL stops during the dump", "origin", during("-x pg_dump", "systemctl kill -s KILL postgresql@*; systemctl stop postgresql"), "", "dump bj", COLD_LEFT + "; no database was dropped", engine="literal"),
    Fault("dump-databases", "the origin restarts during the dump", "origin", restarting_during("-x pg_dump"), "", "dump bj", COLD_LEFT + "; no database was dropped", engine="literal"),
    Fault("cold-synchronization", "psql is killed on the origin", "origin", as_soon_as(f"pkill -9 {READER}"), "", "psql ended with 137", COLD_LEFT, engine="fast"),
    Fault("cold-synchronization", "PostgreSQL stops on the origin while rows are read", "origin", during(READS, "systemctl kill -s KILL postgresql@*; systemctl stop postgresql"), "", "ended with", COLD_LEFT, engine="fast"),
    Fault("cold-synchronization", "the origin restarts while rows are read", "origin", restarting_during(READS), "", "ended with 255", COLD_LEFT, engine="fast"),
    Fault("cold-synchronization", "psql is killed on the target", "target", as_soon_as(f"pkill -9 {WRITER}"), "", "psql ended with 137", COLD_LEFT, engine="fast"),
    Fault("cold-synchronization", "the target restarts while rows are written", "target", restarting_during(WRITES), "", "the server restarted", COLD_LEFT, engine="fast"),
    Fault("copy-configuration", "both servers restart", "both", REBOOT, "", "", COLD_LEFT, "they stay stopped; the same command goes on and completes"),
)  # fmt: skip

IMPORT = (
    Fault("import-databases", "psql is killed on the target", "target", as_soon_as('pkill -9 -f "[p]sql.*single-transaction.*bj-data"'), "", "import bj-data", COLD_LEFT + " with its own databases", engine="literal"),
    Fault("import-databases", "the target restarts during the import", "target", restarting_during('-f "[p]sql.*single-transaction"'), "", "the server restarted", COLD_LEFT + " with its own databases", engine="literal"),
)  # fmt: skip

MESSAGE = f"find {CYRUS}/data -type f -name '1.' -links 1 -not -path $'*\\n*' | sort | head -n 1"
ROW = "cd /; runuser -u postgres -- psql -qd bj-data -c"

A_BYTE = f'file=$({MESSAGE}); touch -r "$file" /run/time; printf X | dd of="$file" conv=notrunc status=none; touch -r /run/time "$file"'

AHEAD = (
    Fault("compare-ahead", "a byte of a copied file differs, at its size and time", "target", A_BYTE, "", "", HOT_LEFT, "it is copied again, by content, and compared again"),
    Fault("compare-ahead", "ssh is killed between the servers", "target", killing_ssh("-m comparing ahead"), "", "", HOT_LEFT, "the comparison is started again, on record, and goes on"),
)  # fmt: skip

FOUND = (
    Fault("verify-copy", "a byte of a copied file changes, at its size and time", "target", A_BYTE, "", "content", "it is named", "the same command copies it again, by content, and compares again"),
    Fault("verify-copy", "a message is missing on the target", "target", f'rm "$({MESSAGE.replace("head", "tail")})"', "", "existence", "it and its mailbox are named", "the same command copies it again, by content, and compares again"),
    Fault("verify-copy", "a row changes on the target", "target", f"{ROW} 'UPDATE t_message_body SET size = size + 1 WHERE guid = (SELECT guid FROM t_message_body ORDER BY guid LIMIT 1)'", f"{ROW} 'UPDATE t_message_body SET size = size - 1 WHERE guid = (SELECT guid FROM t_message_body ORDER BY guid LIMIT 1)'", "t_message_body", "its table is named", "the run waits for the row to be mended, or for a decision on record", apart=True),
    Fault("verify-copy", "a configuration file changes on the target", "target", "cp -a /etc/bm-hps/mappings.ini /root/; echo more >> /etc/bm-hps/mappings.ini", "cp -a /root/mappings.ini /etc/bm-hps/; touch -r /root/mappings.ini /etc/bm-hps/mappings.ini", "/etc/bm-hps/mappings.ini", "it is named", "the run waits for it to be mended, or for a decision on record", apart=True),
    Fault("verify-copy", "mail comes into the origin's queue after it was copied", "origin", "printf 'Subject: late\\n\\nlate\\n' | sendmail -f a@example.org b@later.example", "", "", "origin: stopped, with its queue", "it is carried with the rest"),
)  # fmt: skip

SWITCHED = "origin: stopped, without its address; target: in its place"

AFTER = (
    Fault("restart-target", "the target restarts while its services start", "target", REBOOT, "", "target", SWITCHED, "its services come up by themselves; goes on, or the same command does", apart=True),
    Fault("mail-maintenance", "the target restarts", "target", REBOOT, "", "", SWITCHED, "its services come up by themselves, and the same command goes on", apart=True),
)  # fmt: skip

OTHER = (
    ("a server is put back to a snapshot from before, or its /var/lib/bmnb is removed", "“has no trace of”", "nothing is done", "`bmnb rollback` goes back; a new run begins"),
    ("a server's clock is put back after the verification", "“the clock was put back”", "nothing is switched", "the same command does the cold pass and the verification again"),
    ("the command and its kernel are killed in the middle of an action", "nothing: it was killed", "the action ends on its server", "the same command takes it up"),
    ("the command is killed at any line of its journal", "nothing: it was killed", "the journal's whole lines", "the same command comes to the same end, nothing that may be done once is done twice"),
    ("the journal is cut in the middle of a line", "nothing", "the lines before", "the same command goes on"),
    ("the controller's disk is full", "“cannot be written, so nothing more is done”", "the journal's whole lines", "the same command goes on"),
    ("a line of the journal was changed", "“was changed: line N does not follow”", "nothing is done", "the run is refused"),
    ("the controller's clock jumps", "nothing", "the seconds of an action are measured by a clock that does not; those of steps and phases, and the downtime by the journal, are as wrong as the clock was, and none is told that would be less than nothing", "goes on by itself"),
    ("another run at the same servers", "“is held by another run”", "the first run goes on", "the second one waits, or its operator breaks the lock"),
    ("the origin restarts after it gave up its address, and the run is to be rolled back", "“origin is reached through target”, which cannot reach it", "origin: stopped, without an address; target: stopped", "`give-back` on its console, then the same `bmnb rollback`"),
    ("the rollback is killed in its middle", "nothing: it was killed", "what it has undone", "the same `bmnb rollback` goes on"),
)  # fmt: skip


SHOWN = {
    "a server is put back": "lab/test_planted a_target_that_was_put_back_is_not_gone_on_with_and_the_way_back_is_open",
    "a server's clock is put back": "transfer/test_at_rest after_a_clock_that_was_put_back_no_time_tells",
    "the command and its kernel are killed": "lab/test_dying all_tell_the_same_true_story",
    "the command is killed at any line": "test_resume any_prefix_of_a_journal_resumes_to_the_same_end",
    "the journal is cut": "test_journal a_journal_cut_anywhere_keeps_its_whole_lines_and_goes_on",
    "the controller's disk is full": "test_disk_full a_journal_has_whole_lines_alone_and_goes_on",
    "a line of the journal was changed": "test_journal one_changed_byte_anywhere_is_found",
    "the controller's clock jumps": "test_journal a_clock_that_jumps_does_not_break_the_chain",
    "another run at the same servers": "lab/test_faults another_run_at_the_same_servers_is_refused",
    "the origin restarts after it gave up": "lab/test_faults the_way_back_from_the_middle_of_the_switch",
    "the rollback is killed": "lab/test_faults the_way_back_from_the_cold_synchronization_killed_in_its_middle",
}
"""The tests of these, by their first words; the others are struck by their row here."""


def rows() -> list[tuple[str, ...]]:
    found = [
        (
            fault.engine or "both",
            fault.step,
            fault.name,
            f"“{fault.says}”" if fault.says else "nothing: the run goes on",
            fault.left,
            fault.then,
        )
        for fault in (
            *FIRST,
            *MIDDLE,
            *ALONE,
            *LINE,
            RESTART,
            *HOT,
            *GUARDS,
            *AHEAD,
            *COLD,
            *IMPORT,
            *FOUND,
            *AFTER,
        )
    ]
    return found + [("both", "any", *row) for row in OTHER]


def page() -> str:
    head = (
        "| engine | step | what happens | what the message says | what is left | then |\n"
        + "| --- " * 6
        + "|\n"
    )
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows())
    return f"""# Faults and outcomes

Each row is a test on the lab's servers, or of the interpreter: `tests/lab/test_faults.py` (literal engine),
`tests/lab/test_faults_fast.py` (the same story with the fast engine), `tests/lab/test_changing_distributions.py`
(killed in the hot and the cold phase), `tests/lab/test_dying.py`, `tests/test_resume.py`, `tests/test_journal.py`, `tests/test_disk_full.py`, `tests/test_rollback.py`. After the rows of a phase the run completes or is rolled back, and an independent comparison finds no difference.
Faults left to chance, in every step, on both servers, this machine, the line, the disk and the clock, also on the way back: `tests/lab/test_random_faults.py` and [soak.md](soak.md). It looks after each of them whether the services are up, or stopped, as the column *what is left* says of the phase.
This page is made of the tests' own table: `python -m tests.lab.faults > docs/faults.md`.

{head}{table}"""


if __name__ == "__main__":
    print(page(), end="")
