"""Files of Postfix, nginx and BlueMind that administrators write themselves."""

from __future__ import annotations

from bmnb.lab.habits.habit import Carried, Habit, Refused

RELOAD = "postfix check; systemctl reload postfix"
NAMED = "files that the configuration names"
ASKED = "what Postfix and nginx ask on the origin listens on the target too"
COPY = "copy what is named to the target"
OWN_UNIT = "systemd-run --quiet --unit=own-milter python3 -m http.server --bind 127.0.0.1 8891"
MILTERS = "postconf -e smtpd_milters=inet:localhost:8891 milter_default_action=tempfail"

HABITS = (
    Habit(
        "header-checks",
        "has Postfix check headers by a file of its own",
        Carried(
            "the file comes, and is read",
            on_target="[ $(postmap -q 'X-Bad: 1' regexp:/etc/postfix/header_checks) = REJECT ]",
        ),
        {
            "origin": f"""printf '/^X-Bad:/ REJECT\\n' > /etc/postfix/header_checks
postconf -e header_checks=regexp:/etc/postfix/header_checks; {RELOAD}"""
        },
    ),
    Habit(
        "relay-with-a-password",
        "sends all mail through a relay, with a password in a map of its own",
        Carried(
            "the map comes with its text, and is made anew; its mode stays",
            on_target="""[ $(postmap -q relay.example.org hash:/etc/postfix/sasl_passwd) = user:word ]
[ $(stat -c %a /etc/postfix/sasl_passwd) = 600 ]""",
        ),
        {
            "origin": f"""printf 'relay.example.org user:word\\n' > /etc/postfix/sasl_passwd
chmod 600 /etc/postfix/sasl_passwd; postmap /etc/postfix/sasl_passwd
postconf -e smtp_sasl_password_maps=hash:/etc/postfix/sasl_passwd smtp_sasl_auth_enable=yes relayhost=relay.example.org
{RELOAD}"""
        },
    ),
    Habit(
        "services-in-master-cf",
        "has a service in master.cf with options (-o) that name a map in a folder of its own",
        Carried(
            "the service, its option and the map come",
            on_target="""postconf -P submission/inet/smtpd_client_restrictions | grep -q clients
[ $(postmap -q 192.0.2.66 cidr:/etc/postfix/own/clients) = REJECT ]""",
        ),
        {
            "origin": f"""mkdir -p /etc/postfix/own; echo '192.0.2.66 REJECT' > /etc/postfix/own/clients
postconf -M submission/inet='submission inet n - y - - smtpd'
postconf -P submission/inet/smtpd_client_restrictions=check_client_access,cidr:/etc/postfix/own/clients; {RELOAD}"""
        },
    ),
    Habit(
        "own-aliases",
        "has aliases of its own in /etc/aliases",
        Carried(
            "they come, and their map is made anew",
            on_target="[ $(postmap -q security hash:/etc/aliases) = admin@example.org ]",
        ),
        {"origin": "echo 'security: admin@example.org' >> /etc/aliases; newaliases"},
    ),
    Habit(
        "own-lines-of-nginx",
        "extends BlueMind's virtual host by a file in bm-local.d",
        Carried("it comes", on_target="grep -q X-Own /etc/nginx/bm-local.d/own.conf"),
        {
            "origin": "echo 'add_header X-Own 1;' > /etc/nginx/bm-local.d/own.conf; nginx -t; systemctl reload nginx"
        },
    ),
    Habit(
        "bm-ini-by-hand",
        "has written into bm.ini by hand, with spaces and remarks",
        Carried("it comes as it is", on_target="grep -q 'by a colleague' /etc/bm/bm.ini"),
        {"origin": "sed -i 's/^external-url *= */external-url   = /; $ a ; by a colleague' /etc/bm/bm.ini"},
    ),
    Habit(
        "map-outside-of-postfix",
        "keeps a map of Postfix outside of /etc/postfix",
        Refused(NAMED, "/etc/mail/blocked: missing on the target", COPY),
        {
            "origin": f"""mkdir -p /etc/mail; echo 'spam.example REJECT' > /etc/mail/blocked
postconf -e smtpd_sender_restrictions=check_sender_access,texthash:/etc/mail/blocked; {RELOAD}"""
        },
        {"origin": f"postconf -X smtpd_sender_restrictions; rm -r /etc/mail; {RELOAD}"},
    ),
    Habit(
        "alias-to-a-program",
        "hands mail to a program by an alias",
        Refused(NAMED, "/usr/local/bin/ticket: missing on the target", COPY),
        {
            "origin": """printf '#!/bin/sh\\ncat > /dev/null\\n' > /usr/local/bin/ticket; chmod +x /usr/local/bin/ticket
cp -a /etc/aliases /root/aliases; echo 'tickets: "|/usr/local/bin/ticket"' >> /etc/aliases"""
        },
        {"origin": "mv /root/aliases /etc/aliases; rm /usr/local/bin/ticket"},
    ),
    Habit(
        "own-milter",
        "has Postfix ask a filter of its own (opendkim, rspamd, a policy service)",
        Refused(ASKED, "localhost:8891", "install and start it on the target"),
        {"origin": f"{OWN_UNIT}; {MILTERS}; {RELOAD}"},
        {"origin": f"systemctl stop own-milter; postconf -X smtpd_milters milter_default_action; {RELOAD}"},
    ),
    Habit(
        "filter-at-a-socket",
        "has Postfix ask a filter at a socket in its chroot",
        Refused(ASKED, "/var/spool/postfix/private/spf", "install and start it on the target"),
        {
            "origin": f"""systemd-run --quiet --unit=own-filter python3 -c '
import socket, time
filter = socket.socket(socket.AF_UNIX); filter.bind("/var/spool/postfix/private/spf"); filter.listen(); time.sleep(9999)'
postconf -e 'smtpd_end_of_data_restrictions=check_policy_service unix:private/spf'; {RELOAD}"""
        },
        {
            "origin": f"systemctl stop own-filter; rm -f /var/spool/postfix/private/spf; postconf -X smtpd_end_of_data_restrictions; {RELOAD}"
        },
    ),
    Habit(
        "own-application-behind-nginx",
        "has nginx pass a path of BlueMind's virtual host on to an application of its own",
        Refused(ASKED, "localhost:3000", "install and start it on the target"),
        {
            "origin": """systemd-run --quiet --unit=own-application python3 -m http.server --bind 127.0.0.1 3000
echo 'location /own/ { proxy_pass http://127.0.0.1:3000; }' > /etc/nginx/bm-local.d/application.conf"""
        },
        {"origin": "systemctl stop own-application; rm /etc/nginx/bm-local.d/application.conf"},
    ),
    Habit(
        "own-virtual-host",
        "serves another name by a virtual host of its own",
        Refused(NAMED, "/etc/nginx/sites-enabled/old-name.conf: missing on the target", COPY),
        {
            "origin": """cat > /etc/nginx/sites-available/old-name.conf <<'END'
server { listen 80; server_name old.example.org; return 301 https://mail.example.org$request_uri; }
END
ln -s ../sites-available/old-name.conf /etc/nginx/sites-enabled/; nginx -t; systemctl reload nginx"""
        },
        {"origin": "rm /etc/nginx/sites-*/old-name.conf; systemctl reload nginx"},
    ),
    Habit(
        "drop-in-of-a-service",
        "changes a service of BlueMind or beside it by a drop-in (systemctl edit)",
        Refused(NAMED, "/etc/systemd/system/bm-core.service.d/override.conf: missing on the target", COPY),
        {
            "origin": """mkdir -p /etc/systemd/system/bm-core.service.d
printf '[Service]\\nLimitNOFILE=65536\\n' > /etc/systemd/system/bm-core.service.d/override.conf; systemctl daemon-reload"""
        },
        {"origin": "rm -r /etc/systemd/system/bm-core.service.d; systemctl daemon-reload"},
    ),
)
