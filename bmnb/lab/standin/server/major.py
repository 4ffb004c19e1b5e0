"""What the packages of the next major version do on a server, and how those of this one take it back.

Known (see the project's facts on BlueMind 5): Cyrus and HPS are gone with 5, PostgreSQL goes from 14 to 16 within the
update of the packages, its unit bm-postgresql-postupgrade goes on for a while and is announced by a flag. Invented:
that bm-conf is what excludes the packages of 4, how long that unit takes, and that PostgreSQL itself stays as it is,
since Debian 12 has no other. Mail stays where it was: how BlueMind moves it is not published.
"""

from __future__ import annotations

from .variants import VARIANTS, Variant, successor_of

MARK = "/etc/bmnb-standin"
FLAG = "/etc/bm/pg.need.postupgrade"
POSTUPGRADE_SECONDS = 4
BOOTED = "[ ! -d /run/systemd/system ] ||"
"""An image is made in a system that is not booted."""

_UNIT = "/etc/systemd/system/bmnb-imap.service"
_AGAIN = "systemctl daemon-reload; systemctl --quiet try-restart bmnb-imap.service"
IMAP_TO_CORE = f"""if [ -e {_UNIT} ]; then
  cp -n {_UNIT} {_UNIT}.4
  sed -i "s/^\\(ExecStart=.* \\).*:/\\1$(cat /etc/nginx/bm-upstream-core):/" {_UNIT}; {_AGAIN}
fi
"""
IMAP_BACK = f"[ ! -e {_UNIT}.4 ] || {{ mv {_UNIT}.4 {_UNIT}; {_AGAIN}; }}\n"
"""An edge hands IMAP on to where the mailboxes are."""


def conflicts(own: Variant, name: str, version: str) -> tuple[str, ...]:
    """The packages that cannot stay beside this one: those that the next major version has no more."""
    after = successor_of(own)
    if name != "bm-conf" or after is None or version != after.version:
        return ()
    return tuple(sorted(set(own.packages) - set(after.packages)))


def needs(own: Variant, name: str, version: str) -> tuple[str, ...]:
    """What has to be configured before it: the services that restart find which release they are."""
    after = successor_of(own)
    return (f"bm-conf (= {version})",) if after and version == after.version and name == "bm-core" else ()


def script(own: Variant, name: str, version: str) -> str:
    """What installing a package does beside what any update of it does."""
    after = successor_of(own)
    if after is None:
        return ""
    if version != after.version:
        return {"bm-conf": _becomes(own, own), "bm-client-access": IMAP_BACK}.get(name, "")
    return {
        "bm-conf": _becomes(own, after),
        "bm-client-access": IMAP_TO_CORE,
        "bm-postgresql": f"touch {FLAG}\nsystemd-run --quiet --collect --unit bm-postgresql-postupgrade "
        f"sh -c 'sleep {POSTUPGRADE_SECONDS}; rm -f {FLAG}'\n",
    }.get(name, "")


def _becomes(own: Variant, release: Variant) -> str:
    """From now on the services of that release start with BlueMind, and those of the other one do not."""
    name = next(name for name, one in VARIANTS.items() if one is release)
    lines = [f"sed -i 's/^bluemind=.*/bluemind={name}/' {MARK}\n"]
    for service in sorted({*own.services} ^ {*VARIANTS[own.successor].services}):
        does, at_once = ("enable", "start") if service in release.services else ("disable", "stop")
        lines.append(
            f"if [ -e /lib/systemd/system/{service}.service ]; then systemctl --quiet {does} {service}\n"
            f"  {BOOTED} systemctl {at_once} {service}; fi\n"
        )
    return "".join(lines)
