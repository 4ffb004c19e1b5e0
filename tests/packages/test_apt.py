"""What the lines of Debian's family make of the tools' own output."""

import subprocess
from pathlib import Path

from bmnb.packages.apt import APT_GET, APTITUDE
from bmnb.packages.tool import keep, read_kept
from bmnb.steps import Result


def through(line: str, tool: str, output: str) -> str:
    """The line's output where the tool is one that prints this."""
    fake = f"{tool}() {{ cat <<'END'\n{output}\nEND\n}}\n"
    return subprocess.run(["bash", "-c", fake + line], capture_output=True, text=True, check=True).stdout


def test_a_simulated_upgrade_becomes_name_installed_candidate():
    output = """Reading package lists...
Inst bm-core [4.9.3884] (4.9.4012 BlueMind:standin [all])
Inst linux-image-6.1.0-40 (6.1.153-1 Debian:12 [amd64])
Inst bm-nginx [1.23.3-bluemind1201] (1:1.25 BlueMind [amd64]) []
Conf bm-core (4.9.4012 BlueMind:standin [all])"""
    assert through(APT_GET.upgradable, "apt-get", output).splitlines() == [
        "bm-core 4.9.3884 4.9.4012",
        "linux-image-6.1.0-40 - 6.1.153-1",
        "bm-nginx 1.23.3-bluemind1201 1:1.25",
    ]


def test_the_bytes_to_fetch_are_added_up():
    output = "'http://h/a.deb' a.deb 100 SHA256:1\n'http://h/b.deb' b.deb 23 SHA256:2"
    assert through(APT_GET.size, "apt-get", output) == "123\n"
    assert through(APT_GET.size, "apt-get", "") == "0\n"


def test_a_package_that_is_not_whole_counts_as_broken():
    output = "ii  bm-core\niF  bm-milter\nrc  bm-old\niU  bm-full\nhi  bm-held"
    assert through(APTITUDE.broken, "dpkg-query", output).split() == ["bm-milter", "bm-full"]


def test_a_package_that_is_only_marked_for_removal_is_whole():
    """As aptitude marks them when it downloads for a full upgrade."""
    output = "ri  bm-cyrus\npi  bm-hps\nrU  bm-lmtpd\nuiR bm-tika\nii  bm-core"
    assert through(APTITUDE.broken, "dpkg-query", output).split() == ["bm-lmtpd", "bm-tika"]


def test_installed_packages_are_kept_from_the_cache_else_from_the_repository(tmp_path: Path):
    kept, cache = tmp_path / "kept", tmp_path / "cache"
    cache.mkdir()
    (cache / "bm-search_1%3a7.17_amd64.deb").write_text("cached")
    fakes = """dpkg-query() { printf 'installed bm-core 4.9.1 all\\ninstalled bm-search 1:7.17 amd64\\nconfig-files bm-old 3 all\\n'; }
apt-get() { [ "$2" != download ] || touch "${@:3}"; }
"""
    line = fakes + keep(str(kept), APT_GET).replace(APT_GET.cache, str(cache))
    said = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout
    assert read_kept(Result("core", line, 0, said)) == {"packages kept": 2, "MB": 0.0}
    assert {path.name for path in kept.iterdir()} == {
        "installed",
        "bm-core=4.9.1",
        "bm-search_1%3a7.17_amd64.deb",
    }
