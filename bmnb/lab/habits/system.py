"""Names, time, users, space: the system as its administrator has set it up."""

from __future__ import annotations

from bmnb.lab.habits.habit import Carried, Habit, Refused, on_both

HABITS = (
    Habit(
        "short-hostname",
        "has a hostname without a domain, and 127.0.1.1 for it in /etc/hosts",
        Carried("servers are known by their machine-id, and asked at their address"),
        on_both(
            """name=$(hostname); sed -i "/[ \\t]$name\\(\\.\\|$\\)/d" /etc/hosts; echo "127.0.1.1 $name.example.org $name" >> /etc/hosts"""
        ),
    ),
    Habit(
        "other-time-zones",
        "has the servers in two time zones",
        Carried("times are compared as what they are"),
        {
            "origin": "ln -sf /usr/share/zoneinfo/America/St_Johns /etc/localtime; echo America/St_Johns > /etc/timezone",
            "target": "ln -sf /usr/share/zoneinfo/Asia/Kolkata /etc/localtime; echo Asia/Kolkata > /etc/timezone",
        },
    ),
    Habit(
        "small-tmp-noexec",
        "has a small /tmp on which nothing may be executed",
        Carried("no program and no data of a run lies there"),
        on_both(
            "mount -t tmpfs -o noexec,nosuid,nodev,size=2m,mode=1777 tmp /tmp; mount --bind /tmp /var/tmp"
        ),
    ),
    Habit(
        "large-logs",
        "has not rotated its logs for years",
        Carried("logs stay where they are"),
        {"origin": "truncate -s 20G /var/log/mail.log.old; truncate -s 5G /var/log/bm/old.log"},
    ),
    Habit(
        "access-lists",
        "gives others access to files (setfacl), and sets attributes",
        Carried(
            "access lists and attributes come",
            on_target="getfacl -cp /var/spool/bm-docs/listed | grep -q user:www-data:r--",
        ),
        {
            "origin": """touch /var/spool/bm-docs/listed; setfacl -m u:www-data:r /var/spool/bm-docs/listed
mkdir /var/spool/bm-docs/inherits; setfacl -d -m g:www-data:rX /var/spool/bm-docs/inherits
setfattr -n user.own -v 1 /var/spool/bm-docs/listed"""
        },
    ),
    Habit(
        "second-root",
        "has a second account with the number 0",
        Carried("owners are mapped as before"),
        on_both("useradd -M -o -u 0 -g 0 -s /bin/bash toor"),
    ),
    Habit(
        "quiet-network",
        "answers no ping, and asks and answers ARP strictly (sysctl)",
        Carried("neighbours are asked by ARP, for the address itself"),
        on_both("""sysctl -qw net.ipv4.icmp_echo_ignore_all=1 net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 \\
  net.ipv4.conf.all.rp_filter=1"""),
    ),
    Habit(
        "files-of-a-user-of-its-own",
        "has files in the trees that belong to a user whom only the origin knows",
        Refused("the owners of the data exist on the target", "webdav", "create the user or group"),
        {
            "origin": "useradd -M webdav; touch /var/spool/bm-filehosting/theirs; chown webdav:webdav /var/spool/bm-filehosting/theirs"
        },
        {"origin": "rm /var/spool/bm-filehosting/theirs; userdel webdav"},
    ),
    Habit(
        "access-for-a-user-of-its-own",
        "gives a user whom only the origin knows access to files (setfacl)",
        Refused("the owners of the data exist on the target", "backup2", "create the user or group"),
        {
            "origin": "useradd -M backup2; touch /var/spool/bm-filehosting/shared; setfacl -m u:backup2:r /var/spool/bm-filehosting/shared"
        },
        {"origin": "rm /var/spool/bm-filehosting/shared; userdel backup2"},
    ),
)
