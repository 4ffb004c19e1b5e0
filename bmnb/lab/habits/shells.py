"""What root's login shell is, and what its start files do."""

from __future__ import annotations

from bmnb.lab.habits.habit import Carried, Habit, Refused, on_both
from bmnb.procedures.changing_distributions.requirements import QUIET

GREETING = "echo '*** production ***'; echo '*** beware ***' >&2"

ODD = r"""cat > /bin/odd <<'END'
#!/bin/bash -p
# csh, fish and rc know none of these: ${...}, $(...), here-documents, VARIABLE=value, functions, if ... fi;
# csh ends at a variable that is not set
[ "$1" = -c ] || exit 97
case $2 in *'${'* | *'$('* | *'<<'* | *'() {'* | *'if ['* | *$'\n'* | [A-Z]*=* | *'$BASH'*) echo "odd: syntax error: $2" >&2; exit 98 ;; esac
exec /bin/dash -c "$2"
END
chmod +x /bin/odd; grep -qx /bin/odd /etc/shells || echo /bin/odd >> /etc/shells"""
"""csh, fish and zsh are not in the lab's images: a script that understands no more than they all do plays them.

Like them it minds no BASH_ENV of its own (-p), which a bash that it begins does.
"""


def shell(path: str) -> str:
    return f"{ODD}\nchsh -s {path} root"


def appended(text: str, *paths: str) -> str:
    """The text at the end of files, which need not be there."""
    return "\n".join(f"cat >> {path} <<'END'\n{text}\nEND" for path in paths)


def first(text: str, path: str) -> str:
    """The text before all else of a file, which is kept."""
    return f"cp -a {path} {path}.kept; sed -i '1i {text}' {path}"


ARRIVES = "all is done as with bash"
OF_ORIGIN, OF_TARGET = "root's shell on the origin", "root's shell on the target"

HABITS = (
    Habit(
        "sh-of-the-origin",
        "gives root the shell sh (here dash)",
        Carried(ARRIVES),
        {"origin": shell("/bin/sh")},
        {"origin": "chsh -s /bin/bash root"},
        OF_ORIGIN,
    ),
    Habit(
        "csh-or-fish-of-the-origin",
        "gives root a shell like csh, fish or zsh",
        Carried(ARRIVES),
        {"origin": shell("/bin/odd")},
        {"origin": "chsh -s /bin/bash root"},
        OF_ORIGIN,
    ),
    Habit(
        "sh-of-the-target",
        "gives root of the new server the shell sh",
        Carried(ARRIVES),
        {"target": shell("/bin/sh")},
        {"target": "chsh -s /bin/bash root"},
        OF_TARGET,
    ),
    Habit(
        "csh-or-fish-of-the-target",
        "gives root of the new server a shell like csh, fish or zsh",
        Carried(ARRIVES),
        {"target": shell("/bin/odd")},
        {"target": "chsh -s /bin/bash root"},
        OF_TARGET,
    ),
    Habit(
        "greeting",
        "greets in the start files of login shells, in /etc/motd, and in the target's .bashrc",
        Carried("greetings are told from answers", on_target="grep -q production /root/.bashrc"),
        {
            "origin": appended(
                GREETING, "/root/.bash_profile", "/root/.profile", "/etc/profile.d/hi.sh", "/etc/motd"
            ),
            "target": appended(GREETING, "/root/.bashrc", "/root/.profile", "/etc/profile.d/hi.sh"),
        },
    ),
    Habit(
        "careful-aliases",
        "has aliases in .bashrc (rm -i, cp -i, ls --color, grep --color), a PROMPT_COMMAND and a trap",
        Carried("no alias gets into what is done"),
        on_both(
            first(
                r"shopt -s expand_aliases; alias rm=\"rm -i\" cp=\"cp -i\" mv=\"mv -i\" ls=\"ls --color=always\" "
                r"grep=\"grep --color=always\"; export PROMPT_COMMAND=\"history -a\"; trap : DEBUG",
                "/root/.bashrc",
            )
        ),
        on_both("mv /root/.bashrc.kept /root/.bashrc"),
        "/root/.bashrc",
    ),
    Habit(
        "umask-077",
        "sets umask 077 and TMOUT for everyone, as hardening guides have it",
        Carried("modes are those of the origin"),
        on_both(
            appended("umask 077\nreadonly TMOUT=600; export TMOUT", "/etc/profile.d/hardened.sh")
            + "\nsed -i 's/^UMASK.*/UMASK 077/' /etc/login.defs"
            + "\necho 'session optional pam_umask.so umask=077' >> /etc/pam.d/common-session; echo 'umask 077' >> /root/.bashrc"
        ),
    ),
    Habit(
        "greeting-in-bashrc-of-the-origin",
        "greets in root's .bashrc before it looks for a terminal",
        Refused(
            "root's login shell prints nothing where there is no terminal", "*** production ***", QUIET[:40]
        ),
        {"origin": first('echo "*** production ***"', "/root/.bashrc")},
        {"origin": "mv /root/.bashrc.kept /root/.bashrc"},
        "/root/.bashrc",
    ),
    Habit(
        "greeting-in-bash-bashrc-of-the-origin",
        "greets everyone in /etc/bash.bashrc",
        Refused(
            "root's login shell prints nothing where there is no terminal", "*** production ***", QUIET[:40]
        ),
        {"origin": first('echo "*** production ***"', "/etc/bash.bashrc")},
        {"origin": "mv /etc/bash.bashrc.kept /etc/bash.bashrc"},
    ),
)
