"""Key authentication of the target's root on the origin, for one run alone."""

from collections.abc import Iterable
from hashlib import sha256
from shlex import quote

WORK = "/var/lib/bmnb"


def ssh(folder: str) -> str:
    """The ssh command of the target for this run: its own key, its own list of known hosts."""
    return f"ssh -F {folder}/ssh_config"


def socket(folder: str) -> str:
    """The socket of a connection that is kept open; where there is none, each ssh makes its own."""
    return f"{folder}/line"


# A line that is away for a minute loses no connection: TCP tries again at growing intervals, so that data
# may flow up to twice as long after the cut began.
def write_ssh_config(folder: str, origin: str, address: str) -> str:
    """Write the target's ssh configuration; the origin's host keys come in as input, as it tells them itself."""
    return f"""umask 077; mkdir -p {folder}
sed 's/^/{address} /' > {folder}/known_hosts
cat > {folder}/ssh_config <<'END'
Host {origin}
  HostName {address}
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


HOST_KEYS = "cat /etc/ssh/ssh_host_*_key.pub"


def make_key(folder: str) -> str:
    return (
        f"umask 077; mkdir -p {folder}; "
        f"test -f {folder}/key || ssh-keygen -q -t ed25519 -N '' -C {quote(mark(folder))} -f {folder}/key"
    )


def mark(folder: str) -> str:
    """The comment by which the run's key is found again in authorized_keys."""
    return f"bmnb:{folder.rsplit('/', 1)[-1]}"


def show_key(folder: str, address: str) -> str:
    """Print the line for authorized_keys: only from this server, no terminal, no forwarding, for the gate alone."""
    source = f"$(ip -o route get {address} | sed -n 's/.* src \\([^ ]*\\).*/\\1/p')"
    options = f'from="%s",command="bash {folder}/gate",restrict'
    return f'printf \'{options} %s\\n\' "{source}" "$(cat {folder}/key.pub)"'


def write_gate(folder: str) -> str:
    """Write what the key is for, which comes in as input."""
    return f"umask 077; mkdir -p {folder}; cat > {folder}/gate.new && mv {folder}/gate.new {folder}/gate"


Around = tuple[str, str]
"""How a line begins and ends; between the two stand plain words, such as names of lists."""


def gate(lines: Iterable[str], around: Iterable[Around] = ()) -> str:
    """A program that lets through what the run's key is for: rsync that reads, and just these lines.

    rsync's words are split and its globs expanded as ssh would have it, but nothing in them is a command.
    In the plain words of the other lines there is nothing that a shell would take for more than a word.
    """
    sums = "|".join(f"'{sha256(line.encode()).hexdigest()}  -'" for line in lines)
    between = "\n".join(
        f"case $asked in {quote(first)}*{quote(last)}) plain {quote(first)} {quote(last)} ;; esac"
        for first, last in around
    )
    return f"""asked=$SSH_ORIGINAL_COMMAND
case $asked in
*--remove-s* | *--log-file*) ;;
'rsync --server --sender '*) exec $asked ;;
esac
plain() {{
  words=${{asked#"$1"}}
  case ${{words%"$2"}} in *[!A-Za-z0-9" "./_-]*) ;; *) exec bash -c "$asked" ;; esac
}}
{between}
case $(printf %s "$asked" | sha256sum) in
{sums}) exec bash -c "$asked" ;;
esac
echo "this run's key is not for: $asked" >&2
exit 126
"""


def allow_key() -> str:
    """Add the line that comes in as input, once."""
    return (
        "umask 077; mkdir -p ~/.ssh; touch ~/.ssh/authorized_keys; read -r line; "
        'grep -qxF -- "$line" ~/.ssh/authorized_keys || printf "%s\\n" "$line" >> ~/.ssh/authorized_keys'
    )


def withdraw_key(folder: str) -> str:
    return f"sed -i '\\# {mark(folder)}$#d' ~/.ssh/authorized_keys"
