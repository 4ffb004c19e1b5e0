"""What must hold on origin and target before anything is touched, and how it is observed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from shlex import quote

from bmnb.bluemind import api, hardware, subscription
from bmnb.bluemind.paths import ADDED_CONFIGURATION, CONFIGURATION, QUEUE, ini
from bmnb.packages.tool import INSTALLED
from bmnb.procedures.changing_distributions import ways
from bmnb.procedures.changing_distributions.settings import TAKE_OVER, Settings
from bmnb.procedures.checks import all_root, done, no_job_runs, nothing_printed, something_printed
from bmnb.steps import ANY, TRUE_OR_FALSE, Action, Call, Check, Result, Row, Verdict
from bmnb.transfer import access, beside, guards, left_behind, naming, owning, places
from bmnb.transfer import address as addresses
from bmnb.transfer.asking import weights
from bmnb.transfer.placing import inline
from bmnb.verification import every_mailbox

CLOCK_SECONDS = 30
"""Clocks may differ by this much; the two servers are asked one after the other."""

SPARE = 1.1
"""Free space on the target as a multiple of what comes."""

LISTED_BYTES = 1000
"""What the lists of a path take at most that the origin keeps: three of them, with its name."""

ROWS_SHARE = 0.1
"""What the sums of rows take at most there, as a part of the databases: 8 bytes a row, twice while a pass runs."""

KEY_REMEDY = (
    "add the public key of the target's root to /root/.ssh/authorized_keys of the original server, "
    "and see that its sshd lets root in from there by a key: PermitRootLogin prohibit-password, AllowUsers, "
    "AllowGroups, no ForceCommand"
)


def servers(origin: str, target: str, address: str) -> Iterator[Action]:
    """Two different servers, as root, with clocks that agree."""
    both = (origin, target)
    yield Check(
        both,
        "id -u",
        all_root,
        "root on both servers",
        "log in as root, or as a user who may sudo without a password, by User in the ssh configuration",
    )
    yield Check(
        both,
        "cat /etc/machine-id",
        different,
        "two different machines",
        "origin and target lead to the same machine, or one is a clone: then run systemd-machine-id-setup on it",
    )
    yield Check(both, "date +%s", clocks_agree, "clocks", "start an NTP client on both servers")
    yield Check(
        origin,
        addresses.held(address),
        something_printed,
        f"the origin has {address}",
        "give the original server's address as `address`",
    )
    yield Check(
        both,
        "command -v rsync > /dev/null && rsync --version | sed -n '1s/^rsync *version *v*\\([0-9.]*\\).*/\\1/p'",
        rsync_compares_nanoseconds,
        "rsync on both servers",
        "apt install rsync, or yum install rsync; the target needs 3.1.3 or newer",
        answers=TRUE_OR_FALSE,
    )
    yield Check(
        both,
        "python3 -c 'import sys; print(*sys.version_info[:2], sep=\".\"); sys.exit(sys.version_info < (3, 5))'",
        lists_files,
        "Python on both servers, which lists the files",
        "apt install python3, or yum install python3: 3.5 or newer",
        answers=(0, 1, 127),
    )


def network(settings: Settings) -> Iterator[Action]:
    """What the way of switching asks of the network; only to take an address over both must be in one."""
    target, address = settings.target, settings.address
    yield Call(
        settings.origin,
        "GET",
        api.SERVERS,
        f"BlueMind of the origin is at {address}",
        judge=partial(api.has_address, address),
        remedy="give as `address` the one that BlueMind itself has",
    )
    if settings.switch != TAKE_OVER:
        yield from ways.requirements(settings)
        return
    yield Check(
        target,
        f"! ip -o -4 addr show | grep -qw {re.escape(address)} && ip -o -4 route get {address} | grep -qv ' via '",
        done,
        f"{address} is on the target's own network",
        "put both servers on one network; or set switch to by-hand, where the provider or the hypervisor moves the "
        "address, or to new-address, where the target keeps its own",
        answers=TRUE_OR_FALSE,
    )
    yield Check(
        target,
        addresses.who_holds(address, 0.2),
        addresses.taken,
        f"the network tells the target who has {address}",
        "let the target send to that address: before it takes it over, it asks so whether it is free",
    )
    yield Check(
        target,
        "command -v arping",
        done,
        "arping on the target",
        "apt install iputils-arping",
        answers=TRUE_OR_FALSE,
    )
    if settings.keep_reachable:
        yield from _stays_reachable(settings)
    yield Check(
        (settings.origin, target),
        (addresses.try_off(address), addresses.try_over(address)),
        addresses.can_move,
        "what will change in the network configuration of both servers",
        "do what is named; what else writes the address must be taken out or stopped before the switch, or accepted. "
        "By hand: take the address out of the network configuration of the original server and add it to that of the "
        "target, by whatever system each server has for it",
        decision="accept-named-addresses",
        text=addresses.CODE,
    )


def _stays_reachable(settings: Settings) -> Iterator[Action]:
    """After the switch the origin is contacted through the target, at an address that it does not have yet."""
    origin, target, address = settings.origin, settings.target, settings.address
    own, _ = addresses.parked(address)
    yield Check(
        origin,
        f"(\n{access.host(own)}\n) > /dev/null",
        done,
        f"the origin's sshd will listen at {own}",
        f"let it listen at every address (no ListenAddress in sshd_config); or do without: {UNREACHABLE}",
        answers=TRUE_OR_FALSE,
    )
    yield Check(
        origin,
        "cat /etc/machine-id",
        done,
        "the origin can be contacted through the target",
        f"let this machine's user log in from the target too, at the port at which sshd listens there: see AllowUsers "
        f"and Match in its sshd_config, from= in authorized_keys, Port in the ssh configuration here; or do without: "
        f"{UNREACHABLE}",
        # without, a connection that is refused would end the run, and the other checks with it
        patience=5,
        at=address,
        via=target,
    )


UNREACHABLE = "keep_reachable: false"


def bluemind(origin: str, target: str) -> Iterator[Action]:
    """The same BlueMind on both, set up, with a valid subscription, on one server, with no job running."""
    both = (origin, target)
    yield Check(
        both,
        INSTALLED,
        same_packages,
        "same version of every bm-* package",
        "install on the target, in the original server's version, what is named; plugins such as the import from LDAP or "
        "signatures are packages too",
        answers=(0, 1, 127),
    )
    yield Check(
        both,
        every_mailbox.VERSION,
        every_mailbox.can_read,
        "the target's Cyrus reads what the origin's has written",
        "install on the target a Cyrus that is as new as the original server's, or newer: an older one cannot read its "
        "databases",
    )
    yield Check(
        both,
        hardware.LINE,
        hardware.not_weaker,
        "cores and memory of the target",
        "give the target as many cores and as much memory as the origin has, or accept that it has less",
        decision="accept-hardware",
    )
    yield Check(
        both,
        ini("external-url"),
        same_value,
        "same external-url",
        "run the setup wizard of the target with it",
    )
    yield Call(
        target,
        "GET",
        api.STATE,
        "the target's setup wizard has been run",
        judge=api.is_running,
        remedy="run https://TARGET/setup to its end, then bmctl start",
    )
    yield Check(
        target,
        "bm-cli setup check-subscription",
        subscription.by_bm_cli,
        "valid subscription for the target's system",
        "install a subscription for this distribution on the target",
        answers=ANY,
    )
    yield Call(
        origin, "GET", api.SERVERS, "BlueMind is on one server", judge=api.single_server, remedy=ONE_SERVER
    )
    yield Call(
        origin, "GET", api.CONFIGURATION, "mail bodies are on the server", judge=api.mail_is_here, remedy=S3
    )
    yield no_job_runs(origin)


ONE_SERVER = "this procedure moves one server; a platform of several needs BlueMind's support"
S3 = "with an archive in object storage bodies are not on the server: its credentials must move too"


def files(origin: str, target: str, trees: tuple[str, ...], added: bool, literal: bool) -> Iterator[Action]:
    configuration = (*CONFIGURATION, *(ADDED_CONFIGURATION if added else ()))
    yield Check(
        (origin, target),
        places.lie(trees),
        places.lie_apart,
        "no tree lies in another",
        "give each tree a folder of its own: what is deleted in one would be gone from the other",
    )
    yield Check(
        target,
        guards.mounted_by_hand(trees),
        guards.mounted_again,
        "what is mounted on the target is mounted again by a restart",
        "put what is mounted by hand into /etc/fstab of the target: this procedure restarts it",
        decision="accept-mounts",
    )
    yield Check(
        origin,
        places.leading_out(trees),
        places.nothing_outside,
        "no link of the trees leads out of them",
        "move what the link leads to into the tree, or mount it there (mount --bind) in the place of the link; "
        "or copy it to the target yourself, to the same path, and accept it",
        decision="accept-links",
    )
    yield Check(
        origin,
        places.among_files(added),
        places.can_be_followed,
        "links among the configuration files",
        "mend or remove the link that is named; where it is a certificate's, see whether it was renewed",
    )
    yield Check(
        (origin, target),
        (naming.there(trees, added), naming.here()),
        partial(naming.all_come, added),
        "files that the configuration names",
        "copy what is named to the target, to the same path (a map without its text: write it with postmap -s); install "
        "the package of a type of map that is missing; or take its name out of the configuration, or accept it",
        decision="accept-named-files",
    )
    if added:
        yield Check(
            (origin, target),
            "postconf -h queue_directory",
            queue_is_usual,
            "Postfix's queue is at its usual place",
            "its mail is carried from there to there: set queue_directory to that",
        )
    yield Check(
        (origin, target),
        (used(trees), free(trees)),
        enough_space,
        "place of each tree; space and inodes on the target, space for lists on the origin",
        "enlarge the file system that is named",
    )
    yield Check(
        (origin, target),
        (owning.there(trees), owning.HERE),
        owning.all_known,
        "the owners of the data exist on the target",
        "install the missing package, or create the user or group: rsync maps owners and access lists by name, so "
        "the names must be there. Give a number without a name one on the origin, and the same name another number on the "
        "target (useradd -u, groupadd -g)",
    )
    yield Check(
        target,
        guards.unwritable(trees, configuration),
        beside.none,
        "what is replaced on the target can be written",
        "let it be written: chattr -i FILE, or mount -o remount,rw PLACE",
    )
    yield Check(
        target,
        left_behind.look(trees, configuration, literal),
        left_behind.can_be_replaced,
        "nothing that is replaced on the target is append-only",
        "let it be replaced: chattr -a FILE",
    )
    yield Check(
        origin,
        left_behind.look(trees, configuration, literal),
        left_behind.all_carried,
        "nothing that files have beside their content is left behind",
        "a flag or a project's quota is not carried: set it on the target after the migration (chattr), where it is still "
        "wanted. Of a hard link between trees each tree gets a file of its own: the engine fast carries those of files "
        "below 64 MiB; or accept it, and the difference that the comparison will name",
        decision="accept-not-carried-files",
    )


def running_beside(origin: str, target: str, trees: tuple[str, ...]) -> Iterator[Action]:
    """What others have set up on the origin beside BlueMind, and would be in the way or be missing."""
    yield Check(
        (origin, target),
        beside.services(),
        beside.all_listen,
        "what Postfix and nginx ask on the origin listens on the target too",
        "install and start it on the target, as it is on the origin; or take it out of the configuration, or accept it",
        decision="accept-services",
    )
    yield Check(
        origin,
        beside.jobs(trees),
        beside.none,
        "no job of the origin's own works in the trees",
        "stop it until the servers are switched, and set it up on the target; where it only reads, accept it",
        decision="accept-jobs",
    )
    yield Check(
        origin,
        beside.programs(trees),
        beside.none,
        "no program beside BlueMind's has a file of the trees open",
        "stop it until the servers are switched: in the downtime nothing may write there",
    )


def login(origin: str, target: str, address: str, make_key: bool) -> Iterator[Action]:
    yield Check(
        origin,
        access.GREETING,
        nothing_printed,
        "root's login shell prints nothing where there is no terminal",
        QUIET,
    )
    if make_key:
        yield Check(
            origin,
            access.try_keys_file(address),
            done,
            "a key of this run can be added to root's keys, and taken away",
            "see to the file or the setting of sshd that is named; or let the target's root log in with a key of "
            "its own, and set make_key to false",
            answers=ANY,
        )
    yield Check(
        target,
        access.try_ssh(origin, address),
        partial(can_log_in, make_key),
        "the target's root can log in as root on the origin",
        KEY_REMEDY + "; or let this run make a key: make_key",
        answers=ANY,
        feed=(origin, access.host(address)),
    )


QUIET = (
    "let /root/.bashrc, or the file of that shell, end early without a terminal, as rsync and scp need it: begin it "
    "with the line: case $- in *i*) ;; *) return ;; esac"
)

POSTGRESQL = "PostgreSQL"
"""The place of the databases, which each server's PostgreSQL tells."""
_DATA = "data=$(cd / && runuser -u postgres -- psql -XAtc 'SHOW data_directory') || exit"
WORK_PARENT = "/var/lib"


def used(trees: tuple[str, ...]) -> str:
    """A line that prints path, bytes, inodes and place of each tree, of the databases and of their dumps; free bytes.

    The bytes are those of a copy with the origin's holes, and without its file system's compression.
    """
    size = "runuser -u postgres -- psql -XAtc 'SELECT sum(pg_database_size(datname)) FROM pg_database'"
    return f"""cd / && {inline(weights, *trees)}
[ $? = 0 ] || exit
size=$({size}) || exit
{_DATA}
echo "{POSTGRESQL} $size 5000 $data" && echo "{WORK_PARENT} $size 10 {WORK_PARENT}"
echo "free $(df -B1 --output=avail {WORK_PARENT} | tail -n 1)\""""


def free(trees: tuple[str, ...]) -> str:
    """A line that prints, for the same paths: path, mount point, free bytes and inodes, used bytes, place."""
    return f"""{_DATA}
for tree in {" ".join(map(quote, (*trees, WORK_PARENT)))} "$data"; do
  name=$tree; [ "$tree" != "$data" ] || name={POSTGRESQL}
  found=$tree; while [ ! -d "$found" ]; do found=$(dirname "$found"); done
  held=0; case $tree in /var/spool/*|/var/lib/cyrus) [ ! -d "$tree" ] || held=$(du -s -B1 "$tree/" | cut -f1);; esac
  echo "$name $(df -B1 --output=target,avail,iavail,itotal "$found" | tail -n 1) $held $(readlink -m "$tree")"
done"""


def enough_space(origin: Result, target: Result) -> Verdict:
    """Add up what comes to each file system of the target; what it replaces there counts as free."""
    come = _fields(origin, 4)
    need = {path: (int(size), int(inodes)) for path, size, inodes, _ in come}
    wanted: dict[str, list[float]] = {}
    room: dict[str, tuple[int, int, int]] = {}
    there = _fields(target, 7)
    for path, mount, avail, iavail, itotal, held, _ in there:
        size, inodes = need.get(path, (0, 0))
        total = wanted.setdefault(mount, [0.0, 0.0])
        total[0] += max(0.0, size * SPARE - int(held))
        total[1] += inodes * SPARE
        room[mount] = int(avail), int(iavail), int(itotal)
    if not need or not room:
        return Verdict.unmade((origin.stderr + target.stderr).strip())
    short = [
        f"{mount} needs {size / 1e6:,.0f} MB and {inodes:,.0f} inodes, has {room[mount][0] / 1e6:,.0f} MB and {room[mount][1]:,}"
        for mount, (size, inodes) in wanted.items()
        # file systems without a fixed number of inodes, such as btrfs, tell 0
        if size > room[mount][0] or (room[mount][2] and inodes > room[mount][1])
    ]
    paths, databases_size = sum(inodes for _, inodes in need.values()), need.get(POSTGRESQL, (0, 0))[0]
    lists = LISTED_BYTES * paths + ROWS_SHARE * databases_size
    free_there = sum(int(size) for name, size in _fields(origin, 2) if name == "free")
    if lists > free_there:
        short.append(
            f"{WORK_PARENT} of the origin needs {lists / 1e6:,.0f} MB for lists, has {free_there / 1e6:,.0f} MB"
        )
    total_bytes = sum(size for size, _ in need.values())
    seen = "; ".join(short) or f"{total_bytes / 1e6:,.0f} MB come, there is room"
    return Verdict(not short, seen, tuple(_places(come, there)))


def _places(come: list[list[str]], there: list[list[str]]) -> Iterator[Row]:
    """Where each path that comes lies on both servers."""
    ours = {path: (mount, place) for path, mount, *_, place in there}
    for path, size, inodes, place in come:
        mount, here = ours.get(path, ("", ""))
        yield {
            "item": path,
            "origin": place,
            "target": here,
            "file system": mount,
            "bytes": int(size),
            "entries": int(inodes),
        }


def _fields(result: Result, number: int) -> list[list[str]]:
    """The lines with so many fields; in the last one there may be spaces."""
    rows = [line.split(maxsplit=number - 1) for line in result.stdout.splitlines()]
    return [row for row in rows if len(row) == number]


def different(origin: Result, target: Result) -> Verdict:
    ids = [one.stdout.strip() for one in (origin, target)]
    return Verdict(all(ids) and ids[0] != ids[1], " and ".join(one[:8] or "none" for one in ids))


def clocks_agree(origin: Result, target: Result) -> Verdict:
    apart = abs(int(origin.stdout) - int(target.stdout))
    return Verdict(apart <= CLOCK_SECONDS, f"{apart} s apart" if apart > 2 else "agree")


def same_value(origin: Result, target: Result) -> Verdict:
    values = [one.stdout.strip() for one in (origin, target)]
    return Verdict(
        bool(values[0]) and values[0] == values[1],
        " and ".join(dict.fromkeys(one or "none" for one in values)),
    )


def queue_is_usual(*servers: Result) -> Verdict:
    seen = {one.stdout.strip() or one.stderr.strip() for one in servers}
    return Verdict(seen == {QUEUE}, " and ".join(sorted(seen)))


def same_packages(origin: Result, target: Result) -> Verdict:
    theirs, ours = _packages(origin), _packages(target)
    # rpm tells versions without epoch and release, which dpkg has in its own
    of_rpm = [one for one in (theirs, ours) if all(map(_is_bare, one.values()))]
    comparable = _upstream if len(of_rpm) == 1 else str
    wrong = [
        f"{name}: {theirs.get(name, 'none')} on the origin, {ours.get(name, 'none')} on the target"
        for name in sorted(theirs.keys() | ours.keys())
        if comparable(theirs.get(name, "")) != comparable(ours.get(name, ""))
    ]
    if not theirs:
        return Verdict(False, "no bm-* package on the origin")
    absent = [f"{name}={theirs[name]}" for name in sorted(theirs.keys() - ours.keys())]
    if absent:
        wrong.append(f"apt install {' '.join(absent)}, or yum install {' '.join(absent).replace('=', '-')}")
    return Verdict(
        not wrong, "; ".join(wrong) or f"{len(theirs)} packages, bm-core {theirs.get('bm-core', 'none')}"
    )


def _is_bare(version: str) -> bool:
    return version == _upstream(version)


def _upstream(version: str) -> str:
    """A version of dpkg without epoch and revision."""
    return version.rpartition(":")[2].partition("-")[0]


def _packages(listed: Result) -> dict[str, str]:
    rows = [line.split() for line in listed.stdout.splitlines()]
    return {
        name: version
        for status, name, version in (row for row in rows if len(row) == 3)
        if status == "installed"
    }


def rsync_compares_nanoseconds(origin: Result, target: Result) -> Verdict:
    """--modify-window=-1 needs 3.1.3 on the receiving side."""
    versions = [one.stdout.strip() for one in (origin, target)]
    numbers = tuple(int(part) for part in re.findall(r"\d+", versions[1]))
    return Verdict(all(versions) and numbers >= (3, 1, 3), " and ".join(one or "none" for one in versions))


def lists_files(origin: Result, target: Result) -> Verdict:
    both = (origin, target)
    return Verdict(all(one.ok for one in both), " and ".join(one.stdout.strip() or "none" for one in both))


def can_log_in(make_key: bool, tried: Result) -> Verdict:
    if tried.ok:
        return Verdict(True, "yes, with a key of its own")
    if make_key:
        return Verdict(True, "no; a key for this run will be made")
    return Verdict(False, (tried.stderr.strip().splitlines() or ["its login shell is not bash"])[-1])


def logs_in(tried: Result) -> Verdict:
    """What is printed beside would get into every answer, and between two halves of rsync."""
    said = tried.stdout.strip()
    return Verdict(False, f"its login shell prints: {said[:200]}") if said else done(tried)
