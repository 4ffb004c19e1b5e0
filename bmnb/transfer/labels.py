"""SELinux's labels: a policy names them by paths, so that those of another server or of a copying program are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

CONFIGURATION = ("/etc", "/var/lib/bm-ca", "/usr/share/bm-elasticsearch/config")

IS_ON = "{ command -v selinuxenabled > /dev/null && selinuxenabled; } || exit 1"
"""A line that ends with 1 where the server has no SELinux, or has it switched off."""


def restore(trees: Sequence[str]) -> str:
    """A line that gives what was copied the labels of this server's policy; what is not there is passed over."""
    return f"restorecon -i -R -- {' '.join(map(quote, (*trees, *CONFIGURATION)))}"
