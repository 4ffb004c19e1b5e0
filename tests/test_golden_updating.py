"""The plan of the update has the document's commands, for both families, less the deviations in the notebook."""

import re
from pathlib import Path

import nbformat
import pytest

from bmnb.procedures.updating_bluemind import PROCEDURE, Settings
from bmnb.steps import Command, singles

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "updating-bluemind.ipynb"

DEBIAN = """
rm -f /etc/nginx/sw.htpasswd; htpasswd -b -c /etc/nginx/sw.htpasswd admin admin
curl https://pkg.bluemind.net/bluemind-deb.asc | apt-key add -
aptitude update
aptitude --download-only upgrade
aptitude upgrade
""".strip().splitlines()

REDHAT = """
yum makecache
yum --downloadonly upgrade
yum upgrade
""".strip().splitlines()

# a pattern of the document, our form of it, and the words by which the notebook declares it
DEVIATIONS = [
    (
        r"^rm -f (\S+); htpasswd -b -c \S+ admin admin",
        r"new=$(mktemp \1.XXXXXX) && htpasswd -ic",
        "htpasswd -b -c",
    ),
    (r"^curl (\S+) \| apt-key add -", r"KEY \1", "apt-key add"),
    (r"^aptitude --download-only", "aptitude -y --download-only", "aptitude --download-only upgrade"),
    (r"^aptitude upgrade", "aptitude -y KEEP upgrade", "aptitude upgrade"),
    (r"^yum --downloadonly", "yum -y --downloadonly", "yum --downloadonly upgrade"),
    (r"^yum upgrade", "yum -y upgrade", "yum upgrade"),
]

# how our lines are written in the same words
WORDS = [
    (r"-o Dpkg::Options::=--no-force-confnew -o Dpkg::Options::=--force-confold", "KEEP"),
    (r"^umask 077; .*curl -fsSL .* (https:\S+) && gpg .*", r"KEY \1"),
]


def written(line: str, rules: list[tuple[str, ...]]) -> str:
    for rule in rules:
        line = re.sub(rule[0], rule[1], line)
    return line


def plan(settings: Settings) -> list[tuple[str, str]]:
    return [
        (action.host, written(action.line, WORDS))
        for step in PROCEDURE.steps
        for action in singles(step.actions(settings))
        if isinstance(action, Command)
    ]


@pytest.mark.parametrize(
    ("document", "settings"),
    [
        (DEBIAN, Settings(recover_wizard="htpasswd", import_key=True)),
        (REDHAT, Settings(package_tool="yum")),
    ],
    ids=["debian", "redhat"],
)
def test_every_line_of_the_document_is_in_the_plan_in_its_order(document: list[str], settings: Settings):
    lines = [line for _, line in plan(settings)]
    places = []
    for wanted in document:
        ours = written(wanted, DEVIATIONS)
        assert [line for line in lines if line.startswith(ours)], ours
        places.append(next(number for number, line in enumerate(lines) if line.startswith(ours)))
    assert places == sorted(places)


@pytest.mark.parametrize("tool", ["aptitude", "apt-get", "yum", "dnf"])
def test_packages_are_updated_on_every_server_and_the_wizard_runs_once(tool: str):
    settings = Settings(package_tool=tool)
    lines = plan(settings)
    for wanted in (settings.tool.refresh, settings.tool.download, settings.tool.upgrade):
        assert [host for host, line in lines if line == written(wanted, WORDS)] == list(settings.everyone)
    assert [host for host, line in lines if line.startswith("bm-cli setup upgrade")] == [settings.core]


def test_every_deviation_is_declared_and_used():
    text = "\n".join(cell.source for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "markdown")
    assert [rule[2] for rule in DEVIATIONS if rule[2] not in text] == []
    document = [*DEBIAN, *REDHAT]
    assert [rule for rule in DEVIATIONS if not any(re.search(rule[0], line) for line in document)] == []


@pytest.mark.parametrize(
    "words",
    [
        *("`freeze`", "index must be green", "noninteractive", "NEEDRESTART_MODE=l", "without a signature"),
        *(
            "remove-packages",
            "every other package source",
            "`mynetworks`, `relayhost`",
            "What to Watch Out For",
        ),
    ],
)
def test_what_is_done_beyond_the_document_is_declared_too(words: str):
    assert [one for one in PROCEDURE.deviations if words in f"{one.document} {one.here} {one.reason}"]


def test_nothing_of_a_secret_is_in_the_plan():
    lines = "\n".join(line for _, line in plan(Settings(recover_wizard="htpasswd")))
    assert "admin admin" not in lines
    assert not re.search(r"htpasswd -\w*b", lines), "a password would be an argument"
