"""Trees and files that administrators have moved and left as links arrive whole, wherever they lie on either server."""

from pathlib import Path

import pytest

from bmnb.lab.demo import unexpected
from tests.lab.conftest import SMALL, booted
from tests.lab.migration import client_file, done, finish, journal

pytestmark = pytest.mark.lab

SETTINGS = {"hot_passes": 1}
CERTIFICATE = "/etc/letsencrypt/live/bluemind.example.org"
LARGE = 66_000_000
"""Bytes of a file that rsync copies with both engines."""

ON_ORIGIN = f"""set -e
bmctl stop; systemctl stop postfix; mkdir -p /data/here
for tree in /var/spool/bm-filehosting /var/spool/bm-docs; do
  mv $tree /data/here/; ln -s /data/here/${{tree##*/}} $tree
done
head -c {LARGE} /dev/urandom > /var/spool/bm-filehosting/large
ln -s large /var/spool/bm-filehosting/link
mv /var/spool/cyrus /data/cyrus; mkdir /var/spool/cyrus; mount --bind /data/cyrus /var/spool/cyrus
mkdir -p {CERTIFICATE}; mv /etc/ssl/certs/bm_cert.pem {CERTIFICATE}/; echo key > {CERTIFICATE}/key
ln -s {CERTIFICATE}/bm_cert.pem /etc/ssl/certs/bm_cert.pem; ln -s {CERTIFICATE}/key /etc/bm/linked-key
printf '/^X-Bad:/ REJECT\\n' > /etc/postfix/header_checks
printf 'relay.example.org user:word\\n' > /etc/postfix/sasl_passwd; postmap /etc/postfix/sasl_passwd
postconf -e header_checks=regexp:/etc/postfix/header_checks smtp_sasl_password_maps=hash:/etc/postfix/sasl_passwd
systemctl start postgresql postfix; bmctl start"""

BROKEN = "broken.service"
"""A unit that fails whenever the target starts."""

ON_TARGET = f"""set -e
printf '[Service]\\nExecStart=/bin/false\\n[Install]\\nWantedBy=multi-user.target\\n' > /etc/systemd/system/{BROKEN}
systemctl enable -q {BROKEN}
bmctl stop; systemctl stop postfix; mkdir -p /srv/disk
for tree in /var/spool/cyrus /var/spool/bm-filehosting; do
  mv $tree /srv/disk/; ln -s /srv/disk/${{tree##*/}} $tree
done
mv /etc/ssl/certs/bm_cert.pem /etc/ssl/own.pem; ln -s /etc/ssl/own.pem /etc/ssl/certs/bm_cert.pem
systemctl start postgresql postfix; bmctl start"""


@pytest.mark.parametrize("engine", ["literal", "fast"])
def test_what_lies_behind_links_arrives(tmp_path: Path, engine: str):
    with booted(f"links-{engine}", **SMALL) as lab:
        lab.origin.must(ON_ORIGIN)
        lab.target.must(ON_TARGET)
        code, said = finish(client_file(lab, tmp_path, engine=engine, **SETTINGS))
        assert code == 0, said

        assert unexpected(lab) == []
        assert lab.target.must("readlink /var/spool/cyrus /var/spool/bm-filehosting").split() == [
            "/srv/disk/cyrus",
            "/srv/disk/bm-filehosting",
        ]
        assert lab.target.must("stat -c %s /srv/disk/bm-filehosting/large").strip() == str(LARGE)
        assert lab.target.must("stat -c %F /etc/ssl/certs/bm_cert.pem /etc/bm/linked-key").splitlines() == [
            "regular file",
            "regular file",
        ]
        [space] = [
            line for line in journal(tmp_path) if "items" in line and "place of each tree" in line["title"]
        ]
        places = {item["item"]: (item["origin"], item["target"]) for item in space["items"]}
        assert places["/var/spool/bm-filehosting"] == (
            "/data/here/bm-filehosting",
            "/srv/disk/bm-filehosting",
        )
        assert places["/var/spool/cyrus"] == ("/var/spool/cyrus", "/srv/disk/cyrus")
        assert done(tmp_path, "files are the same", "verify-copy")
        asked = "postmap -q 'X-Bad: 1' regexp:/etc/postfix/header_checks"
        assert lab.target.must(
            f"{asked}; postmap -q relay.example.org hash:/etc/postfix/sasl_passwd"
        ).split() == [
            "REJECT",
            "user:word",
        ]
        assert done(tmp_path, "mail for users is taken", "verify-service")
        [back] = done(tmp_path, "the target is back", "restart-target")
        assert BROKEN in back["seen"]
