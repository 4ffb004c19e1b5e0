"""The stand-in's parts that need no server."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from bmnb.lab.standin import USERS, fingerprint, populate_command, services
from bmnb.lab.standin.server import client, etc, firewall, networks, packages, routes, spool
from bmnb.lab.standin.server.here import Fault, literal, parse_ini
from bmnb.lab.standin.server.variants import VARIANTS


def test_my_networks_lose_exclusions_and_order_and_gain_the_servers_own_addresses():
    saved = networks.sanitize("!10.0.0.5,192.0.2.0/24  10.1.0.0/16", ["198.18.0.10"], ["198.18.0.20"])
    assert saved == "10.0.0.5, 10.1.0.0/16, 127.0.0.0/8, 192.0.2.0/24, 198.18.0.10/32, 198.18.0.20/32"


@pytest.mark.parametrize("text", ["", " , ", "10.0.0.0/33", "mail.example.org"])
def test_my_networks_that_are_empty_or_no_networks_are_refused(text):
    with pytest.raises(Fault):
        networks.sanitize(text, [], [])


def test_bm_ini_is_read_with_and_without_spaces():
    assert parse_ini("[global]\na=1\nb = 2 \n# c = 3\n") == {"a": "1", "b": "2"}


def test_a_text_is_quoted_for_sql():
    assert literal("l'œuvre") == "'l''œuvre'"


def test_users_have_other_numbers_on_the_target_two_of_them_crosswise():
    origin, target = USERS["origin"], USERS["target"]
    assert all(origin[name] != target[name] for name in origin)
    assert (origin["cyrus"], origin["elasticsearch"]) == (target["elasticsearch"], target["cyrus"])


def test_names_of_mailboxes_become_the_folders_that_cyrus_makes():
    ninth = client.users(9)[8]
    assert ninth.login == "9renee.user9"
    assert client.mailbox_folder(ninth) == ("bm-master__lab_example/domain/l/lab.example/q/user/9renee^user9")
    assert client.partition(client.DOMAINS[0]) == "bm-master__f8de2c4a_internal"
    assert "archivepartition-bm-master__lab_example:/var/spool/bm-hsm/cyrus-archives/" in etc.partitions()


def test_users_are_spread_over_all_domains():
    spread = Counter(user.domain.name for user in client.users(100))
    assert set(spread) == {domain.name for domain in client.DOMAINS}
    assert len({user.email for user in client.users(1000)}) == 1000


@pytest.fixture
def spool_in(monkeypatch: pytest.MonkeyPatch):
    def use(place: Path) -> Path:
        for name, folder in (("DATA", "data"), ("META", "meta"), ("ARCHIVES", "archives")):
            monkeypatch.setattr(spool, name, place / folder)
        return place

    return use


def listed(place: Path) -> dict[str, tuple[int, int, str]]:
    """Each file with its mtime in nanoseconds, its links and its content."""
    return {
        str(path.relative_to(place)): (
            path.stat().st_mtime_ns,
            path.stat().st_nlink,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in place.rglob("*")
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_mail(tmp_path: Path, spool_in):
    made = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        place = spool_in(tmp_path / name)
        spool.fill_cyrus(300, client.users(8), spool.Bodies(seed))
        made.append(listed(place))
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_mail_has_the_sizes_links_archives_and_empty_folders_of_a_client(tmp_path: Path, spool_in):
    place = spool_in(tmp_path)
    spool.fill_cyrus(500, client.users(8), spool.Bodies("1"))
    messages = [path for path in place.rglob("*.") if path.is_file()]
    assert len(messages) == 500
    assert all(2_000 <= path.stat().st_size <= 21_000 for path in messages)
    assert sum(path.is_relative_to(place / "archives") for path in messages) == 25
    assert any(path.stat().st_nlink > 1 for path in messages)
    assert any(path.stat().st_mtime_ns % 1000 for path in messages)
    assert any(not any(path.iterdir()) for path in (place / "data").rglob("*") if path.is_dir())
    assert any("\n" in path.name for path in (place / "data").rglob("*"))


def test_5_has_no_cyrus_and_other_paths():
    four, five = VARIANTS["4.9"], VARIANTS["5.1"]
    assert {"bm-hps", "bm-lmtpd", "bm-cyrus-imapd"} == set(four.services) - set(five.services)
    assert "/var/lib/cyrus" in spool.present(True)
    assert not {"/var/lib/cyrus", "/var/spool/sieve"} & set(spool.present(False))
    assert five.firewall.startswith("/internal-api/")


def test_the_full_package_wants_the_exact_version_of_all_others(monkeypatch: pytest.MonkeyPatch):
    variant = VARIANTS["4.9"]
    monkeypatch.setattr(packages, "variant", lambda: variant)
    needs = {one.name: one.needs for one in packages.packages(variant.version)}
    assert "bm-core (= 4.9.3884)" in needs["bm-full"]
    assert "bm-elasticsearch (= 1:7.17.9-bluemind1048)" in needs["bm-full"]
    assert needs["bm-core"] == ()


def test_the_next_major_version_takes_the_place_of_packages_that_it_has_no_more(
    monkeypatch: pytest.MonkeyPatch,
):
    last = VARIANTS["4.9-last"]
    monkeypatch.setattr(packages, "variant", lambda: last)
    five = {one.name: one for one in packages.packages(VARIANTS[last.successor].version)}
    assert five["bm-conf"].conflicts == ("bm-cyrus", "bm-hps", "bm-lmtpd")
    assert "bluemind=5.1/" in five["bm-conf"].script
    assert "disable bm-cyrus-imapd" in five["bm-conf"].script
    four = {one.name: one for one in packages.packages(last.version)}
    assert not four["bm-conf"].conflicts
    assert "bluemind=4.9-last/" in four["bm-conf"].script
    assert "enable bm-cyrus-imapd" in four["bm-conf"].script


def test_a_service_can_be_disabled_on_a_node_by_a_file():
    assert "ConditionPathExists=!/etc/bm/bm-eas.disabled" in services.unit("bm-eas")
    assert "PartOf=bluemind.target" in services.unit("bmnb-writer")


def test_the_firewall_names_its_hosts_in_one_line():
    assert '\nbmHosts="198.18.0.10 192.0.2.7"\n' in firewall.script(["198.18.0.10", "192.0.2.7"])


@pytest.mark.parametrize(
    ("method", "path", "parts"),
    [
        ("GET", "/api/tasks/a%2Fb", ("a/b",)),
        ("GET", "/api/servers/default/example.org/assignments", ("example.org",)),
        ("POST", "/api/system/installation/192.0.2.1/ping", ("192.0.2.1",)),
    ],
)
def test_a_call_finds_its_route(monkeypatch: pytest.MonkeyPatch, method, path, parts):
    monkeypatch.setattr(routes, "variant", lambda: VARIANTS["4.9"])
    assert routes.find(method, path)[1] == parts
    assert routes.find("PATCH", path) is None


def test_the_line_that_fills_a_server_holds_every_choice():
    line = populate_command("core", 1, 2, 3, 4, 5, {"mailbox": "198.18.0.11"})
    assert line.endswith(
        "populate core --messages 1 --rows 2 --users 3 --seed 4 --partitions 5 --beside mailbox=198.18.0.11"
    )


def test_the_fingerprint_is_of_the_files():
    assert fingerprint() == fingerprint()
    assert len(fingerprint()) == 64


def test_every_server_file_says_that_it_is_no_bluemind():
    folder = Path(services.__file__).parent / "files"
    scripts = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sql"]
    assert scripts
    assert [
        path.name for path in scripts if "stand-in" not in "".join(path.read_text().splitlines()[:3])
    ] == []
