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
