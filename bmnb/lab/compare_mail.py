"""An independent comparison of the mail of two servers: all of it as isync (mbsync) fetches it over IMAP.

It shares no code with what migrates; the lab's images with a real Cyrus have isync.
"""

from __future__ import annotations

import json

from bmnb.errors import BmnbError
from bmnb.lab.compare import Difference, Runner

# a session of the core is each user's password; isync marks what it fetches with X-TUID, and a Maildir tells flags in names
SCRIPT = r"""
import hashlib, json, os, re, subprocess, sys, tempfile, urllib.parse, urllib.request

CONFIGURATION = '''IMAPAccount one
Host 127.0.0.1
Port 1143
User %(user)s
Pass %(key)s
SSLType None
AuthMechs LOGIN

IMAPStore far
Account one

MaildirStore near
Path %(place)s/mail/
Inbox %(place)s/mail/INBOX
SubFolders Verbatim

Channel all
Master :far:
Slave :near:
Patterns *
Sync Pull
Create Slave
SyncState *
'''


def key(user):
    headers = {"X-BM-ApiKey": open("/etc/bm/bm-core.tok").read().strip(), "Content-Type": "application/json"}
    url = "http://127.0.0.1:8090/api/auth/_su?login=" + urllib.parse.quote(user)
    return json.load(urllib.request.urlopen(urllib.request.Request(url, b"", headers, method="POST")))["authKey"]


def content(path):
    with open(path, "rb") as file:
        return hashlib.sha256(re.sub(rb"(?m)^X-TUID: .*\n", b"", file.read())).hexdigest()


def flags(name):
    "Those of isync 1.3; later ones tell also what was passed on."
    return name.partition(":2,")[2].replace("P", "")


for user in sys.argv[1:]:
    with tempfile.TemporaryDirectory() as place:
        os.mkdir(place + "/mail")
        with open(place + "/rc", "w") as file:
            file.write(CONFIGURATION % {"user": user, "key": key(user), "place": place})
        done = subprocess.run(["mbsync", "-q", "-c", place + "/rc", "all"], stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit("mbsync of %s: %s" % (user, done.stderr))
        found = {}
        for folder, _, names in os.walk(place + "/mail"):
            at = os.path.relpath(os.path.dirname(folder), place + "/mail")
            if os.path.basename(folder) in ("cur", "new"):
                found.setdefault(at, [])
                found[at] += [content(folder + "/" + name) + " " + flags(name) for name in names]
        for at, messages in found.items():
            print(json.dumps([user + " " + at, sorted(messages)]))
"""


def mail(origin: Runner, target: Runner, users: list[str]) -> list[Difference]:
    """Compare every folder of the users, by content and flags. Raise BmnbError where one has none."""
    return differing(fetched(origin, users), fetched(target, users))


def fetched(run: Runner, users: list[str]) -> dict[str, list[str]]:
    """By user and folder the messages, each by its sum and its flags."""
    rows = [
        json.loads(line) for line in run(f"python3 - {' '.join(users)} <<'END'\n{SCRIPT}\nEND").splitlines()
    ]
    missing = set(users) - {place.split(" ")[0] for place, _ in rows}
    if missing:
        raise BmnbError(f"isync has fetched no folder of {', '.join(sorted(missing))}")
    return dict(rows)


def differing(origin: dict[str, list[str]], target: dict[str, list[str]]) -> list[Difference]:
    return [
        Difference("mail", place, *(_told(side.get(place)) for side in (origin, target)))
        for place in sorted(origin.keys() | target.keys())
        if origin.get(place) != target.get(place)
    ]


def _told(messages: list[str] | None) -> str:
    return "absent" if messages is None else f"{len(messages)} messages: {' '.join(messages)}"
