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


def ask(address: str, to: str) -> str:
    """A line that prints what the SMTP server says to this recipient; no message is sent."""
    return f"""exec 3<> /dev/tcp/{address}/25 || exit 1
say() {{
  [ -z "$1" ] || printf '%s\\r\\n' "$1" >&3
  while IFS= read -r -t 20 said <&3; do case $said in ???-*) ;; *) return 0;; esac; done
  exit 1
}}
say "" && say "EHLO $(hostname -f)" && say {quote(f"MAIL FROM:<{to}>")} && say {quote(f"RCPT TO:<{to}>")} && echo "$said" && say QUIT"""


def accepted(told: Result) -> Verdict:
    """A refusal for now, as of a greylist, is none."""
    said = told.stdout.strip()
    return Verdict(said[:1] in ("2", "4"), said)


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
