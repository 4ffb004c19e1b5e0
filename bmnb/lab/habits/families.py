"""RedHat's family, and systems of an age: what of them Debian's packages can play."""

from __future__ import annotations

from bmnb.lab.habits.habit import Carried, Habit, on_both

PGDG = r"""version=$(ls /etc/postgresql | head -n 1); home=/var/lib/pgsql/$version; programs=/usr/pgsql-$version/bin
systemctl stop bmnb-writer postgresql 'postgresql@*'; mkdir -p $home/data/conf.d ${programs%/*}; ln -sfn /usr/lib/postgresql/$version/bin $programs
cp -aT /var/lib/postgresql/$version/main $home/data; cp -aT /etc/postgresql/$version/main $home/data
rm -rf /var/lib/postgresql /etc/postgresql /usr/bin/pg_isready; chown -R postgres: /var/lib/pgsql; chmod 700 $home/data
usermod -d /var/lib/pgsql postgres
sed -i -E "/^(data_directory|hba_file|ident_file|external_pid_file|stats_temp_directory|cluster_name)/d" $home/data/postgresql.conf
for program in psql pg_dump pg_dumpall pg_restore createdb dropdb createuser dropuser clusterdb reindexdb vacuumdb pg_basebackup; do
  ln -sf $programs/$program /usr/bin/$program
done
rm -rf /lib/systemd/system/postgresql.service* /lib/systemd/system/postgresql@.service /lib/systemd/system-generators/postgresql-generator \
  /etc/systemd/system/multi-user.target.wants/postgresql.service /etc/init.d/postgresql /etc/rc*.d/*postgresql
cat > /lib/systemd/system/postgresql-$version.service <<END
[Unit]
Description=PostgreSQL $version database server
PartOf=bluemind.target
Before=bm-core.service
[Service]
Type=notify
User=postgres
RuntimeDirectory=postgresql
ExecStart=$programs/postgres -D $home/data
ExecReload=/bin/kill -HUP \$MAINPID
KillMode=mixed
KillSignal=SIGINT
[Install]
WantedBy=multi-user.target bluemind.target
END
# the stand-in's core looks for pg_isready
sed -i "s|^\[Service\]|&\nEnvironment=PATH=/usr/sbin:/usr/bin:$programs|" /lib/systemd/system/bm-core.service
systemctl daemon-reload; systemctl enable -q postgresql-$version; systemctl start postgresql-$version; systemctl start bmnb-writer"""

FIREWALLD = """for rule in '-i lo' '-m conntrack --ctstate ESTABLISHED,RELATED' '-p tcp -m multiport --dports 22,25,80,443,143,587,993,4190'; do
  iptables -A INPUT $rule -j ACCEPT
done
iptables -A INPUT -j REJECT --reject-with icmp-host-prohibited"""

OLD_RSYNC = r"""cat > /usr/local/bin/rsync <<'END'
#!/bin/bash
[ "$1" != --version ] || { echo 'rsync  version 3.1.1  protocol version 31'; exit; }
for option; do
  case $option in
    --mkpath | --open-noatime | --crtimes | --atimes | --stderr=* | --zc* | --compress-choice=* | --checksum-choice=* | --copy-as=* | --write-devices | --trust-sender | --old-args)
      echo "rsync: $option: unknown option" >&2; exit 1 ;;
  esac
done
exec /usr/bin/rsync "$@"
END
chmod +x /usr/local/bin/rsync"""

OLD_PYTHON = """mkdir -p /usr/lib/python3/dist-packages
echo 'import sys; sys.version_info = (3, 5, 3, "final", 0)' > /usr/lib/python3/dist-packages/own-3.5.pth"""

OLD_SYSTEMD = r"""cat > /usr/local/bin/systemd-run <<'END'
#!/bin/bash
if [ "$*" = --help ]; then /usr/bin/systemd-run --help | grep -v -e --collect -e --wait -e --pipe -e --working-directory; exit; fi
for option; do
  case $option in
    --) break ;;
    --collect | --wait | --pipe | --pty | --same-dir | --working-directory=*)
      echo "systemd-run: unrecognized option '$option'" >&2; exit 1 ;;
    [!-]*) break ;;
  esac
done
exec /usr/bin/systemd-run "$@"
END
cat > /usr/local/bin/systemctl <<'END'
#!/bin/bash
for option; do
  case $option in
    --value | --with-dependencies | --show-transaction | --now=*) echo "systemctl: unrecognized option '$option'" >&2; exit 1 ;;
  esac
done
exec /usr/bin/systemctl "$@"
END
chmod +x /usr/local/bin/systemd-run /usr/local/bin/systemctl"""

CONTEXT = "system_u:object_r:mail_spool_t:s0"
RESTORECON = """printf '#!/bin/sh\\nexit 0\\n' > /usr/sbin/selinuxenabled
printf '#!/bin/sh\\nprintf "%%s\\\\n" "$@" >> /var/log/restored\\n' > /usr/sbin/restorecon
chmod +x /usr/sbin/selinuxenabled /usr/sbin/restorecon"""

HABITS = (
    Habit(
        "postgresql-of-pgdg",
        "has PostgreSQL of PGDG's packages: /var/lib/pgsql, /usr/pgsql-VERSION/bin, a unit that bears the version",
        Carried("it is started by its own unit", "systemctl cat postgresql-[0-9]* | grep -q pgsql"),
        {"origin": PGDG},
    ),
    Habit(
        "folders-of-redhat-in-main-cf",
        "has Postfix of another family, whose main.cf names its own folders (daemon_directory)",
        Carried(
            "the target's Postfix keeps its own folders",
            on_target="[ -x $(postconf -h daemon_directory)/smtpd ]; ! grep libexec /etc/postfix/main.cf",
        ),
        {
            "origin": """mkdir -p /usr/libexec; ln -sfn /usr/lib/postfix/sbin /usr/libexec/postfix
postconf -e daemon_directory=/usr/libexec/postfix; systemctl restart postfix"""
        },
    ),
    Habit(
        "wheel",
        "has administrators in wheel, whose sudo wants a terminal (requiretty)",
        Carried("root's own lines need no sudo, and those of others get a terminal"),
        on_both("""groupadd -f wheel; useradd -M -G wheel chief
printf 'Defaults requiretty\\n%%wheel ALL=(ALL) NOPASSWD: ALL\\n' > /etc/sudoers.d/wheel; chmod 440 /etc/sudoers.d/wheel; visudo -cq"""),
    ),
    Habit(
        "firewalld",
        "lets in ssh, mail and the web alone, and refuses all else (firewalld)",
        Carried("nothing else is asked from one server to the other"),
        on_both(FIREWALLD),
    ),
    Habit(
        "selinux",
        "has SELinux on both servers",
        Carried(
            "what was copied gets the labels of the target's policy before the target starts",
            on_target="grep -qx /var/spool/cyrus /var/log/restored; grep -qx /etc /var/log/restored",
        ),
        {
            "origin": f"""touch /var/spool/bm-docs/labelled
setfattr -n security.selinux -v {CONTEXT} /var/spool/bm-docs/labelled""",
            "target": RESTORECON,
        },
    ),
    Habit(
        "rsync-3.1.1",
        "has rsync 3.1.1, which knows no option of later ones",
        Carried("it is told nothing that it does not know"),
        {"origin": OLD_RSYNC},
        place="programs in /usr/local/bin",
    ),
    Habit(
        "python-3.5",
        "has Python 3.5 and no other",
        Carried("files are copied by the document's commands"),
        {"origin": OLD_PYTHON},
    ),
    Habit(
        "systemd-229",
        "has systemd 229, which knows no option of later ones",
        Carried("units are made without them"),
        {"origin": OLD_SYSTEMD},
    ),
)
