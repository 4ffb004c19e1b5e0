"""The setup wizard at /setup: its password, and the update that it starts."""

from __future__ import annotations

from bmnb.bluemind.api import VERSION
from bmnb.bluemind.paths import TOKEN, ini
from bmnb.steps import TRUE_OR_FALSE, Result, Verdict

HTPASSWD = "/etc/nginx/sw.htpasswd"
USER = "admin"
LOG = "setup.log"

_STORED = (
    "cd / && runuser -u postgres -- psql -XAtc \"SELECT configuration -> 'sw_password' FROM t_systemconf\" bj"
)
# nginx asks for no password at all where the file is missing
_ASK = (
    f"url=$({ini('external-url')}); asked() {{ curl -q -sk --noproxy '*' -o /dev/null -w '%{{http_code}}' --max-time 20 "
    '--resolve "$url:443:127.0.0.1" "$@" "https://$url/setup/"; }'
)


def access() -> str:
    """A line that prints how /setup answers without a password, and whether BlueMind's own is accepted."""
    return f"""{_ASK}
echo "without password: $(asked)"
if ! command -v htpasswd > /dev/null; then echo unknown
elif {_STORED} | htpasswd -vi {HTPASSWD} {USER} > /dev/null 2>&1; then echo accepted; else echo refused; fi"""


def protected(told: Result) -> Verdict:
    lines = told.stdout.splitlines()
    if "without password: 401" not in lines:
        answer = lines[0].split()[-1] if lines else told.stderr.strip()
        return Verdict(False, f"/setup asks for no password; its answer is {answer}")
    if "unknown" in lines:
        return Verdict(False, "htpasswd is missing: install apache2-utils, or httpd-tools, on the core")
    accepted = "accepted" in lines
    return Verdict(
        accepted,
        "asked for, and accepted" if accepted else "the password that BlueMind has stored is not accepted",
    )


def generate(folder: str) -> str:
    """Make a password that only root can read, once; whoever needs it reads it there."""
    return (
        f"umask 077; mkdir -p {folder}; test -s {folder}/setup-password || "
        f"head -c 18 /dev/urandom | base64 | tr '+/' '-_' > {folder}/setup-password"
    )


def save_in_configuration(folder: str) -> str:
    """The console's way, by the configuration's key; through a file, since an argument can be read by all."""
    file = f"{folder}/setup-password.json"
    return (
        f'umask 077; printf \'{{"sw_password": "%s"}}\' "$(cat {folder}/setup-password)" > {file} && '
        f"bm-cli sysconf mset --format json {file}; status=$?; rm -f {file}; exit $status"
    )


def write_htpasswd(folder: str) -> str:
    """The document's way on the server; the new file replaces the old one whole, so /setup is never open."""
    return f"""new=$(mktemp {HTPASSWD}.XXXXXX) && htpasswd -ic "$new" {USER} < {folder}/setup-password || exit 1
if [ -e {HTPASSWD} ]; then chown --reference={HTPASSWD} "$new" && chmod --reference={HTPASSWD} "$new"
else chgrp www-data "$new" 2> /dev/null || chgrp nginx "$new"; chmod 640 "$new"; fi
mv "$new" {HTPASSWD}"""


def try_password(folder: str) -> str:
    """A line that prints how /setup answers without a password, and with the new one, given to curl as input."""
    return f"""{_ASK}
echo "without password: $(asked)"
echo "with the new one: $(printf 'user = "{USER}:%s"\\n' "$(cat {folder}/setup-password)" | asked -K -)\""""


def recovered(told: Result) -> Verdict:
    closed = "without password: 401" in told.stdout
    opens = "with the new one: 2" in told.stdout
    return Verdict(closed and opens, ", ".join(told.stdout.splitlines()))


# the setup wizard changes the first, an update of bm-postgresql may change the second
_DATABASES = (
    "cd / && runuser -u postgres -- psql -XAtc \"SELECT string_agg(component || ' ' || version, ', ' ORDER BY component) "
    "|| ', PostgreSQL ' || current_setting('server_version_num')::int / 10000 FROM t_component_version\" bj"
)


def note_databases(folder: str) -> str:
    """Write down the databases' version before anything can change them."""
    return f'rm -f {folder}/wizard-begun; now=$({_DATABASES}) && echo "$now" > {folder}/databases'


def begin(folder: str) -> str:
    return f"touch {folder}/wizard-begun"


def databases_are(change: str, folder: str) -> str:
    """A line that holds where the databases are = or != those that were noted; begun by the wizard is changed."""
    return f"""now=; [ -e {folder}/wizard-begun ] || now=$({_DATABASES}) || exit 2
[ "$now" {change} "$(cat {folder}/databases)" ]"""


_STATE = "curl -q -s --noproxy '*' http://127.0.0.1:8090/api/system/installation/state"


def update(folder: str) -> str:
    """What the button Update does; where it fails, also say in which state the platform is left."""
    return f"""bm-cli setup upgrade 2>&1 | tee {folder}/{LOG}
status=$?
[ $status -eq 0 ] || {{ tail -n 5 {folder}/{LOG}; echo "state of the platform: $({_STATE})"; }} >&2
exit $status"""


def has_updated() -> str:
    """A line that holds where the core says that its software and its database are of one version."""
    return f"""said=$(printf 'header = "X-BM-ApiKey: %s"\\n' "$(cat {TOKEN})" |
  curl -q -sf -K - --noproxy '*' http://127.0.0.1:8090{VERSION}) || exit 1
grep -qE '"needsUpgrade" *: *false' <<< "$said\""""


def text(folder: str) -> str:
    return f"sed 's/\\x1b\\[[0-9;]*m//g' {folder}/{LOG} | grep 'Upgrade Complete' | tail -n 1"


def success(told: Result) -> Verdict:
    """Where its last words are lost, as on a full disk, the versions of software and database tell."""
    said = told.stdout.strip()
    silent = not said and told.exit in TRUE_OR_FALSE
    return Verdict(silent or said.endswith("Success"), said or "bm-cli did not say how it ended")
