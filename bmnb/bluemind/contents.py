"""What is on a server, and how lately it was used.

Tables: `t_mailbox` and `t_domain_user` in bj, `t_mailbox_record` in bj-data, which has a row for each message with
the time at which it came. BlueMind tells the last login nowhere; Cyrus, up to 4.9, writes each to the log of mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from shlex import quote

from bmnb.steps import Result

MAILBOXES = (
    "SELECT count(*) FROM t_mailbox LEFT JOIN t_domain_user USING (item_id) WHERE NOT coalesce(system, false)"
)
# a message may carry a date to come, which a client has set
MESSAGES = (
    "SELECT 'messages ' || count(*) || E'\\n' || 'last-delivery ' || coalesce(to_char("
    "max(internal_date) FILTER (WHERE internal_date < now() + interval '1 hour') AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '') FROM t_mailbox_record"
)


def line(databases: Sequence[str]) -> str:
    """A line that prints what is there, a word and its value a line; a time that cannot be had has none."""
    names = ", ".join(f"'{name}'" for name in databases)
    sizes = f"SELECT 'size ' || datname || ' ' || pg_database_size(oid) FROM pg_database WHERE datname IN ({names})"
    return rf"""cd / || exit
asked() {{
  # several processes at once would lock all partitions once more: see max_locks_per_transaction
  PGOPTIONS='-c max_parallel_workers_per_gather=0 -c statement_timeout=0' \
    runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}}
mailboxes=$(asked bj {quote(MAILBOXES)}) && messages=$(asked bj-data {quote(MESSAGES)}) || exit
sizes=$(asked postgres {quote(sizes + " ORDER BY datname")}) || exit
said=$(grep -ah 'User logged in' /var/log/mail.log /var/log/maillog 2> /dev/null | tail -n 1) login=
case $said in
  '') ;;
  [0-9]*) login=$(date -u -d "${{said%% *}}" +%FT%TZ) ;;
  *) when=${{said:0:15}}  # without the year
    [ "$(date -d "$when" +%s)" -le "$(date +%s)" ] || when="$when 1 year ago"
    login=$(date -u -d "$when" +%FT%TZ) ;;
esac
echo "mailboxes $mailboxes"; echo "$messages"; echo "$sizes"
echo "name $(hostname -f 2> /dev/null || hostname)"
echo "address $(ip -o -4 addr show scope global | awk '{{sub("/.*", "", $4); print $4}}' | sort -u | xargs)"
echo "up-since $(date -u -d "@$(awk '/^btime/ {{print $2}}' /proc/stat)" +%FT%TZ)"
echo last-login $login"""


@dataclass(frozen=True)
class Contents:
    """What a server's line has told; `sizes` in bytes by database. A time is None where it cannot be had."""

    host: str
    mailboxes: int
    messages: int
    last_delivery: datetime | None
    last_login: datetime | None
    up_since: datetime | None
    name: str
    address: str
    sizes: dict[str, int]

    @property
    def told(self) -> str:
        """What is there, in one line."""
        delivery = clock(self.last_delivery, "none")
        return (
            f"{self.host}: {self.mailboxes:,} mailboxes, {self.messages:,} messages, last delivery {delivery}"
        )

    @property
    def stored(self) -> str:
        """Its databases and their sizes."""
        return ", ".join(f"{name} ({size / 1e6:,.0f} MB)" for name, size in self.sizes.items())


def read(result: Result) -> Contents:
    """Raise ValueError or KeyError where the line has not told all."""
    values: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for row in result.stdout.splitlines():
        word, _, value = row.partition(" ")
        if word == "size":
            name, _, size = value.rpartition(" ")
            sizes[name] = int(size)
        else:
            values[word] = value
    return Contents(
        result.host,
        int(values["mailboxes"]),
        int(values["messages"]),
        _moment(values["last-delivery"]),
        _moment(values["last-login"]),
        _moment(values["up-since"]),
        name=values["name"],
        address=values["address"],
        sizes=sizes,
    )


def _moment(text: str) -> datetime | None:
    """A time with its zone."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z") if text else None


def clock(moment: datetime | None, otherwise: str = "unknown") -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else otherwise
