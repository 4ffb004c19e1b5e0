"""Where the procedures deviate from BlueMind's documents; the notebooks show the same tables."""

from bmnb.steps import Deviation

CHANGING_DISTRIBUTIONS = (
    Deviation(
        "`rsync -avH --delete`",
        "`rsync -aHAX --sparse --delete --modify-window=-1 --no-inc-recursive --timeout=600 --stats --info=progress2`",
        "`-v` would name millions of files; whole seconds miss a rewrite of the same size within the second; access lists, attributes and holes are kept; hard links need the whole list, and a dead line must end",
    ),
    Deviation(
        "`PGPASSWORD` set to `bj`",
        "the password of `bm.ini`, read on the server",
        "from 5.2 on each installation has its own",
    ),
    Deviation(
        "`/tmp/db.sql`",
        "a folder of root alone",
        "a dump holds every subject and address",
    ),
    Deviation(
        "`dropdb bj`, `createdb bj`",
        "a new database, put in place of the old one when it is complete",
        "a broken import leaves the old database; owner, encoding and time zone as BlueMind makes them",
    ),
    Deviation(
        "`cat db.sql \\| psql`",
        "the same with `ON_ERROR_STOP`, in one transaction",
        "`psql` goes on after an error and ends with 0",
    ),
    Deviation(
        "`scp`, `scp -r`",
        "`rsync -aAX --copy-links --ignore-times --modify-window=-1`",
        "`scp` loses owners and modes, and a glob leaves out names that begin with a dot; files that both installers wrote in the same second count as equal otherwise",
    ),
    Deviation(
        "copying Postfix's `.db` maps",
        "`postmap` on the copied text",
        "the format of these files differs between distributions",
    ),
    Deviation(
        "nothing on PostgreSQL",
        "`systemctl start postgresql`",
        "`bmctl stop` takes it down as well",
    ),
    Deviation(
        "seven trees, listed files",
        "also the trees, queue and files that BlueMind's own restore carries",
        "mail in Postfix's queue would be lost; see `carry_forgotten`",
    ),
    Deviation(
        "two databases",
        "also Keycloak's of BlueMind 5, roles, and the databases' rights, limits, comments and settings",
        "logins by OpenID need the first; no dump of a database holds the others",
    ),
    Deviation(
        "restart by hand",
        "services disabled until the switch",
        "a restart of either server must not bring them back in between",
    ),
    Deviation(
        "restart of the target after the switch",
        "before the first hot pass, its services kept from starting; `restart_target: during` does as the document",
        "a restart takes a minute or more of the downtime, and whether the server comes back is better known before",
    ),
    Deviation(
        "the target takes the original server's address",
        "the same, or `switch`: it is moved by hand, or the target keeps its own",
        "servers in different networks; for another address the document has one line, and BlueMind's page on changing it the rest",
    ),
    Deviation(
        "the target starts at the switch for the first time",
        "with `test_launch` also before the cold synchronization, on layers above what was copied, without a network",
        "what does not start, or a mailbox that cannot be opened, is found in the days before",
    ),
)

UPDATING_BLUEMIND = (
    Deviation(
        "`aptitude upgrade`, `yum upgrade`",
        "the same with `-y` and `--force-confold`",
        "nobody is there to answer in a run of its own; a changed configuration file stays as it is, the package's new one lies beside it",
    ),
    Deviation(
        "`aptitude --download-only upgrade`",
        "the same with `-y`",
        "as above",
    ),
    Deviation(
        "`yum --downloadonly upgrade`",
        "the same with `-y`",
        "as above",
    ),
    Deviation(
        "`rm -f /etc/nginx/sw.htpasswd; htpasswd -b -c … admin admin`",
        "a password made on the server, written to a new file that then takes the old one's place",
        "without the file /setup is open to everyone; *admin* is everyone's password, and arguments can be read by all users of the server",
    ),
    Deviation(
        "`curl … \\| apt-key add -`",
        "the key in a keyring of its own, named by `signed-by`, once its fingerprint is confirmed",
        "`apt-key` is gone from newer releases and trusts the key for every repository; without `-f`, curl would pass on an error page",
    ),
    Deviation(
        "a repository without a signature gives *a mere warning*",
        "the run stops at one that is not signed, out of date, or of an unknown key",
        "the document says it of earlier versions; today nothing else tells whose packages they are",
    ),
    Deviation(
        "`aptitude`, as it asks on the terminal",
        "`DEBIAN_FRONTEND=noninteractive`, `APT_LISTCHANGES_FRONTEND=none` and `NEEDRESTART_MODE=l`; its own simulation is shown before, and what it would remove is accepted by `remove-packages`",
        "no question may wait in the downtime; aptitude also removes what nothing has asked for",
    ),
    Deviation(
        "—",
        "every other package source must answer, no package may be on hold, left out or half installed",
        "each of them ends or falsifies the upgrade in the downtime",
    ),
    Deviation(
        "—",
        "Elasticsearch's index must be green, before and after",
        "BlueMind's own preparation refuses an update of another one, and mail would not be found after it",
    ),
    Deviation(
        "—",
        "`mynetworks`, `relayhost`, the size of a message and BlueMind's maps in Postfix must be those of BlueMind's configuration, before and after",
        "the document forbids to edit them on the server, and the console overrules it",
    ),
    Deviation(
        "*What to Watch Out For*, before any important update",
        "asked for once it is known which version comes, where its first two numbers change",
        "*latest* names no version",
    ),
    Deviation(
        "the button *Setup* in Update BlueMind",
        "the call that the button makes, or `bm-cli setup version`",
        "the same checks of BlueMind, on record",
    ),
    Deviation(
        "the button *Update* in /setup",
        "`bm-cli setup upgrade`, or the API, or the button",
        "the document names `bm-cli` for advanced administrators; see `setup_wizard`",
    ),
    Deviation(
        "other virtual hosts, enabled again by hand",
        "enabled again after `nginx -t`",
        "they were saved before",
    ),
    Deviation(
        "the backup as the only way back",
        "until the setup wizard begins, also the installed packages, kept as files",
        "what has gone wrong with packages alone needs no restore, and costs no mail",
    ),
    Deviation(
        "the version may be left open or frozen",
        "frozen on what is installed, unless `freeze` says otherwise",
        "an update of the system would else bring BlueMind's packages without the setup wizard",
    ),
    Deviation(
        "—",
        "hot upgrades: none may run or have failed before, and they are followed to their end afterwards",
        "an update over one that runs changes data under it; a user may still miss what one has not brought yet",
    ),
)

MAJOR_UPDATE = (
    Deviation(
        "`bm-cli setup check-upgrade-5 --sampling-percentage=100`, in screen or tmux",
        "the same in a unit of its own, kept as a file, and once more before the maintenance",
        "it goes on when a connection is lost; what held when the platform was prepared may hold no longer",
    ),
    Deviation(
        "the repairs that the test proposes",
        "the very commands that it prints, once they are accepted one by one, and the test after them; others are left to a person",
        "how it prints them is not published; nothing is run that nobody has read",
    ),
    Deviation(
        "*version 4 must be at its latest*",
        "its repositories opened to the latest release first",
        "repositories that are frozen hide a newer one",
    ),
    Deviation(
        "free space for an archive",
        "asked of the file system of the fast spool",
        "the page does not say where it has to be",
    ),
    Deviation(
        "what follows the test: packages, setup wizard",
        "as in *Updating BlueMind*, with its deviations, and with `full-upgrade`",
        "that part of the page is not public; packages that 5 has no more have to go",
    ),
    Deviation(
        "—",
        "PostgreSQL's own update, waited for before the setup wizard",
        "`bm-postgresql-postupgrade` goes on after the packages are there",
    ),
)
