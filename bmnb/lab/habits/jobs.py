"""What runs on a server beside BlueMind: jobs, agents, units that fail."""

from __future__ import annotations

from bmnb.lab.habits.habit import Carried, Habit, Refused, on_both

JOBS = "no job of the origin's own works in the trees"
STOP_IT = "stop it until the servers are switched"
FAILING = (
    "printf '[Service]\\nType=oneshot\\nExecStart=/bin/false\\n[Install]\\nWantedBy=multi-user.target\\n'"
)

HABITS = (
    Habit(
        "failed-units",
        "lives with a unit that fails at each start",
        Carried(
            "it is told, and not waited for",
            on_target="systemctl is-failed -q broken",
            check="the target is back",
            seen="broken.service",
        ),
        on_both(
            f"{FAILING} > /etc/systemd/system/broken.service; systemctl enable -q broken; ! systemctl start broken"
        ),
    ),
    Habit(
        "own-agents",
        "runs agents and jobs of its own, which watch the server",
        Carried("they are let alone"),
        on_both("""printf '* * * * * root date >> /var/log/own-cron.log\\n' > /etc/cron.d/own
printf '[Service]\\nExecStart=/bin/sleep infinity\\nRestart=always\\n' > /etc/systemd/system/own-agent.service
systemctl start own-agent"""),
    ),
    Habit(
        "held-packages",
        "holds packages, BlueMind's among them (apt-mark hold)",
        Carried("versions are compared all the same"),
        on_both("apt-mark hold bm-core rsync > /dev/null"),
    ),
    Habit(
        "timers-of-apt",
        "lets unattended upgrades look for packages",
        Carried("they don't come into the way"),
        on_both("systemctl unmask apt-daily.timer apt-daily-upgrade.timer; systemctl start apt-daily.timer"),
    ),
    Habit(
        "job-that-writes-into-the-spool",
        "has a cron job that writes into a tree each minute",
        Refused(JOBS, "/etc/cron.d/alive", STOP_IT),
        {"origin": "echo '* * * * * root touch /var/spool/bm-filehosting/alive' > /etc/cron.d/alive"},
        {"origin": "rm -f /etc/cron.d/alive /var/spool/bm-filehosting/alive"},
    ),
    Habit(
        "backup-script",
        "has a script that a timer starts, and that works in the trees",
        Refused(JOBS, "/usr/local/sbin/backup", STOP_IT),
        {
            "origin": """printf '#!/bin/sh\\nrsync -a /var/spool/ /backup/spool/\\n' > /usr/local/sbin/backup
printf '[Service]\\nType=oneshot\\nExecStart=/usr/local/sbin/backup\\n' > /etc/systemd/system/backup.service
printf '[Timer]\\nOnCalendar=02:00\\n' > /etc/systemd/system/backup.timer; systemctl daemon-reload"""
        },
        {"origin": "rm /usr/local/sbin/backup /etc/systemd/system/backup.*; systemctl daemon-reload"},
    ),
    Habit(
        "agent-in-the-spool",
        "runs an agent that keeps a file of a tree open",
        Refused(
            "no program beside BlueMind's has a file of the trees open", "own-watcher.service", "stop it"
        ),
        {
            "origin": "touch /var/spool/bm-filehosting/watched; systemd-run -q --unit=own-watcher tail -F /var/spool/bm-filehosting/watched"
        },
        {"origin": "systemctl stop own-watcher; rm /var/spool/bm-filehosting/watched"},
    ),
)
