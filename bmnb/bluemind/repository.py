"""The signature of BlueMind's repository on Debian's family: a key in a keyring of its own."""

from __future__ import annotations

from datetime import UTC, datetime

from bmnb.edits import rewrite
from bmnb.packages.apt import KEYRING, LIST
from bmnb.steps import Result, Row

ADDRESS = "https://pkg.bluemind.net/bluemind-deb.asc"


APT_S_PROXY = (
    'eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"; '
    'export http_proxy="${http_proxy#DIRECT}" https_proxy="${https_proxy-$http_proxy}"; export https_proxy="${https_proxy#DIRECT}"'
)
"""For what is not apt; https goes through the one for http where it has none of its own."""


def fetch(folder: str, address: str) -> str:
    """Fetch the key, trusting it for nothing yet, and print what it is. An error page is no key.

    Where apt goes through a proxy, there may be no other way.
    """
    key = f"{folder}/repository-key.asc"
    return (
        f"umask 077; {APT_S_PROXY}; mkdir -p {folder} && curl -fsSL --max-time 60 -o {key} {address} && "
        f"gpg --batch --with-colons --show-keys {key}"
    )


def show(folder: str) -> str:
    return f"cat {folder}/repository-key.asc"


def read_key(told: Result) -> Row:
    """Fingerprint, owner and end of validity (seconds since 1970 in field 7), from gpg's colon format."""
    rows = [line.split(":") for line in told.stdout.splitlines()]
    primary = next(row for row in rows if row[0] == "pub")
    ends = primary[6]
    return {
        "fingerprint": next(row[9] for row in rows if row[0] == "fpr"),
        "owner": next((row[9] for row in rows if row[0] == "uid"), ""),
        "valid until": f"{datetime.fromtimestamp(int(ends), UTC):%Y-%m-%d}" if ends else "no end",
    }


def install() -> str:
    """Take the key that comes in as input for this repository alone (signed-by)."""
    named = f"signed-by={KEYRING}"
    bind = rf"'/signed-by=/!{{s#^(deb[[:blank:]]+)\[#\1[{named} #; s#^(deb[[:blank:]]+)([^[[:blank:]])#\1[{named}] \2#}}'"
    return f"""mkdir -p -m 755 {KEYRING.rpartition("/")[0]} && cat > {KEYRING}.new && chmod 644 {KEYRING}.new && mv {KEYRING}.new {KEYRING}
{rewrite(LIST, f"sed -E {bind}")}
! grep -E '^deb[[:blank:]]' {LIST} | grep -v signed-by="""
