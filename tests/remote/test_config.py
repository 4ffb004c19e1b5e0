"""What `ssh HOST` understands of a configuration: read by ssh itself."""

import socket
from pathlib import Path

import pytest

from bmnb.errors import InputError
from bmnb.remote.config import Config, home, names


@pytest.fixture
def config(tmp_path: Path):
    def write(text: str) -> Config:
        (tmp_path / "config").write_text(text.replace("PLACE", str(tmp_path)))
        return Config(tmp_path / "config")

    return write


def test_a_host_is_what_ssh_makes_of_its_name(config):
    found = config(
        "Host old\n  HostName 192.0.2.7\n  Port 2222\n  User ann\n  AddressFamily inet6\n  ConnectTimeout 7\n"
        "  ServerAliveInterval 20\n  ServerAliveCountMax 9\n  Compression yes\n  BindAddress 192.0.2.9\n"
    ).find("old")
    assert (found.hostname, found.port, found.user, found.alias) == (
        "192.0.2.7",
        2222,
        "ann",
        "[192.0.2.7]:2222",
    )
    assert (found.family, found.seconds, found.alive, found.compressed) == (
        socket.AF_INET6,
        7.0,
        (20, 9),
        True,
    )
    assert found.bind == "192.0.2.9"


def test_includes_and_any_match_count(config, tmp_path: Path):
    (tmp_path / "in clude").write_text("Host old\n  Port 2201\n")
    told = config(
        'Include "PLACE/in clude"\nMatch host old exec "test -d PLACE"\n  User ann\n'
        "Match originalhost new\n  User bob\nMatch all\n  Port 2202\n"
    )
    assert (told.find("old").port, told.find("old").user) == (2201, "ann")
    assert (told.find("new").port, told.find("new").user) == (2202, "bob")


def test_paths_have_quotation_marks_blanks_tokens_and_names_of_the_environment(
    config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KEYS", "/keys")
    found = config(
        'Host old\n  HostName 192.0.2.7\n  User ann\n  IdentityFile "PLACE/my key"\n  IdentityFile ~/%h-%r-%n.%%\n'
        "  IdentityFile ${KEYS}/%d\n  CertificateFile PLACE/%r-cert.pub\n  IdentityAgent %d/agent-%i\n"
        '  UserKnownHostsFile "PLACE/known hosts" ~/more /one-%h\n'
    ).find("old")
    assert found.keys == (f"{tmp_path}/my key", f"{home()}/192.0.2.7-ann-old.%", f"/keys{home()}")
    assert found.certificates == (f"{tmp_path}/ann-cert.pub",)
    assert found.agent.startswith(f"{home()}/agent-")
    assert [*map(str, found.known_hosts)][:3] == [
        f"{tmp_path}/known hosts",
        f"{home()}/more",
        "/one-192.0.2.7",
    ]


@pytest.mark.parametrize(
    ("said", "agent"),
    [("none", ""), ("SSH_AUTH_SOCK", "/usual"), ("$OTHER", "/other"), ("/third", "/third")],
)
def test_the_agent_is_the_one_that_is_named(config, monkeypatch: pytest.MonkeyPatch, said: str, agent: str):
    monkeypatch.setenv("SSH_AUTH_SOCK", "/usual")
    monkeypatch.setenv("OTHER", "/other")
    assert config(f"Host old\n  IdentityAgent {said}\n").find("old").agent == agent


def test_a_program_that_carries_the_connection_has_its_tokens(config):
    told = config(
        'Host old\n  HostName 192.0.2.7\n  Port 2222\n  User ann\n  ProxyCommand nc -x "a b" %h %p %r %n %%\n'
    )
    assert told.find("old").proxy == 'nc -x "a b" 192.0.2.7 2222 ann old %'
    assert told.find("old", "198.51.100.9").proxy.split()[4] == "198.51.100.9"


def test_a_server_at_another_address_has_the_keys_that_are_known_of_it(config):
    told = config("Host old\n  HostName 192.0.2.7\n  UserKnownHostsFile /known-%h\n")
    moved = told.find("old", "fe80::1%eth0")
    assert (moved.hostname, moved.alias) == ("fe80::1%eth0", "192.0.2.7")
    assert str(moved.known_hosts[0]) == "/known-192.0.2.7"


@pytest.mark.parametrize(
    ("hop", "found"),
    [
        ("ann@gate:2222", ("ann", "gate", 2222)),
        ("[2001:db8::1]:33", ("root", "2001:db8::1", 33)),
        ("ssh://bob@gate:44", ("bob", "gate", 44)),
        ("ann@example.org@gate", ("ann@example.org", "gate", 22)),
        ("bare", ("carol", "192.0.2.8", 2200)),
    ],
)
def test_a_jump_host_is_a_host_of_the_configuration_too(config, hop: str, found: tuple):
    one = config("Host bare\n  HostName 192.0.2.8\n  Port 2200\n  User carol\nHost *\n  User root\n").find(
        hop
    )
    assert (one.user, one.hostname, one.port) == found


def test_jump_hosts_come_in_their_order(config):
    assert config("Host old\n  ProxyJump a,ann@b:2222\n").find("old").jump == ("a", "ann@b:2222")
    assert config("Host old\n  ProxyJump none\n").find("old").jump == ()


def test_the_ways_to_log_in_are_those_that_are_allowed_in_their_order(config):
    assert config("").find("old").methods == ("publickey", "keyboard-interactive", "password")
    told = config(
        "Host old\n  PreferredAuthentications hostbased,password,publickey\n  PubkeyAuthentication no\n"
    )
    assert told.find("old").methods == ("password",)


def test_what_ssh_refuses_is_refused_in_its_words(config, tmp_path: Path):
    with pytest.raises(InputError, match=rf"{tmp_path}/config: line 2: Bad configuration option: portt"):
        config("Host old\n  Portt 22\n").find("old")


@pytest.mark.parametrize("name", ["-oProxyCommand=touch /tmp/x", "a b", "a;b", "$(x)"])
def test_a_name_is_no_place_for_an_option_or_a_shell(config, name: str):
    with pytest.raises(InputError, match="invalid characters"):
        config("").find(name)


def test_a_setting_that_is_not_followed_is_named(config):
    with pytest.raises(InputError, match=r"knownhostscommand is not followed here\n.*UserKnownHostsFile"):
        config("Host old\n  KnownHostsCommand /bin/keys\n").find("old")


def test_without_ssh_it_says_what_to_install(config, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match=r"ssh is not installed on this machine.*\n.*openssh-client"):
        config("").find("old")


def test_a_missing_file_is_the_same_as_an_empty_one(tmp_path: Path):
    assert Config(tmp_path / "none").find("old").hostname == "old"
    assert names(tmp_path / "none") == []


def test_the_servers_that_are_named_are_listed_without_patterns(config, tmp_path: Path):
    (tmp_path / "more").write_text(
        'Host "third one" third\nInclude PLACE/more\n'.replace("PLACE", str(tmp_path))
    )
    config(
        'Host old new *.example.org !bad # no more\nMatch host x exec "y"\nHOST=fourth\nInclude PLACE/mor*\nHost "cut\n'
    )
    assert names(tmp_path / "config") == ["fourth", "new", "old", "third", "third one"]
