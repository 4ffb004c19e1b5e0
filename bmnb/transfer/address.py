"""Moving an IPv4 address from one server to another, until reboot and in the network configuration.

Understands ifupdown (/etc/network/interfaces), systemd-networkd (*.network) and netplan (*.yaml).
"""

from shlex import quote

from bmnb.steps import Result, Verdict

MARK = "#bmnb "
"""What a line of network configuration that was set aside begins with: taking it away undoes it."""

FILES = (
    "/etc/network/interfaces /etc/network/interfaces.d/* /etc/systemd/network/*.network /etc/netplan/*.yaml"
)


def parked(address: str) -> tuple[str, str]:
    """Two link-local addresses (RFC 3927) made of the last numbers of this one: for the origin, for the target.

    They take no part in any network's plan, and need no router between two servers on one network.
    """
    _, second, third, last = (int(part) for part in address.split("."))
    place = 1 + (second * 256 + third) % 160  # 169.254.169.254 is the metadata service of clouds
    return f"169.254.{place}.{last}", f"169.254.{place}.{last ^ 1}"


def park(address: str, own: str) -> str:
    """Give this server a link-local address beside its own, on the network that `address` is on.

    Both are one network of two: of an address with a peer Linux does not tell neighbours where arp_ignore is set.
    """
    return f"""set -eu
dev=$(ip -o -4 addr show to {address} | awk '{{print $2; exit}}')
[ -n "$dev" ] || dev=$(ip -o -4 route get {address} | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p')
ip addr replace {own}/31 dev "$dev" scope link"""


def unpark(own: str) -> str:
    return f"ip addr flush to {own}"


def answers_ssh(address: str) -> str:
    return f"timeout 10 bash -c 'exec 3<> /dev/tcp/{address}/22 && head -c 4 <&3'"


ADDRESSES = """ip -o -4 addr show scope global | awk '{split($4, address, "/"); print address[1], $2}'"""
"""A line that prints each address of a server and its interface."""


def held(address: str) -> str:
    return f"ip -o -4 addr show to {address}"


def save(folder: str) -> str:
    archive = f"{folder}/network-configuration.tar.gz"
    return f"""umask 077; mkdir -p {folder}; test -f {archive} && exit 0
shopt -s nullglob; files=({FILES})
tar -czPf {archive}.new -- "${{files[@]}}" && mv {archive}.new {archive}"""


def remember(folder: str, address: str) -> str:
    """Remember once with which prefix and on which interface the address is, and the default route."""
    return f"""umask 077; mkdir -p {folder}; test -s {folder}/address && exit 0
ip -4 route show default > {folder}/routes
ip -o -4 addr show to {address} | awk '{{print $4, $2; exit}}' > {folder}/address"""


def give_back(folder: str, address: str) -> str:
    """Undo `take_off`: the configuration's lines, the address, the default route; tell the neighbours.

    It is also kept as a program on the server, for its console.
    """
    own, other = parked(address)
    return f"""set -eu; shopt -s nullglob
for file in $(grep -lsF -- '{MARK}' {FILES}); do sed -i 's/^{MARK}//' "$file"; done
[ -s {folder}/address ] || exit 0
read -r own dev < {folder}/address
ip link set "$dev" up
ip addr replace "$own" brd + dev "$dev"
ip addr replace {own} peer {other}/32 dev "$dev" scope link
while read -r route; do ip route replace $route; done < {folder}/routes
{announce(address)}"""


def take_off(address: str) -> str:
    """Take the address off this server; its configuration lines stay, set aside with a mark."""
    return f"""set -eu; shopt -s nullglob
dev=$(ip -o -4 addr show to {address} | awk '{{print $2; exit}}')
own=$(ip -o -4 addr show to {address} | awk '{{print $4; exit}}')
changed=(/etc)
for file in $(grep -lsF -- '{address}' {FILES}); do
  case $file in
    /etc/network/*) sed -i -E "s/^(auto|allow-hotplug) +$dev *$/{MARK}&/" "$file" ;;
    *) sed -i -E "s#^.*{_dots(address)}/.*#{MARK}&#" "$file" ;;
  esac
  changed+=("$file" "$(dirname "$file")")
done
# before coreutils 8.24 this is the whole disk
sync "${{changed[@]}}"
ip addr del "$own" dev "$dev\""""


def take_over(address: str) -> str:
    """Give this server the address, as the first one of the interface on the same network.

    Its own address stays as the second, since the connection that does this must survive it.
    Neighbours learn of the move from a gratuitous ARP.
    """
    return f"""set -eu; shopt -s nullglob
dev=$(ip -o -4 route get {address} | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p')
own=$(ip -o -4 addr show dev "$dev" scope global primary | awk '{{print $4; exit}}')
new={address}/${{own#*/}}
routes=$(ip -4 route show default)
for file in $(grep -lsF -- "${{own%/*}}" {FILES}); do
  case $file in
    /etc/network/*) sed -i -E "s#^( *)address +${{own%/*}}(/[0-9]+)? *\\$#\\1address {address}\\2\\n\\1up ip addr add $own dev $dev#" "$file" ;;
    *.network) sed -i -E "s#^Address *= *$own *\\$#Address=$new\\n&#" "$file" ;;
    *.yaml) sed -i -E "s#^( *- *\\"?)$own(\\"?) *\\$#\\1$new\\2\\n&#; s#^( *addresses: *\\[ *\\"?)$own#\\1$new, $own#" "$file" ;;
  esac
done
grep -qsF -- {address} {FILES} || {{ echo "no network configuration holds ${{own%/*}}: add {address} by hand" >&2; exit 1; }}
ip -batch - <<END
addr del $own dev $dev
addr add $new dev $dev
addr add $own dev $dev
END
{ROUTES_AGAIN}
{announce_beside(address)}"""


def give_up(folder: str, address: str) -> str:
    """Undo `take_over`: the saved configuration, and the server's own address alone."""
    archive = f"{folder}/network-configuration.tar.gz"
    return f"""set -eu
[ ! -f {archive} ] || tar -xzPf {archive}
dev=$(ip -o -4 addr show to {address} | awk '{{print $2; exit}}')
[ -n "$dev" ] || exit 0
taken=$(ip -o -4 addr show to {address} | awk '{{print $4; exit}}')
own=$(ip -o -4 addr show dev "$dev" scope global | awk -v taken="$taken" '$4 != taken {{print $4; exit}}')
[ -n "$own" ] || {{ echo "$dev has no address but {address}: give it its own one by hand" >&2; exit 1; }}
routes=$(ip -4 route show default)
ip -batch - <<END
addr del $taken dev $dev
addr replace $own brd + dev $dev
END
{ROUTES_AGAIN}"""


# The kernel forgets routes with the address that they went by.
ROUTES_AGAIN = 'while read -r route; do [ -z "$route" ] || ip route replace $route; done <<< "$routes"'


def announce(address: str, times: int = 2) -> str:
    """A line that tells the neighbours, a second apart, at once for the first time."""
    # arping waits another second after the last one
    return (
        f"dev=$(ip -o -4 addr show to {address} | awk '{{print $2; exit}}'); "
        f'timeout {times - 0.5} arping -U -I "$dev" {address} || [ $? = 124 ]'
    )


def announce_beside(address: str) -> str:
    """A line that tells the neighbours once, in a unit of its own, and does not wait for that."""
    return f"systemd-run --quiet --collect bash -c {quote(announce(address, 1))}"


def who_holds(address: str, seconds: float) -> str:
    """A line that has the kernel ask the network who holds the address, and prints what it knows then.

    It asks three times, since a question may be lost, and listens so many seconds after each.
    """
    return f"""for question in 1 2 3; do
  ip neigh flush to {address} && echo > /dev/udp/{address}/9 || exit 1; sleep {seconds}
  seen=$(ip -4 neigh show to {address}); case $seen in *lladdr*) break ;; esac
done; echo "$seen\""""


def taken(asked: Result) -> Verdict:
    """Somebody has answered."""
    return Verdict(ANSWERED in asked.stdout, _told(asked), made=_told(asked) != UNASKED)


def free(asked: Result) -> Verdict:
    """It was asked for, and nobody has answered."""
    return Verdict(_told(asked) == NOBODY, _told(asked), made=_told(asked) != UNASKED)


ANSWERED, UNANSWERED = " lladdr ", ("INCOMPLETE", "FAILED")
"""What the kernel's entry of an address has, and what it ends with."""
NOBODY = "nobody answers"
UNASKED = "the network could not be asked for it"


def _told(asked: Result) -> str:
    _, answered, entry = asked.stdout.partition(ANSWERED)
    if answered:
        return f"somebody answers for it: {entry.split()[0]}"
    was_asked = asked.ok and asked.stdout.strip().endswith(UNANSWERED)
    return NOBODY if was_asked else UNASKED


def _dots(address: str) -> str:
    return address.replace(".", "\\.")
