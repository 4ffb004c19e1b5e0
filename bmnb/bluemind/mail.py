"""Whether a message gets through: handed to the platform by SMTP, and seen as sent in Postfix's log."""

from __future__ import annotations

from shlex import quote

from bmnb.steps import Result, Verdict


def send(folder: str, address: str, to: str) -> str:
    """Hand a message to the SMTP server at an address, as another server would."""
    text = f"From: {to}\\nTo: {to}\\nSubject: after the update\\n\\nIt works.\\n"
    return (
        f"mkdir -p {folder} && touch {folder}/mail-mark && printf {quote(text)} | curl -q -sS --noproxy '*' --max-time 60 "
        f"smtp://{address}:25 --mail-from {quote(to)} --mail-rcpt {quote(to)} --upload-file -"
    )


def delivered(to: str, seconds: int = 900) -> str:
    """A line that prints how Postfix of this server got rid of the last message to this recipient."""
    return (
        f"journalctl -q --no-pager --since '-{seconds} seconds' | grep -E 'postfix/[a-z]+\\[' | "
        f"grep -F {quote(f'to=<{to}>')} | grep -F status= | tail -n 1; echo end"
    )


def sent(*servers: Result) -> Verdict:
    """One of the servers has delivered it, or handed it on."""
    lines = {one.host: one.stdout.splitlines()[0] for one in servers if len(one.stdout.splitlines()) > 1}
    good = [host for host, line in lines.items() if "status=sent" in line]
    told = "; ".join(f"{host}: {line.partition('relay=')[2] or line}" for host, line in lines.items())
    bounced = any("status=bounced" in line for line in lines.values())
    return Verdict(bool(good), told or "in no server's log", final=bounced)
