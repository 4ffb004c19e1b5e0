"""Settings of Postfix that were edited on a server, against BlueMind's configuration."""

import json
import subprocess
from pathlib import Path

import pytest

from bmnb.bluemind import overruled
from bmnb.steps import Result

NETWORKS = "127.0.0.0/8, 192.0.2.0/24, 192.0.2.10/32"


def core(said: str, **more: str | None) -> Result:
    told = {"mynetworks": NETWORKS, "relayhost": None, "message_size_limit": "10240000", **more}
    return Result("core", "", 0, f"configured {json.dumps(told)}\n{said}")


AS_CONFIGURED = f"postfix mynetworks {NETWORKS}\npostfix relayhost \npostfix message_size_limit 10240000\n"


@pytest.mark.parametrize(
    ("said", "configured"),
    [
        (AS_CONFIGURED, {}),
        ("", {}),
        ("postfix mynetworks 192.0.2.10 192.0.2.0/24 127.0.0.0/8 [::1]/128\n", {}),
        ("postfix relayhost [relay.example.org]:587\n", {"relayhost": "[relay.example.org]:587"}),
        ("postfix message_size_limit 10240000\n", {"message_size_limit": None}),
    ],
    ids=["the same", "no Postfix", "in another form", "a relay of the console", "not in the console"],
)
def test_what_the_console_says_is_in_order(said: str, configured: dict[str, str | None]):
    assert overruled.differing(core(said, **configured)).holds


@pytest.mark.parametrize(
    ("said", "configured", "row"),
    [
        (
            "postfix mynetworks 127.0.0.0/8 192.0.2.0/24 192.0.2.10/32 203.0.113.0/24",
            {},
            ("mynetworks", "203.0.113.0/24", "nothing more"),
        ),
        (
            "postfix mynetworks 127.0.0.0/8 192.0.2.10/32",
            {},
            ("mynetworks", "nothing more", "192.0.2.0/24"),
        ),
        ("postfix mynetworks /etc/postfix/networks", {}, ("mynetworks", "/etc/postfix/networks", "192.0.2.0/24, 192.0.2.10")),
        ("postfix relayhost relay.example.org", {}, ("relayhost", "relay.example.org", "none")),
        ("postfix relayhost ", {"relayhost": "relay.example.org"}, ("relayhost", "none", "relay.example.org")),
        ("postfix message_size_limit 99", {}, ("message_size_limit", "99", "10240000")),
        ("unused virtual_alias", {}, ("map virtual_alias", "not in main.cf", "BlueMind's own")),
    ],
)  # fmt: skip
def test_what_was_edited_on_a_server_is_named_with_both(
    said: str, configured: dict[str, str | None], row: tuple[str, str, str]
):
    found = overruled.differing(core(AS_CONFIGURED, **configured), Result("edge", "", 0, f"{said}\n"))
    assert not found.holds
    assert tuple(found.items[-1].values()) == ("edge", *row)
    assert f"{row[0]} on edge" in found.seen


def test_what_the_core_does_not_tell_is_not_compared():
    with pytest.raises(ValueError, match="unpack"):
        overruled.differing(Result("core", "", 0, AS_CONFIGURED))


def test_maps_of_bluemind_are_looked_for_in_main_cf(tmp_path: Path):
    for name in ("transport", "virtual_alias", "virtual_mailbox"):
        (tmp_path / f"{name}-flat").touch()
    used = (
        f"transport_maps = hash:{tmp_path}/transport, hash:{tmp_path}/own\n"
        f"virtual_alias_maps = hash:{tmp_path}/virtual_alias2"
    )
    fake = f"postconf() {{ case $1 in -n) printf '%s\\n' '{used}';; *) echo value of $2;; esac; }}\n"
    line = overruled.POSTFIX.replace("/etc/postfix", str(tmp_path))
    done = subprocess.run(["bash", "-c", fake + line], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        *(f"postfix {name} value of {name}" for name in overruled.SETTINGS),
        "unused virtual_alias",
        "unused virtual_mailbox",
    ]
