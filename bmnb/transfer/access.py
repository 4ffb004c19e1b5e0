"""Key authentication of the target's root on the origin, for one run alone."""

import re
from collections.abc import Iterable
from hashlib import sha256
from shlex import quote
from typing import NamedTuple

from bmnb import edits

WORK = "/var/lib/bmnb"

WORDS = "A-Za-z0-9 ./_-"
"""Signs of plain words."""

LETTERS = "ADHILRSXcglnoprt"
"""rsync's options in one letter that this run uses, as they get to the origin; before `e`, whose value tells what its
other half understands."""

OPTIONS = ("--timeout=600", "--from0", "--files-from=-", "--delete-missing-args")
"""Its other options that get there. Names of files come from the other half alone: a `-`."""


def ssh(folder: str) -> str:
    """The ssh command of the target for this run: its own key, its own list of known hosts."""
    return f"ssh -F {folder}/ssh_config"


def socket(folder: str) -> str:
    """The socket of a connection that is kept open; where there is none, each ssh makes its own."""
    return f"{folder}/line"


# A line that is away for a minute loses no connection: TCP tries again at growing intervals, so that data
# may flow up to twice as long after the cut began.
def write_ssh_config(folder: str, origin: str, address: str) -> str:
    """Write the target's ssh configuration; what the origin tells of itself comes in as input: see `host`."""
    return f"""umask 077; mkdir -p {folder}; read -r port && [ -n "$port" ] || exit 1
sed 's/^/{address} /' > {folder}/known_hosts
cat > {folder}/ssh_config <<END
Host {origin}
  HostName {address}
  Port $port
  HostKeyAlias {address}
  UserKnownHostsFile {folder}/known_hosts
  StrictHostKeyChecking yes
  BatchMode yes
  ConnectTimeout 15
  ConnectionAttempts 10
  ServerAliveInterval 15
  ServerAliveCountMax 8
  ControlPath {socket(folder)}
  IdentityFile {folder}/key
  IdentityFile ~/.ssh/id_ed25519
  IdentityFile ~/.ssh/id_ecdsa
  IdentityFile ~/.ssh/id_rsa
END"""


def try_ssh(origin: str, address: str) -> str:
    """A line that logs in with that configuration, and leaves nothing; the same comes in."""
    folder = "$folder"
    return f"""folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT || exit
{write_ssh_config(folder, origin, address)}
{ssh(folder)} -o ConnectionAttempts=1 root@{origin} {quote(LOGIN)} < /dev/null"""


LOGIN = 'test -n "$BASH_VERSION" && ! shopt -qo posix'
"""A line that holds where lines are done by bash: without the gate it is the login shell that does them."""

SIDE_BY_SIDE = 8
"""As many streams the fast engine has at the most, unless told otherwise."""


def many_logins(folder: str, origin: str, number: int = SIDE_BY_SIDE) -> str:
    """A line that logs in as often as a pass does at its beginning, and ends with 1 where a login is refused.

    `number` are those at once.
    ufw's `limit` lets six through in 30 s; beyond MaxStartups sshd drops those that come at once.
    """
    login = (
        f"{ssh(folder)} -o ControlPath=none -o ConnectionAttempts=1 root@{origin} {quote(LOGIN)} < /dev/null"
    )
    return f"""failed=0; for time in 1 2; do
  logins=(); for one in {{1..{number}}}; do {login} & logins+=($!); done
  for one in "${{logins[@]}}"; do wait "$one" || failed=1; done
done; exit $failed"""


GREETING = """shell=$(getent passwd root | cut -d : -f 7)
timeout 20 env -i HOME=/root USER=root LOGNAME=root SHELL="$shell" PATH="$PATH" SSH_CLIENT='192.0.2.1 1 22' \\
  "${shell:-/bin/sh}" -c true < /dev/null 2> /dev/null | head -c 200"""
"""A line that prints what root's login shell prints before it does a line that came by ssh. By SSH_CLIENT bash sees
that it did, and reads .bashrc."""


def _seen(address: str) -> str:
    """A line by which sshd prints its settings for root, contacted at this address; without all of it a Match is an error."""
    return f"sshd -T -C user=root,host={address},addr={address},laddr={address},lport=22"


def host(address: str) -> str:
    """Print the port at which sshd listens on this address, then its host keys, each in a line."""
    places = "|".join(re.escape(place) for place in (address, f"[{address}]", "0.0.0.0", "[::]"))  # noqa: S104 - compared, not bound
    return f"""port=22 keys=$(ls /etc/ssh/ssh_host_*_key)
if command -v sshd > /dev/null; then
  told=$({_seen(address)}) || exit
  port=$(sed -En 's/^listenaddress ({places}):([0-9]+)$/\\2/p' <<< "$told" | head -n 1)
  keys=$(sed -n 's/^hostkey //p' <<< "$told")
fi
[ -n "$port" ] || {{ echo 'sshd does not listen on {address}: ListenAddress in sshd_config' >&2; exit 1; }}
echo "$port"
for key in $keys; do
  if [ -e "$key.pub" ]; then cat "$key.pub"; elif [ -e "$key" ]; then ssh-keygen -y -f "$key"; fi || exit
done"""


def make_key(folder: str) -> str:
    return (
        f"umask 077; mkdir -p {folder}; "
        f"test -f {folder}/key || ssh-keygen -q -t ed25519 -N '' -C {quote(mark(folder))} -f {folder}/key"
    )


def mark(folder: str) -> str:
    """The comment by which the run's key is found again in authorized_keys."""
    return f"bmnb:{folder.rsplit('/', 1)[-1]}"


BEGIN = "env -u BASH_ENV bash"

CLEAN = 'env -i LC_ALL=C.UTF-8 HOME=/root PATH="$PATH"'
"""What lines are done with, whatever sshd and PAM give a session: a proxy, options of tar, PostgreSQL's host ..."""


def show_key(folder: str, address: str) -> str:
    """Print the line for authorized_keys: only from this server, no terminal, no forwarding, for the gate alone."""
    # bash would do what /etc/environment names as BASH_ENV, before it knows of any line
    source = f"$(ip -o route get {address} | sed -n 's/.* src \\([^ ]*\\).*/\\1/p')"
    options = f'from="%s",command="{BEGIN} {folder}/gate",restrict'
    return f'printf \'{options} %s\\n\' "{source}" "$(cat {folder}/key.pub)"'


def write_gate(folder: str) -> str:
    """Write what the key is for, which comes in as input."""
    return f"umask 077; mkdir -p {folder}; cat > {folder}/gate.new && mv {folder}/gate.new {folder}/gate"


class Around(NamedTuple):
    """How a line begins and ends; between the two stand words of these signs alone, such as names of lists."""

    first: str
    last: str
    signs: str = WORDS


def gate(lines: Iterable[str], around: Iterable[Around] = (), read: Iterable[str] = ()) -> str:
    """A program that lets through what the run's key is for: just these lines, and rsync that reads these paths.

    Of rsync's options only those pass that this run uses, none of which writes on the origin, and none of which
    lets others come in by another way. Globs of a path are expanded, as ssh would have it.
    In the words of the other lines there is nothing that a shell would take for more than a word.
    """
    sums = "|".join(f"'{sha256(line.encode()).hexdigest()}  -'" for line in lines)
    between = "\n".join(
        f"case $asked in {quote(first)}*{quote(last)}) plain {quote(first)} {quote(last)} '*[!{signs}]*' ;; esac"
        for first, last, signs in around
    )
    return f"""asked=$SSH_ORIGINAL_COMMAND
refuse() {{ echo "this run's key is not for: $asked" >&2; exit 126; }}
reads() {{
  set -f; words=($asked); count=${{#words[@]}}
  [ $count -ge 6 ] && [ "${{words[*]:0:3}} ${{words[count - 2]}}" = 'rsync --server --sender .' ] || refuse
  [[ ${{words[3]}} =~ ^-[{LETTERS}]+e[.][A-Za-z]*$ ]] || refuse
  for word in "${{words[@]:4:count - 6}}"; do
    case $word in {"|".join(OPTIONS)}) ;; *) refuse ;; esac
  done
  case ${{words[count - 1]}} in {"|".join(map(quote, read)) or "''"}) ;; *) refuse ;; esac
  set +f; exec {CLEAN} "${{words[@]:0:count - 1}}" ${{words[count - 1]}}
}}
plain() {{
  words=${{asked#"$1"}}; words=${{words%"$2"}}
  case $words in $3 | *..*) ;; *) exec {CLEAN} bash --norc -c "$asked" ;; esac
}}
case $asked in rsync*) reads ;; esac
{between}
case $(printf %s "$asked" | sha256sum) in
{sums}) exec {CLEAN} bash --norc -c "$asked" ;;
esac
refuse
"""


def keys_file(address: str) -> str:
    """Print the file where sshd looks for root's keys; it has this address."""
    return f"""home=$(getent passwd root | cut -d : -f 6); named=.ssh/authorized_keys
if command -v sshd > /dev/null; then named=$({_seen(address)} | sed -n 's/^authorizedkeysfile //p') || exit; fi
file=${{named%% *}}; file=${{file//%h/$home}}; file=${{file//%u/root}}; file=${{file//%U/0}}; file=${{file//%%/%}}
case $file in
"" | none) echo "sshd reads no file of keys: AuthorizedKeysFile ${{named:-is not told}}" >&2; exit 1 ;;
/*) echo "$file" ;;
*) echo "$home/$file" ;;
esac"""


def try_keys_file(address: str) -> str:
    """Print that file, where it is not immutable."""
    return f"""file=$({keys_file(address)}
) && {{ [ ! -e "$file" ] || exec 3<> "$file"; }} && echo "$file"
"""


def allow_key(folder: str, address: str) -> str:
    """Let root log in with the key whose line comes in as input."""
    return edits.add(f"{keys_file(address)}\n", f"{folder}/{ADDED}")


def withdraw_key(folder: str, address: str) -> str:
    """Take the run's key away, and what an earlier run of the same folder has left."""
    # earlier releases began with bash
    pattern = rf'^from="[^"]*",command="\(env -u BASH_ENV \)\?bash {folder}/gate",restrict .* {mark(folder)}$'
    return edits.take_away(f"{keys_file(address)}\n", f"{folder}/{ADDED}", pattern)


ADDED = "authorized-keys"
"""What the file was before the run's key came."""
