"""BlueMind under another address: its files, read back; nothing else in them changes."""

import subprocess
from pathlib import Path

import pytest

from bmnb.bluemind import api, own_address, proofs
from bmnb.steps import Result

OLD, NEW = "192.0.2.1", "203.0.113.70"

INI = """[global]
external-url = mail.example.org
host={old}
 hz-member-address = {old}
db = bj
# host = {old}
other-host = {old}
"""


def bash(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)


def test_both_keys_of_bm_ini_get_the_address_and_no_other_line(tmp_path: Path, monkeypatch):
    file = tmp_path / "bm.ini"
    monkeypatch.setattr(own_address, "BM_INI", str(file))
    file.write_text(INI.format(old=OLD))
    for _ in range(2):
        assert bash(own_address.in_ini(NEW)).returncode == 0
        after = file.read_text().splitlines()
    assert after[2:4] == [f"host={NEW}", f" hz-member-address = {NEW}"]
    assert [line for line in after if OLD in line] == [f"# host = {OLD}", f"other-host = {OLD}"]


def test_a_bm_ini_without_the_keys_is_no_success(tmp_path: Path, monkeypatch):
    file = tmp_path / "bm.ini"
    monkeypatch.setattr(own_address, "BM_INI", str(file))
    file.write_text("[global]\nhost = x\n")
    assert bash(own_address.in_ini(NEW)).returncode != 0


def test_the_address_is_exchanged_whole_and_wherever_it_stands(tmp_path: Path, monkeypatch):
    file = tmp_path / "elasticsearch.yml"
    monkeypatch.setattr(own_address, "ELASTICSEARCH", str(file))
    file.write_text(
        f'network.host: ["127.0.0.1", "{OLD}"]\nseeds: {OLD} {OLD},{OLD}:9300\nothers: {OLD}0 1{OLD} 192x0x2x1\n'
    )
    assert bash(own_address.names(str(file), OLD)).returncode == 0
    assert bash(own_address.in_elasticsearch(OLD, NEW)).returncode == 0
    assert file.read_text() == (
        f'network.host: ["127.0.0.1", "{NEW}"]\nseeds: {NEW} {NEW},{NEW}:9300\nothers: {OLD}0 1{OLD} 192x0x2x1\n'
    )
    assert bash(own_address.names(str(file), OLD)).returncode == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"127.0.0.0/8, {OLD}/32", f"127.0.0.0/8, {NEW}/32"),
        (f"{OLD} 10.0.0.0/8", f"{NEW}/32, 10.0.0.0/8"),
        (f"{OLD}/32,{NEW}/32", f"{NEW}/32"),
        (f"{OLD}0/32 {OLD}/24", f"{OLD}0/32, {OLD}/24"),
    ],
    ids=["as BlueMind writes it", "without a mask", "both", "a longer one, and a network"],
)
def test_my_networks_get_the_new_address_in_place_of_the_old_one(before: str, after: str):
    assert api.replaced(before, OLD, NEW) == after


def test_the_old_address_may_not_relay_any_more():
    found = Result("target", "", 0, f"127.0.0.0/8, {OLD}/32, {NEW}/32")
    assert proofs.networks("", "", found).holds
    verdict = proofs.networks("", OLD, found)
    assert (verdict.holds, verdict.seen) == (False, f"the old address is still among them: {OLD}")


@pytest.mark.parametrize(
    ("known", "holds"),
    [
        ([{"ip": OLD}], True),
        ([{"ip": NEW}], False),
        ([{"ip": None, "fqdn": "mail.example.org"}], True),
        ([], False),
    ],
)
def test_the_address_must_be_the_one_that_bluemind_knows(known: list[dict[str, str]], holds: bool):
    assert api.has_address(OLD, [{"value": one} for one in known]).holds == holds


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ('[[""], [""]]', "nothing names it"),
        (
            '[["/etc/hosts"], ["system configuration: fwAdditionalIPs"]]',
            "/etc/hosts, system configuration: fwAdditionalIPs",
        ),
    ],
)
def test_what_still_names_the_old_address_is_told(told: str, seen: str):
    verdict = own_address.names_nowhere(Result("target", "", 0, told))
    assert (verdict.holds, verdict.seen) == (seen == "nothing names it", seen)


def test_the_new_address_must_stand_in_all_places():
    whole = "bm.ini host\nbm.ini hz-member-address\nserver 1\ndatabase host\ndatabase hz-member-address\n"
    assert own_address.stands_everywhere(Result("target", "", 0, whole)).holds
    lacking = own_address.stands_everywhere(Result("target", "", 0, whole.replace("server 1", "server 0")))
    assert (lacking.holds, lacking.seen) == (False, "missing: server 1")


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ("bm.ini host\nbm.ini hz-member-address\nserver 1\n", ""),
        ("bm.ini host\nserver 1\n", "bm.ini hz-member-address"),
        ("bm.ini host\nbm.ini host\nbm.ini hz-member-address\nserver 1\n", "bm.ini host"),
        ("bm.ini host\nbm.ini hz-member-address\nserver 0\n", "server 1"),
    ],
    ids=["all", "a key is missing", "a key stands twice", "the database has a name alone"],
)
def test_before_the_downtime_each_place_that_will_change_is_there_once(told: str, wrong: str):
    verdict = own_address.can_be_changed(Result("origin", "", 0, told))
    assert verdict.holds is not bool(wrong)
    assert not wrong or verdict.seen == f"not there, or not once: {wrong}"


def test_domains_that_name_the_old_address_are_changed_and_looked_for():
    """A domain's addresses for logins by OpenID, of BlueMind 5 with Keycloak."""
    assert "UPDATE t_domain SET properties" in own_address.in_database(OLD, NEW)
    assert "FROM t_domain" in own_address.what_names(OLD, "keycloak")
