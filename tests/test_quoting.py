"""Whatever a client's file says reaches no shell but quoted, and whatever a server says is no HTML."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from bmnb.errors import InputError
from bmnb.procedures import ALL
from bmnb.procedures.changing_distributions import PROCEDURE, Settings
from bmnb.remote.connection import script
from bmnb.settings import make
from bmnb.steps import Check, Command, Condition, Procedure, singles, slug
from bmnb.tables import table
from bmnb.verification.files import compare

NASTY = ("a;id", "$(id)", "`id`", "a\nid", "a'b", 'a"b', "a|id", "a&id", "-oProxyCommand=id", "a b", "ä", "a\\", "\udcff", "a{b,c}", "~root", "*", "")  # fmt: skip
TEXT = st.one_of(st.sampled_from(NASTY), st.text(max_size=20))


def lines(settings: Any, procedure: Procedure = PROCEDURE) -> list[str]:
    """Every line of the procedure that a shell will read."""
    found: list[str] = []
    for step in procedure.steps:
        undo = step.undo(settings) if step.undo else iter(())
        for action in singles(step.actions(settings)) + singles(undo):
            if isinstance(action, Command):
                found += [action.script, *([action.feed[1]] if action.feed else [])]
            elif isinstance(action, Check):
                found += [line for _, line in action.observations]
            if isinstance(action.when, Condition):
                found.append(action.when.line)
    return found


@property_settings(max_examples=50)
@given(origin=TEXT, target=TEXT, address=TEXT)
@example(origin="$(id)", target="target", address="192.0.2.1")
@example(origin="origin", target="target", address="192.0.2.1\n")
def test_a_server_or_address_that_a_shell_could_read_otherwise_is_refused(
    origin: str, target: str, address: str
):
    try:
        made = make(Settings, {"origin": origin, "target": target, "address": address})
    except InputError:
        return
    for value in (made.origin, made.target, made.address):
        assert value.replace(".", "").replace("-", "").replace("_", "").isalnum()
        assert value.isascii()
        assert not value.startswith("-")


@property_settings(max_examples=25)
@given(client=TEXT, networks=TEXT, answer=TEXT)
def test_free_texts_reach_no_shell(client: str, networks: str, answer: str):
    given_values = {"client": client, "my_networks": networks, "answers": {"erase-target": answer}}
    try:
        made = make(Settings, given_values)
    except InputError:
        assert not slug(client)
        return
    plain = Settings(client=slug(client), my_networks=made.my_networks)
    assert lines(made) == lines(plain)
    folder = made.work.rsplit("/", 1)[1]
    assert folder.replace("-", "").isalnum()
    assert folder.isascii()


@pytest.mark.parametrize("procedure", ALL, ids=lambda one: one.name)
@pytest.mark.parametrize("engine", ["fast", "literal"])
def test_nothing_has_a_fixed_name_where_others_may_write(procedure: Procedure, engine: str):
    """PostgreSQL's sockets lie in /tmp, and are only looked at."""
    settings = procedure.settings(**({"engine": engine} if procedure is PROCEDURE else {}))
    places = [
        re.findall(r"(?<![\w.-])(?:/var)?/tmp\b\S*|/dev/shm\S*", line) for line in lines(settings, procedure)
    ]
    assert {one for found in places for one in found if not one.startswith("/tmp/.s.PGSQL")} == set()


def test_bash_can_read_every_line():
    for line in lines(Settings()):
        read = subprocess.run(["bash", "-n"], input=script(line), capture_output=True, text=True, check=False)
        assert (read.returncode, read.stderr) == (0, ""), line


@pytest.mark.parametrize("path", [name for name in NASTY if name and "\udcff" not in name])
def test_a_path_comes_through_two_shells_as_it_is(tmp_path: Path, path: str):
    """The list of places goes through the target's shell and, by ssh, through the origin's."""
    line = compare(str(tmp_path), "origin", 100, [path], (), "out").split(" | ")
    fake = 'ssh() { bash -c "${@: -1}"; }; stat() { echo 0; }; python3() { printf \'%s\' "${@: -1}"; }; export -f python3 stat; '
    ran = subprocess.run(
        ["bash", "-c", fake + " | ".join(line[:-1])], capture_output=True, text=True, check=True
    )
    assert ran.stdout == path


def test_what_a_server_says_is_no_html():
    html = table([{"seen": "<script>alert(1)</script><img src=x onerror=y>"}])._repr_html_()
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html
