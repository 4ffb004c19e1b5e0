"""Data that was made in one of the lab's networks, for a server in another."""

from __future__ import annotations

from pathlib import Path

from bmnb.errors import BmnbError
from bmnb.lab.host import call

UNIT = "etc/systemd/system/bmnb-addresses.service"
WANTED = "etc/systemd/system/multi-user.target.wants/bmnb-addresses.service"


def change(root: Path, before: str, after: str) -> None:
    """What BlueMind's page on changing addresses has done: in files now, in the database while the server boots."""
    if before == after:
        return
    networks = [address.rpartition(".")[0] + "." for address in (before, after)]
    call("chroot", root, "bash", "-s", stdin=_files(*networks))
    if (root / "etc/bm/bm-core.tok").exists():
        (root / UNIT).write_text(_database(*networks))
        (root / WANTED).symlink_to(f"/{UNIT}")


def assert_changed(root: Path) -> None:
    """Raise BmnbError where a booted server still has other addresses in its database."""
    if (root / UNIT).exists():
        raise BmnbError(f"the addresses in the database were not changed: systemctl status {Path(UNIT).name}")


def _files(before: str, after: str) -> str:
    pattern = before.replace(".", "\\.")
    return f"""set -e
grep -rlZ --binary-files=without-match -F {before} /etc /usr/share/bm-elasticsearch/config | xargs -0 -r sed -i 's/{pattern}/{after}/g'
for map in /etc/postfix/*-flat; do
  [ ! -f "$map" ] || {{ postmap "$map" && mv "$map.db" "${{map%-flat}}.db"; }}
done
"""


def _database(before: str, after: str) -> str:
    """A unit that takes itself away once it has done its work."""
    return f"""[Unit]
Description=addresses of the lab's network in BlueMind's database
Requires=postgresql.service
After=postgresql.service
Before=bm-core.service

[Service]
Type=oneshot
User=postgres
StandardInput=data
StandardInputText=UPDATE t_server SET ip = replace(ip, '{before}', '{after}');
StandardInputText=UPDATE t_domain SET properties = (replace(properties::text, '{before}', '{after}'))::hstore;
StandardInputText=UPDATE rc_users SET mail_host = replace(mail_host, '{before}', '{after}');
StandardInputText=UPDATE t_systemconf SET configuration = (replace(configuration::text, '{before}', '{after}'))::hstore;
ExecStart=/usr/bin/psql -X -q -v ON_ERROR_STOP=1 bj
ExecStartPost=+/bin/rm /{UNIT} /{WANTED}
"""
