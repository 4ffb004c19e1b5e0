"""What the lines of RedHat's family make of the tools' own output."""

import subprocess

from bmnb.packages.dnf import YUM


def bash(script: str) -> str:
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False).stdout


def test_upgrades_become_name_installed_candidate():
    fakes = "dnf() { echo 'bm-core 4.9.4012-1'; }; rpm() { echo 4.9.3884-1; }\n"
    assert bash(fakes + YUM.upgradable) == "bm-core 4.9.3884-1 4.9.4012-1\n"


def test_a_package_that_is_there_twice_is_broken_but_for_kernels():
    fakes = "rpm() { printf '%s\\n' bm-core bm-core kernel kernel gpg-pubkey gpg-pubkey bm-node; }\n"
    assert bash(fakes + YUM.broken) == "bm-core\n"


def test_a_package_that_is_not_to_be_had_any_more_is_named():
    installed = "rpm() { case $1 in -qa) printf 'bm-core\\nbm-node\\n';; -qp) printf 'bm-core\\n';; esac; }\n"
    line = f"yum() {{ :; }}\n{installed}{{ {YUM.keep}\n}} 2>&1"
    assert bash(line) == "not to be had any more: bm-node\n"
    assert bash(line.replace("printf 'bm-core\\n'", "printf 'bm-core\\nbm-node\\n'")) == ""
