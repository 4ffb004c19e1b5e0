"""Host keys as OpenSSH judges them, of a real sshd."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmnb.errors import ConnectionFailed
from tests.remote.sshd import Sshd, keygen, sign


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A server with an ed25519 key, an RSA key, and a certificate for the name mail.example.net."""
    made = Sshd(tmp_path_factory.mktemp("sshd"))
    keygen(made.place / "rsa", "-b", "2048", kind="rsa")
    keygen(made.place / "other")
    keygen(made.place / "ca")
    certificate = sign(made.place / "ca", made.place / "host", "-h", "-n", "mail.example.net,*.example.org")
    keys = [f"HostKey {made.place / name}" for name in ("rsa", "host")]
    with made.running(*keys, f"HostCertificate {certificate}"):
        yield made


def key(sshd: Sshd, name: str) -> str:
    return " ".join((sshd.place / f"{name}.pub").read_text().split()[:2])


def at(sshd: Sshd) -> str:
    return f"[127.0.0.1]:{sshd.port}"


def known(sshd: Sshd, *lines: str) -> None:
    text = "\n".join(lines)
    for name in ("host", "rsa", "other", "ca"):
        text = text.replace(f"<{name}>", key(sshd, name))
    sshd.know(text.replace("HERE", at(sshd)) + "\n")


@pytest.mark.parametrize(
    "lines",
    [
        ["HERE <host>"],
        ["HERE <rsa>"],
        ["other,HERE <host> with a comment"],
        ["# a comment", "", "HERE <other>", "HERE <host>"],
        ["[127.0.0.*]:* <host>"],
        ["[127.0.0.?]:*,!bad <host>"],
        ["HERE ssh-ed25519 AAAA", "garbled", "HERE", "HERE ssh-ed25519", "|1|cut", "HERE <host>"],
        ["HERE no-such-type AAAA", "@no-such-mark HERE <host>", "HERE <rsa>"],
        ["@revoked HERE <other>", "HERE <host>"],
        ["127.0.0.1 <host>"],
    ],
)
def test_a_key_that_a_list_has_in_any_form_is_known(sshd: Sshd, lines: list[str]):
    known(sshd, *lines)
    assert sshd.says() == "there\n"


def test_names_may_be_hashed(sshd: Sshd):
    known(sshd, "HERE <host>")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", sshd.place / "known"], check=True)
    assert "127.0.0.1" not in (sshd.place / "known").read_text()
    assert sshd.says() == "there\n"


def test_several_lists_are_looked_through(sshd: Sshd):
    known(sshd, "HERE <host>")
    (sshd.place / "know n").write_text((sshd.place / "known").read_text())
    sshd.know("other ssh-ed25519 AAAA\n")
    assert sshd.says(UserKnownHostsFile=f'"{sshd.place}/known" /nowhere "{sshd.place}/know n"') == "there\n"
    assert sshd.says(GlobalKnownHostsFile=f'"{sshd.place}/know n"') == "there\n"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["elsewhere <host>"], "unknown host key"),
        (["HERE <other>"], r"the host key has changed: known is SHA256:.* \(.*/known line 1\), offered"),
        (["@revoked HERE <host>", "HERE <host>"], "is revoked by .*/known line 1"),
        (["@revoked * <host>", "@revoked * <rsa>", "HERE <host>"], "is revoked"),
        (["[127.0.0.*]:*,!HERE <host>"], "unknown host key"),
        (["HERE ssh-ed25519 AAAA"], "unknown host key"),
        (["@cert-authority HERE <host>"], "unknown host key"),
        (["@cert-authority elsewhere <ca>"], "unknown host key"),
    ],
)
def test_any_other_key_is_refused(sshd: Sshd, lines: list[str], says: str):
    known(sshd, *lines)
    with pytest.raises(ConnectionFailed, match=says) as refused:
        sshd.says()
    assert "here (127.0.0.1)" in str(refused.value)


def test_an_unknown_key_is_accepted_by_the_line_that_is_shown(sshd: Sshd):
    sshd.know("other ssh-ed25519 AAAA\n")
    with pytest.raises(ConnectionFailed) as refused:
        sshd.says()
    told = str(refused.value)
    assert "SHA256:" in told
    accept = told[told.index("accept it: ") :].removeprefix("accept it: ")
    subprocess.run(["sh", "-c", accept], check=True)
    assert sshd.says() == "there\n"


@pytest.mark.parametrize("strict", ["no", "off", "accept-new"])
def test_a_key_is_accepted_by_a_person_alone(sshd: Sshd, strict: str):
    known(sshd, "elsewhere <host>")
    with pytest.raises(
        ConnectionFailed, match=r"unknown host key[^→]*StrictHostKeyChecking .* is not followed"
    ):
        sshd.says(StrictHostKeyChecking=strict, UserKnownHostsFile="/dev/null")


@pytest.mark.parametrize("name", ["mail.example.net", "a.example.org"])
def test_a_certificate_is_accepted_for_its_names(sshd: Sshd, name: str):
    known(sshd, f"@cert-authority *.example.net,{name} <ca>", "HERE <other>")
    assert sshd.says(HostKeyAlias=name) == "there\n"


def test_a_certificate_is_refused_for_another_name(sshd: Sshd):
    known(sshd, "@cert-authority * <ca>", "HERE <host>")
    with pytest.raises(
        ConnectionFailed, match=r"certificate host cannot be accepted: it is for mail.example.net"
    ):
        sshd.says()
    known(sshd, "@cert-authority * <ca>", "@revoked * <ca>")
    with pytest.raises(ConnectionFailed, match="is revoked"):
        sshd.says(HostKeyAlias="mail.example.net")


def test_a_certificate_of_another_authority_is_a_key_like_any(sshd: Sshd):
    known(sshd, "@cert-authority * <other>", "HERE <host>")
    assert sshd.says() == "there\n"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-h", "-V", "20200101:20200102"], "not valid at this hour"),
        (["-n", "root"], "unknown host key|it is a user's|no acceptable"),
    ],
)
def test_a_certificate_that_does_not_hold_is_refused(tmp_path: Path, options: list[str], says: str):
    made = Sshd(tmp_path)
    keygen(tmp_path / "ca")
    certificate = sign(tmp_path / "ca", tmp_path / "host", *options)
    made.know(f"@cert-authority * {key(made, 'ca')}\n")
    with made.running(f"HostCertificate {certificate}"), pytest.raises(ConnectionFailed, match=says):
        made.says()


@pytest.mark.parametrize("kind", ["text", "krl"])
def test_a_list_of_revoked_keys_counts(sshd: Sshd, kind: str):
    known(sshd, "HERE <host>")
    for name in ("host", "other"):
        listed = sshd.place / f"{name}-{kind}"
        listed.write_text(f"# revoked\n{key(sshd, name)}\n")
        if kind == "krl":
            public = sshd.place / f"{name}.pub"
            subprocess.run(["ssh-keygen", "-q", "-k", "-f", listed, public], check=True)
    assert sshd.says(RevokedHostKeys=str(sshd.place / f"other-{kind}")) == "there\n"
    for revoked in (f"host-{kind}", "nowhere"):
        with pytest.raises(ConnectionFailed, match=f"is revoked by .*/{revoked}, RevokedHostKeys"):
            sshd.says(RevokedHostKeys=str(sshd.place / revoked))


def test_the_kinds_of_keys_that_the_configuration_names_are_asked_for(sshd: Sshd):
    known(sshd, "HERE <host>")
    with pytest.raises(ConnectionFailed, match=r"unknown host key ssh-rsa.*\n  known is ssh-ed25519"):
        sshd.says(HostKeyAlgorithms="rsa-sha2-512")
    with pytest.raises(ConnectionFailed, match=r"HostKeyAlgorithms of this side: ecdsa-sha2-nistp256"):
        sshd.says(HostKeyAlgorithms="ecdsa-sha2-nistp256")
