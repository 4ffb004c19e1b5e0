"""A Debian tree of the lab with its real package tools, for a script alone; nothing is booted."""

from __future__ import annotations

import subprocess
from pathlib import Path

# the private mounts end with the process that has them
ENTER = """mount --make-rprivate / && mount -t tmpfs none /mnt && mkdir /mnt/upper /mnt/work /mnt/root &&
mount -t overlay none -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root &&
mount --rbind /dev /mnt/root/dev && mount --bind /proc /mnt/root/proc && cat > /mnt/root/script || exit 99
chroot /mnt/root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \\
  bash -o pipefail /script"""

HELPERS = r"""
deb() { # NAME VERSION [FIELDS [POSTINST]]
  local at=/build/$1; rm -rf $at; mkdir -p $at/DEBIAN /repository
  printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: a\n' "$1" "$2" > $at/DEBIAN/control
  [ -z "$3" ] || printf '%s\n' "$3" >> $at/DEBIAN/control
  [ -z "$4" ] || { printf '#!/bin/sh\n%s\n' "$4" > $at/DEBIAN/postinst; chmod 755 $at/DEBIAN/postinst; }
  dpkg-deb -b $at /repository/${1}_${2}_all.deb
}
publish() {
  ( cd /repository; for file in *.deb; do
    dpkg-deb -f $file; printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' $file $(stat -c %s $file) $(sha256sum < $file | cut -d ' ' -f 1)
  done > Packages )
  rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
  echo 'deb [trusted=yes] file:/repository ./' > /etc/apt/sources.list.d/bm.list
  apt-get -q update
}
rpm_of() { # NAME VERSION [LINES OF THE SPEC [FILE]]
  mkdir -p /repository
  { printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: a\nLicense: MIT\nBuildArch: noarch\nAutoReqProv: no\n' "$1" "$2"
    [ -z "$3" ] || printf '%s\n' "$3"; printf '%%description\na\n%%install\n'
    [ -z "$4" ] || printf 'mkdir -p %%{buildroot}%s; echo %s > %%{buildroot}%s\n' "${4%/*}" "$1" "$4"; printf '%%files\n%s\n' "$4"; } > /build.spec
  rpmbuild -bb --quiet --define '_rpmdir /repository' /build.spec
}
publish_rpms() { # Debian's rpm keeps its list beside its user; dpkg-query is put out of the way of what asks either
  createrepo_c --quiet /repository; [ ! -e /modules.yaml ] || modifyrepo_c --mdtype=modules /modules.yaml /repository/repodata
  mkdir -p /etc/yum.repos.d; [ -e /usr/bin/yum ] || ln -s dnf /usr/bin/yum
  printf '[bm]\nname=bm\nbaseurl=file:///repository\ngpgcheck=0\nmetadata_expire=0\n' > /etc/yum.repos.d/bm.repo
  [ ! -e /usr/bin/dpkg-query ] || mv /usr/bin/dpkg-query /root/
}
acted() { # NAME OLD NEW of what two lists have differently
  LC_ALL=C join -a 1 -a 2 -e - -o 0,1.2,2.2 "$1" "$2" | awk '$2 != $3'
}
states() { dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' "$@"; }
"""


def within(image: Path, prepare: str, script: str) -> str:
    """What a script prints as root in the image, once it is prepared; what both change is gone with them."""
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", ENTER, "enter", str(image)],
        input=f"{HELPERS}\nprepare() {{ :\n{prepare}\n}}\nprepare > /dev/null\n{script}",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
