"""Trees and files that lie elsewhere: links, mounts, disks."""

from __future__ import annotations

from bmnb.lab.habits.habit import Carried, Habit, Refused

STOP = "bmctl stop; systemctl stop postfix"
START = "systemctl start postgresql postfix; bmctl start"

LARGE = 66_000_000
"""Bytes of a file that rsync copies with both engines."""

PLACES = "place of each tree; space and inodes on the target, space for lists on the origin"

LETSENCRYPT = "/etc/letsencrypt/live/mail.example.org"
CERTIFICATE = "/etc/ssl/certs/bm_cert.pem"


def moved(disk: str, *trees: str) -> str:
    """Trees are moved to a disk, and links to them left."""
    return f"""{STOP}; mkdir -p {disk}
for tree in {" ".join(trees)}; do mv $tree {disk}/; ln -s {disk}/${{tree##*/}} $tree; done
{START}"""


HABITS = (
    Habit(
        "linked-trees",
        "moves data to a larger disk, and leaves links in its place",
        Carried(
            "the trees are copied and compared through the links",
            on_target=f"[ $(stat -c %s /var/spool/bm-filehosting/large) = {LARGE} ]; [ ! -L /var/spool/bm-docs ]",
            check=PLACES,
            seen="/data/here/bm-filehosting",
        ),
        {
            "origin": f"""{moved("/data/here", "/var/spool/bm-filehosting", "/var/spool/bm-docs")}
head -c {LARGE} /dev/urandom > /var/spool/bm-filehosting/large
ln -s large /var/spool/bm-filehosting/link"""
        },
        place="trees of the origin",
    ),
    Habit(
        "linked-trees-of-the-target",
        "has put the new server's data on a disk of its own, with links to it",
        Carried(
            "the links stay, what they lead to is filled",
            on_target="""[ $(readlink /var/spool/cyrus) = /srv/disk/cyrus ]
[ $(readlink /var/spool/bm-filehosting) = /srv/disk/bm-filehosting ]""",
            check=PLACES,
            seen="/srv/disk/cyrus",
        ),
        {"target": moved("/srv/disk", "/var/spool/cyrus", "/var/spool/bm-filehosting")},
    ),
    Habit(
        "bound-spool",
        "mounts the mail spool from elsewhere (bind, noatime)",
        Carried("the mail arrives"),
        {
            "origin": f"""{STOP}; mkdir -p /data; mv /var/spool/cyrus /data/cyrus; mkdir /var/spool/cyrus
mount --bind /data/cyrus /var/spool/cyrus; mount -o remount,bind,noatime /var/spool/cyrus; {START}"""
        },
    ),
    Habit(
        "disk-of-its-own",
        "keeps a tree on a file system of its own, with its lost+found",
        Carried("the folder comes with the others"),
        {"origin": "mkdir -m 700 /var/spool/bm-hsm/lost+found"},
    ),
    Habit(
        "snapshots-by-hard-links",
        "keeps snapshots of files as hard links (rsnapshot, cp -al)",
        Carried("files arrive as they are; the snapshots are not among the trees"),
        {"origin": "cp -al $(readlink -f /var/spool/bm-docs) /var/spool/docs.0"},
        {"origin": "rm -r /var/spool/docs.0"},
    ),
    Habit(
        "certificate-of-letsencrypt",
        "has the certificate as a link into /etc/letsencrypt/live, and a key likewise",
        Carried(
            "each arrives as the file that it leads to",
            on_target=f"[ -f {CERTIFICATE} ]; grep -q CERTIFICATE {CERTIFICATE}; [ ! -L /etc/bm/linked-key ]; [ -f /etc/bm/linked-key ]",
        ),
        {
            "origin": f"""mkdir -p {LETSENCRYPT}; mv {CERTIFICATE} {LETSENCRYPT}/cert1.pem
ln -s cert1.pem {LETSENCRYPT}/fullchain.pem; ln -s {LETSENCRYPT}/fullchain.pem {CERTIFICATE}
echo key > {LETSENCRYPT}/privkey.pem; ln -s {LETSENCRYPT}/privkey.pem /etc/bm/linked-key"""
        },
    ),
    Habit(
        "linked-certificate-of-the-target",
        "has made the new server's certificate a link",
        Carried("a file is there afterwards", on_target=f"[ ! -L {CERTIFICATE} ]; [ -s {CERTIFICATE} ]"),
        {"target": f"mv {CERTIFICATE} /etc/ssl/own.pem; ln -s /etc/ssl/own.pem {CERTIFICATE}"},
    ),
    Habit(
        "link-out-of-a-tree",
        "has moved a part of a tree away, and left a link",
        Refused(
            "no link of the trees leads out of them", "lead out of the trees", "move what the link leads to"
        ),
        {"origin": "mkdir -p /data/old; ln -s /data/old /var/spool/bm-filehosting/old"},
        {"origin": "rm /var/spool/bm-filehosting/old"},
    ),
    Habit(
        "tree-in-a-tree",
        "has put one tree into another, and left a link",
        Refused("no tree lies in another", "lies in", "give each tree a folder of its own"),
        {
            "origin": f"{STOP}; mv /var/spool/bm-hollowed /var/spool/bm-hsm/; ln -s bm-hsm/bm-hollowed /var/spool/bm-hollowed; {START}"
        },
        {
            "origin": f"{STOP}; rm /var/spool/bm-hollowed; mv /var/spool/bm-hsm/bm-hollowed /var/spool/; {START}"
        },
    ),
    Habit(
        "dangling-link-in-the-configuration",
        "has a link among the configuration files to what was removed long ago",
        Refused("links among the configuration files", "lead nowhere", "mend or remove the link"),
        {"origin": "ln -s /etc/letsencrypt/live/old/cert.pem /etc/bm/old.pem"},
        {"origin": "rm /etc/bm/old.pem"},
    ),
    Habit(
        "unmounted-tree",
        "has not mounted again what was mounted by hand",
        Refused("the trees are there", "/var/spool/bm-docs", "mount the tree"),
        {"origin": "mv /var/spool/bm-docs /var/spool/docs.away; mkdir /var/spool/bm-docs"},
        {"origin": "rmdir /var/spool/bm-docs; mv /var/spool/docs.away /var/spool/bm-docs"},
    ),
    Habit(
        "mounted-by-hand-on-the-target",
        "has mounted a disk on the new server, and not written it into /etc/fstab",
        Refused(
            "what is mounted on the target is mounted again by a restart",
            "/var/spool/cyrus",
            "put what is mounted by hand into /etc/fstab",
        ),
        {"target": "mkdir -p /srv/big; mount --bind /srv/big /var/spool/cyrus"},
        {"target": "umount /var/spool/cyrus"},
    ),
    Habit(
        "small-disk-of-the-target",
        "has given the new server a disk that is too small",
        Refused(
            PLACES,
            "/var/spool/bm-filehosting needs",
            "enlarge the file system",
        ),
        {"target": "mount -t tmpfs -o size=64k,nr_inodes=20 small /var/spool/bm-filehosting"},
        {"target": "umount /var/spool/bm-filehosting"},
    ),
    Habit(
        "immutable-file-of-the-target",
        "has made a file immutable, since BlueMind kept writing it anew (chattr +i)",
        Refused("what is replaced on the target can be written", "/etc/postfix/main.cf", "chattr -i"),
        {"target": "chattr +i /etc/postfix/main.cf"},
        {"target": "chattr -i /etc/postfix/main.cf"},
    ),
    Habit(
        "read-only-tree-of-the-target",
        "has mounted a tree of the new server read-only after an fsck",
        Refused("what is replaced on the target can be written", "/var/spool/bm-docs", "mount -o remount,rw"),
        {
            "target": "mount --bind /var/spool/bm-docs /var/spool/bm-docs; mount -o remount,bind,ro /var/spool/bm-docs"
        },
        {"target": "umount /var/spool/bm-docs"},
    ),
)
