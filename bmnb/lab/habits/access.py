"""Who may log in as root, with which keys, from where, how often."""

from __future__ import annotations

from bmnb.lab.habits.habit import Carried, Habit, Refused

KEYS = "/root/.ssh/authorized_keys"
BEFORE = "/root/keys-before"
UNCHANGED = f"cmp {KEYS} {BEFORE}"
CAN_BE_ADDED = "a key of this run can be added to root's keys, and taken away"
LOGS_IN = "log in as root on the original server"
MANY = "many logins at once, as copies need them"
LOGINS = "who may log in, how often"
OF_KEYS = "the file of root's keys"


def sshd(name: str, *lines: str) -> str:
    """Lines of their own file for sshd, in which $TARGET is the target's address."""
    text = "\n".join(lines)
    return f"cat > /etc/ssh/sshd_config.d/{name}.conf <<END\n{text}\nEND\nsshd -t; systemctl restart ssh"


def without(name: str) -> str:
    return f"rm /etc/ssh/sshd_config.d/{name}.conf; systemctl restart ssh"


HABITS = (
    Habit(
        "keys-without-newline",
        "keeps root's keys elsewhere, links to them, and has ended the file without a newline",
        Carried(
            "the run's key has a line of its own; link and file are afterwards what they were",
            f"[ -L {KEYS} ]; {UNCHANGED}",
        ),
        {
            "origin": f"""printf %s "$(cat {KEYS})" > /etc/ssh/keys-of-root; chmod 600 /etc/ssh/keys-of-root
ln -sf /etc/ssh/keys-of-root {KEYS}; cp {KEYS} {BEFORE}"""
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
        "lets root in by key alone, with a banner, few tries and limits, as hardening guides have it",
        Carried("the banner is no answer"),
        {
            "origin": "echo '*** authorized users only ***' > /etc/issue.net\n"
            + sshd(
                "20-hardened",
                "PermitRootLogin prohibit-password",
                "PasswordAuthentication no",
                "Banner /etc/issue.net",
                "MaxStartups 10:30:60",
                "MaxAuthTries 3",
                "LoginGraceTime 20",
                "X11Forwarding no",
                "ClientAliveInterval 60",
            )
        },
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
        Refused(
            LOGS_IN,
            "Permission denied",
            "PermitRootLogin prohibit-password",
            step="key-authentication",
        ),
        {"origin": sshd("30-root", "Match Address $TARGET", "PermitRootLogin no")},
        {"origin": without("30-root")},
        LOGINS,
    ),
    Habit(
        "banned-target",
        "runs fail2ban or a firewall that keeps the new server out",
        Refused(LOGS_IN, "Connection refused", "let ssh through from the target", step="key-authentication"),
        {"origin": "iptables -I INPUT -s $TARGET -p tcp --dport 22 -j REJECT --reject-with tcp-reset"},
        {"origin": "iptables -D INPUT -s $TARGET -p tcp --dport 22 -j REJECT --reject-with tcp-reset"},
        LOGINS,
    ),
    Habit(
        "limited-logins",
        "lets the firewall count logins (ufw limit ssh)",
        Refused(MANY, "refused", "let no firewall count the logins of the target", step="key-authentication"),
        {
            "origin": """for action in '--set' '--update --seconds 30 --hitcount 6 -j REJECT'; do
  iptables -A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --name ssh $action
done"""
        },
        {"origin": "iptables-save | grep -v -- '--name ssh' | iptables-restore"},
        LOGINS,
    ),
    Habit(
        "few-logins-at-once",
        "lets sshd take few logins at once (MaxStartups)",
        Refused(MANY, "Connection", "see that its sshd has MaxStartups 10:30:100", step="key-authentication"),
        {"origin": sshd("10-few", "MaxStartups 2:100:3")},
        {"origin": without("10-few")},
        LOGINS,
    ),
)
