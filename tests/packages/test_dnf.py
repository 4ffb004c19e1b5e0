"""What the lines of RedHat's family make of the tools' own output."""

import subprocess

from bmnb.packages.dnf import YUM


def bash(script: str) -> str:
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False).stdout


TABLE = """Last metadata expiration check: 0:00:01 ago.
Dependencies resolved.

 Problem: cannot install the best update candidate for package broken-1-1.noarch
====
 Package       Arch    Version    Repository   Size
====
Installing:
 new           noarch  1-1        bm          5.4 k
     replacing  old.noarch 1-1
Upgrading:
 a-long-name
               noarch  1:2-1      bm          2.0 M
 bm-core       noarch  4.9.4012-1 bm          100
     replacing  bm-core.noarch 4.9.3884-1
Installing dependencies:
 bm-plugin     noarch  2-1        bm          1 k
Removing dependent packages:
 useless       noarch  3-1        @System     9 M
Skipping packages with broken dependencies:
 broken        noarch  2-1        bm          1 k
Enabling module streams:
 tool                  ours

Transaction Summary
====
Install  2 Packages
"""


def table(line: str, aborted: str = "Operation aborted.") -> subprocess.CompletedProcess[str]:
    fakes = f"yum() {{ cat <<'END'\n{TABLE}END\necho '{aborted}' >&2; return 1; }}; rpm() {{ echo 0-1; }}\n"
    return subprocess.run(["bash", "-c", fakes + line], capture_output=True, text=True, check=False)


def test_what_yum_would_do_becomes_name_installed_candidate():
    assert table(YUM.upgradable).stdout.splitlines() == [
        *("new - 1-1", "old 1-1 -", "a-long-name 0-1 2-1", "bm-core 0-1 4.9.4012-1", "bm-plugin - 2-1"),
        "useless 3-1 -",
    ]
    assert int(table(YUM.size).stdout) == int(5.4 * 1024) + 2 * 1024**2 + 100 + 1024


def test_an_error_of_yum_is_not_that_nothing_comes():
    said = table(YUM.upgradable, "Error: Failed to download metadata")
    assert (said.returncode, said.stdout) == (2, "")
    assert "Failed to download metadata" in said.stderr


def test_what_is_newer_becomes_name_installed_candidate():
    fakes = "dnf() { echo 'bm-core 4.9.4012-1'; }; rpm() { echo 4.9.3884-1; }\n"
    assert bash(fakes + YUM.newer) == "bm-core 4.9.3884-1 4.9.4012-1\n"


def test_a_package_that_is_there_twice_is_broken_but_for_kernels():
    fakes = "rpm() { printf '%s\\n' bm-core bm-core kernel kernel gpg-pubkey gpg-pubkey bm-node; }\n"
    assert bash(fakes + YUM.broken) == "bm-core\n"


def test_a_package_that_is_not_to_be_had_any_more_is_named():
    installed = "rpm() { case $1 in -qa) printf 'bm-core\\nbm-node\\n';; -qp) printf 'bm-core\\n';; esac; }\n"
    line = f"yum() {{ :; }}\n{installed}{{ {YUM.keep}\n}} 2>&1"
    assert bash(line) == "not to be had any more: bm-node\n"
    assert bash(line.replace("printf 'bm-core\\n'", "printf 'bm-core\\nbm-node\\n'")) == ""
