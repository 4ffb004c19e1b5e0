"""Every client file is read before the first run, and all that is wrong is told at once."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bmnb.errors import InputError
from bmnb.fleet.inventory import gather
from bmnb.fleet.wishes import Wishes
from bmnb.procedures.changing_distributions import PROCEDURE


def write(path: Path, **values: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return path


def client(folder: Path, number: int, **more: Any) -> Path:
    values = {"client": f"c{number}", "origin": f"o{number}", "target": f"t{number}", **more}
    return write(folder / f"c{number:02}.yaml", **values)


def test_files_folders_and_patterns_are_the_same_clients_once(tmp_path: Path):
    paths = [client(tmp_path / "clients", number) for number in range(3)]
    for sources in (
        [str(tmp_path / "clients")],
        [str(tmp_path / "clients/*.yaml")],
        list(map(str, paths * 2)),
    ):
        assert [one.name for one in gather(PROCEDURE, sources).all] == ["c0", "c1", "c2"]


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path):
    for number in range(40):
        client(tmp_path, number)
    client(tmp_path, 37, orgin="mail")
    client(tmp_path, 12, hot_passes="two")
    client(tmp_path, 20, client="c5", target="t3")
    with pytest.raises(InputError) as refused:
        gather(PROCEDURE, [str(tmp_path), str(tmp_path / "nowhere")])
    told = str(refused.value).splitlines()[1:]
    assert [line.split("/")[-1] for line in told] == [
        "c12.yaml: hot_passes: 'two' is not of type int",
        "c37.yaml: unknown parameter 'orgin': did you mean 'origin'?",
        "nowhere: no such file or folder",
        "c05.yaml too",
        "c03.yaml too",
    ]


def test_one_server_under_two_names_is_one_server(tmp_path: Path):
    hosts = ["Host mail\n HostName 192.0.2.1\n", "Host old\n HostName 192.0.2.1\n"]
    configs = [tmp_path / f"config{number}" for number in range(2)]
    for path, text in zip(configs, hosts, strict=True):
        path.write_text(text)
    client(tmp_path / "clients", 1, origin="mail", ssh_config=str(configs[0]))
    client(tmp_path / "clients", 2, origin="old", ssh_config=str(configs[1]))
    with pytest.raises(InputError, match=r"old \(192.0.2.1\) is a server of .*c01.yaml too"):
        gather(PROCEDURE, [str(tmp_path / "clients")])


def test_the_same_address_behind_two_jump_hosts_is_two_servers(tmp_path: Path):
    for number in range(2):
        config = tmp_path / f"config{number}"
        config.write_text(f"Host *\n ProxyJump gate{number}\nHost o\n HostName 10.0.0.5\n")
        client(tmp_path / "clients", number, origin="o", target=f"t{number}", ssh_config=str(config))
    assert len(gather(PROCEDURE, [str(tmp_path / "clients")]).all) == 2


INVENTORY = {
    "language": "fr",
    "not_before": "2026-01-31 22:00",
    "notices": {"webhook": "http://127.0.0.1:1"},
    "groups": {
        "schools": {
            "at_once": 1,
            "hot_passes": 2,
            "downtime": 20,
            "clients": [
                {"client": "A", "origin": "oa", "target": "ta"},
                {"client": "B", "origin": "ob", "target": "tb", "hot_passes": 3, "after": "A", "priority": 5},
            ],
        }
    },
}


def test_an_inventory_has_groups_and_common_values(tmp_path: Path):
    inventory = write(
        tmp_path / "inventory.yaml", **INVENTORY, clients=[{"file": "c7.yaml", "mail": ["it@example.org"]}]
    )
    write(tmp_path / "c7.yaml", client="c7", origin="o7", target="t7", language="en")
    found = gather(PROCEDURE, [str(inventory)])
    by_name = {one.name: one for one in found.all}
    assert (found.limits, found.notices.webhook) == ({"schools": 1}, "http://127.0.0.1:1")
    assert [by_name[name].values["language"] for name in ("c7", "a", "b")] == ["en", "fr", "fr"]
    assert [by_name[name].values["hot_passes"] for name in ("a", "b")] == [2, 3]
    assert by_name["c7"].wishes.mail == ("it@example.org",)
    wishes = by_name["b"].wishes
    assert (wishes.after, wishes.priority, wishes.downtime, wishes.groups) == (
        ("a",),
        5,
        1200.0,
        ("", "schools"),
    )
    assert wishes.not_before == datetime(2026, 1, 31, 22).astimezone()
    assert Wishes.from_json(wishes.as_json()) == wishes


def test_an_inventory_s_own_words_are_checked_too(tmp_path: Path):
    broken = [
        {"client": "A", "origin": "oa", "target": "ta", "after": ["b", "x"], "prioritee": 1},
        {"client": "B", "origin": "ob", "target": "tb", "not_before": "tonight", "downtime": "long"},
        {
            "client": "C",
            "origin": "oc",
            "target": "tc",
            "not_before": "2026-01-02",
            "not_after": "2026-01-01",
        },
        {"client": "D", "origin": "od", "target": "td", "after": "E"},
        {"client": "E", "origin": "oe", "target": "te", "after": "D"},
        {"client": "F", "origin": "of", "target": "tf", "after": "G"},
    ]
    with pytest.raises(InputError) as refused:
        gather(PROCEDURE, [str(write(tmp_path / "inventory.yaml", clients=broken))])
    for text in (
        "client 1: unknown parameter 'prioritee'",
        "client 2: not_before: 'tonight' is no time",
        "client 2: downtime: 'long' is not a number of minutes",
        "client 3: not_after: the window ends before it begins",
        "client 6: after: no client 'g'",
        "after: each waits for the next: ",
    ):
        assert text in str(refused.value)


def test_what_only_an_inventory_knows_is_no_parameter_of_a_client_file(tmp_path: Path):
    with pytest.raises(InputError, match="unknown parameter 'priority'"):
        gather(PROCEDURE, [str(client(tmp_path, 1, priority=3))])
