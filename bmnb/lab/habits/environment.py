"""What every program of a session gets: /etc/environment, locales, files in root's home, programs before others."""

from __future__ import annotations

from bmnb.lab.habits.habit import Carried, Habit, on_both

ENVIRONMENT = "/etc/environment"


def variables(*lines: str) -> dict[str, str]:
    """Variables for all sessions of both servers, which sshd gets from PAM."""
    return on_both(f"cat >> {ENVIRONMENT} <<'END'\n" + "\n".join(lines) + "\nEND")


HABITS = (
    Habit(
        "proxy",
        "names a web proxy in /etc/environment, systemd's defaults and root's .curlrc",
        Carried("the servers themselves are asked, not the proxy"),
        on_both(f"""printf '%s\\n' http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 >> {ENVIRONMENT}
mkdir -p /etc/systemd/system.conf.d
printf '[Manager]\\nDefaultEnvironment="https_proxy=http://127.0.0.1:9"\\n' > /etc/systemd/system.conf.d/proxy.conf
systemctl daemon-reexec
printf 'proxy = http://127.0.0.1:9\\nverbose\\nfail\\n' > /root/.curlrc"""),
    ),
    Habit(
        "variables-of-programs",
        "sets options of tar, rsync, grep, less, PostgreSQL's and Python's programs for all sessions",
        Carried("programs do what they are told, and no more"),
        variables(
            "TAR_OPTIONS=--exclude-vcs",
            "RSYNC_RSH='ssh -p 2222'",
            "GREP_OPTIONS=--color=always",
            "GREP_COLORS=mt=31",
            "LESS=-R",
            "PGHOST=db.example.org",
            "PGPORT=6432",
            "PGOPTIONS='-c search_path=own'",
            "PYTHONPATH=/opt/own",
            "PYTHONWARNINGS=error",
            "POSIXLY_CORRECT=1",
            "BLOCKSIZE=1M",
            "TIME_STYLE=iso",
        ),
    ),
    Habit(
        "bash-env",
        "has each bash read a file that speaks, sets umask and aliases (BASH_ENV)",
        Carried("what it says is no answer"),
        on_both(f"""echo BASH_ENV=/etc/bash.env >> {ENVIRONMENT}
printf 'echo "*** production ***"; umask 077; shopt -s expand_aliases; alias rm="rm -i"\\n' > /etc/bash.env"""),
    ),
    Habit(
        "french",
        "has French as the language of the system and of all sessions",
        Carried("numbers, dates, orders and messages are read all the same"),
        on_both(f"""echo 'fr_FR.UTF-8 UTF-8' >> /etc/locale.gen; locale-gen > /dev/null
printf 'LANG=fr_FR.UTF-8\\nLC_ALL=fr_FR.UTF-8\\n' >> {ENVIRONMENT}
echo LANG=fr_FR.UTF-8 > /etc/default/locale; cp /etc/default/locale /etc/locale.conf"""),
    ),
    Habit(
        "wrappers",
        "has put programs of its own before the system's, in /usr/local/bin (rsync and tar with ionice)",
        Carried("they are used"),
        on_both("""for name in rsync tar; do
  own=$(command -v $name)
  printf '#!/bin/sh\\nexec ionice -c 3 nice %s "$@"\\n' $own > /usr/local/bin/$name; chmod +x /usr/local/bin/$name
done"""),
    ),
)
