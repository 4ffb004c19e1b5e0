"""Who may log in as root, with which keys, from where, how often."""

from __future__ import annotations

from bmnb.lab.habits.habit import Carried, Habit, Refused

KEYS = "/root/.ssh/authorized_keys"
BEFORE = "/root/keys-before"
UNCHANGED = f"cmp {KEYS} {BEFORE}"
CAN_BE_ADDED = "a key of this run can be added to root's keys, and taken away"
LOGS_IN = "the target's root can log in as root on the origin"
OF_KEYS = "the file of root's keys"


def sshd(name: str, *lines: str) -> str:
    return f"printf '%s\\n' {' '.join(map(repr, lines))} > /etc/ssh/sshd_config.d/{name}.conf; sshd -t; systemctl reload ssh"


def without(name: str) -> str:
    return f"rm /etc/ssh/sshd_config.d/{name}.conf; systemctl reload ssh"


HABITS = (
    Habit(
        "keys-without-newline",
        "has authorized_keys without a newline at its end",
        Carried("the run's key has a line of its own, and the file is afterwards what it was", UNCHANGED),
        {"origin": f'printf %s "$(cat {KEYS})" > /root/keys; cat /root/keys > {KEYS}; cp {KEYS} {BEFORE}'},
        place=OF_KEYS,
    ),
    Habit(
        "linked-keys",
        "keeps root's keys elsewhere, and links to them",
        Carried("the link and what it leads to are afterwards what they were", f"[ -L {KEYS} ]; {UNCHANGED}"),
        {
            "origin": f"mv {KEYS} /etc/ssh/keys-of-root; ln -s /etc/ssh/keys-of-root {KEYS}; cp {KEYS} {BEFORE}"
        },
        place=OF_KEYS,
    ),
    Habit(
        "keys-in-etc",
        "has sshd read keys in /etc/ssh/keys/USER (AuthorizedKeysFile)",
        Carried("the run's key gets there, and is taken away again", f"cmp /etc/ssh/keys/root {BEFORE}"),
        {
            "origin": f"mkdir -p /etc/ssh/keys; mv {KEYS} /etc/ssh/keys/root; cp /etc/ssh/keys/root {BEFORE}\n"
            + sshd("10-keys", "AuthorizedKeysFile /etc/ssh/keys/%u")
        },
        place=OF_KEYS,
    ),
    Habit(
        "hardened-sshd",
        "lets root in by key alone, with a banner, few tries and few logins at once (MaxStartups)",
        Carried("the banner is no answer; copies need few connections"),
        {
            "origin": "echo '*** authorized users only ***' > /etc/issue.net\n"
            + sshd(
                "20-hardened",
                "PermitRootLogin prohibit-password",
                "PasswordAuthentication no",
                "Banner /etc/issue.net",
                "MaxStartups 3:50:6",
                "MaxAuthTries 3",
                "LoginGraceTime 20",
                "X11Forwarding no",
                "ClientAliveInterval 60",
            )
        },
    ),
    Habit(
        "limited-logins",
        "lets a firewall count logins, as `ufw limit ssh` does",
        Carried("copies need few connections"),
        {
            "origin": """for action in '--set' '--update --seconds 30 --hitcount 20 -j REJECT'; do
  iptables -A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --name ssh $action
done"""
        },
        {"origin": "iptables -F INPUT"},
    ),
    Habit(
        "immutable-keys",
        "has made authorized_keys immutable",
        Refused(CAN_BE_ADDED, KEYS, "see to the file or the setting of sshd that is named"),
        {"origin": f"chattr +i {KEYS}"},
        {"origin": f"chattr -i {KEYS}"},
        OF_KEYS,
    ),
    Habit(
        "root-from-the-office-alone",
        "lets root in from known addresses alone, the new server's not being one",
        Refused(LOGS_IN, "sshd of the origin refuses root from", "PermitRootLogin prohibit-password"),
        {
            "origin": sshd("30-root", "Match Address $TARGET", "PermitRootLogin no").replace(
                "'Match Address $TARGET'", '"Match Address $TARGET"'
            )
        },
        {"origin": without("30-root")},
    ),
    Habit(
        "banned-target",
        "runs fail2ban or a firewall that keeps the new server out",
        Refused(LOGS_IN, "Connection refused", "let ssh through from the target"),
        {"origin": "iptables -I INPUT -s $TARGET -p tcp --dport 22 -j REJECT --reject-with tcp-reset"},
        {"origin": "iptables -D INPUT -s $TARGET -p tcp --dport 22 -j REJECT --reject-with tcp-reset"},
    ),
)
