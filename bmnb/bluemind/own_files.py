"""A client's own configuration through an update: saved before, compared after, virtual hosts enabled again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from bmnb.packages.tool import PACKAGES
from bmnb.steps import Result, Verdict

PLACES = ("/etc/postfix", "/etc/nginx", "/etc/bm", "/etc/aliases", "/etc/ssl/certs/bm_cert.pem")
MORE = "/etc/bm-*"
SITES = "/etc/nginx/sites-enabled"
OF_BLUEMIND = "bm-client-access*|bm-webmail"
"""The virtual hosts that BlueMind's own packages enable again."""

REBUILT = ("*.db", "bm_dhparam.pem")


def save(folder: str) -> str:
    """Save configuration files, Postfix's settings, services and versions as they are before the update."""
    before = f"{folder}/before"
    return f"""umask 077; rm -rf {before} && mkdir -p {before}/state && touch {before}/mark || exit 1
cd / && found=() && for path in {" ".join(PLACES)} {MORE}; do [ ! -e "$path" ] || found+=("${{path#/}}"); done
tar -cf - -- "${{found[@]}}" | tar -xpf - -C {before} || exit 1
! command -v postconf > /dev/null || postconf -n > {before}/state/postconf || exit 1
services=$(bmctl all_status); echo "$services" > {before}/state/services && {PACKAGES} > {before}/state/packages"""


def save_again(folder: str) -> str:
    """The same later, but where somebody has updated packages since: what that did to the files is not the client's."""
    packages = f"{folder}/before/state/packages"
    return f"""if [ -s {packages} ] && ! {PACKAGES} | cmp -s {packages} -; then
  echo 'packages were updated since: what was saved before that is kept'
else
{save(folder)}
fi"""


def put_back(folder: str) -> str:
    """Put the saved files in place again, and have nginx and Postfix read them; what is new stays."""
    return f"""cd {folder}/before || exit 1
for path in {" ".join(PLACES)} {MORE}; do
  [ ! -e ".$path" ] || cp -aT --remove-destination ".$path" "$path" || exit 1
done
! test -d /etc/nginx || {{ nginx -t && systemctl restart nginx; }} || exit 1
! systemctl -q is-active postfix || systemctl reload postfix"""


def changes(folder: str, left: Sequence[str]) -> str:
    """A line that prints what the update changed: `diff -rq` of the saved files, and keys of Postfix.

    The whole difference goes to a file that root alone can read, since configuration holds passwords.
    """
    before = f"{folder}/before"
    excluded = " ".join(f"-x '{name}'" for name in REBUILT)
    names = " -o ".join(f"-name '{name}'" for name in left)
    return f"""umask 077; : > {folder}/changes.diff; cd {before} || exit 1
for path in {" ".join(PLACES)} {MORE}; do
  [ -e ".$path" ] || continue
  diff -rq --no-dereference {excluded} ".$path" "$path"
  diff -ruN --no-dereference {excluded} ".$path" "$path" >> {folder}/changes.diff
done
[ ! -f state/postconf ] || postconf -n | diff state/postconf - | sed -nE 's/^[<>] ([^ ]+) =.*/postfix \\1/p' | sort -u
find /etc -cnewer mark \\( {names} \\) -printf 'beside %p\\n'; echo end"""


def what_changed(told: Result) -> Verdict:
    """Always holds: it is for a person to read. Files are named, their contents are not shown."""
    items = [one for line in told.stdout.splitlines() for one in _change(line)]
    counts = Counter(item["change"] for item in items)
    seen = ", ".join(f"{number} {change}" for change, number in counts.items()) or "nothing changed"
    return Verdict(told.stdout.endswith("end\n"), seen, tuple({"server": told.host, **one} for one in items))


CHANGES = {
    r"Files \S+ and (/.*) differ": "overwritten",
    r"Only in \.(/.*): (.*)": "gone",
    r"Only in (/.*): (.*)": "new",
    r"postfix (.*)": "setting of Postfix changed",
    r"beside (.*)": "local file kept, new one beside it",
}


def _change(line: str) -> list[dict[str, str]]:
    for pattern, change in CHANGES.items():
        if found := re.fullmatch(pattern, line):
            return [{"change": change, "what": "/".join(found.groups())}]
    return []


def enable_hosts(folder: str) -> str:
    """Put back the virtual hosts that the update disabled, each where nginx accepts it."""
    return f"""cd {folder}/before{SITES} && put=() refused=() && shopt -s nullglob dotglob
nginx -t || exit 1
for site in *; do
  case $site in {OF_BLUEMIND}) continue;; esac
  [ ! -e "{SITES}/$site" ] && [ ! -L "{SITES}/$site" ] || continue
  cp -a "$site" {SITES}/ || exit 1
  if nginx -t; then put+=("$site"); else rm -f "{SITES}/$site"; refused+=("$site"); fi
done
echo "enabled again: ${{put[*]:-none}}"
systemctl reload nginx || exit 1
[ ${{#refused[@]}} -eq 0 ] || {{ echo "nginx refuses: ${{refused[*]}}" >&2; exit 1; }}"""


def read_enabled(told: Result) -> dict[str, str]:
    return {"virtual hosts": told.stdout.splitlines()[0].removeprefix("enabled again: ")}


HAS_SITES = f"test -d {SITES}"


def services(folder: str) -> str:
    return f"cat {folder}/before/state/services; echo -- now; bmctl status"


def archive(folder: str) -> str:
    """Keep what was saved under the time at which it was, out of the way of the next update."""
    return f"! test -d {folder}/before || mv {folder}/before {folder}/before-$(date -r {folder}/before/mark +%Y%m%d-%H%M%S)"
