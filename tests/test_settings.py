"""Settings: what is wrong is named before anything is touched."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from bmnb.cli import main
from bmnb.errors import InputError
from bmnb.procedures.changing_distributions import Settings
from bmnb.run import parameters
from bmnb.settings import make, read


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"orign": "a"}, "unknown parameter 'orign': did you mean 'origin'?"),
        ({"hot_pass": 1}, "did you mean 'hot_passes'?"),
        ({"hot_passes": "2"}, "hot_passes: '2' is not of type int"),
        ({"hot_passes": True}, "hot_passes: True is not of type int"),
        ({"hot_passes": 0}, "hot_passes: at least 1"),
        ({"answers": {"a": 1}}, "answers"),
        ({"address": "mail.example.org"}, "address: "),
        ({"origin": "a", "target": "a"}, "the same server"),
        ({"origin": "a; reboot"}, "is not a server's name"),
        ({"target": "-oProxyCommand=reboot"}, "is not a server's name"),
        ({"through": "cold"}, "through: 'cold' is not one of prerequisites"),
        ({"known_empty": ["/etc"]}, "/etc is not one of the trees"),
        ({"client": "…"}, "has no letter or digit"),
    ],
)
def test_a_wrong_value_is_named(values: dict, says: str):
    with pytest.raises(InputError) as wrong:
        make(Settings, values)
    assert says in str(wrong.value)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(InputError, match=r"orign(.|\n)*hot_passes(.|\n)*engine: 'quick'"):
        make(Settings, {"orign": "a", "hot_passes": "2", "engine": "quick"})


def test_a_client_file_that_is_no_mapping_is_refused(tmp_path: Path):
    for text in ("- a list", "origin: [", "1: 2"):
        (tmp_path / "client.yaml").write_text(text)
        with pytest.raises(InputError):
            read(tmp_path / "client.yaml")


def test_the_command_ends_with_2_for_wrong_input(tmp_path: Path):
    (tmp_path / "client.yaml").write_text("orign: a\n")
    ended = CliRunner().invoke(main, ["run", "changing-distributions", "-f", str(tmp_path / "client.yaml")])
    assert ended.exit_code == 2
    assert "did you mean 'origin'?" in ended.output


def test_a_notebooks_plain_names_are_its_parameters():
    names = {
        "origin": "a",
        "dry_run": True,
        "answers": {},
        "_": 1,
        "In": [],
        "Out": {},
        "begin": make,
        "path": Path(),
    }
    assert parameters(names) == {"origin": "a", "dry_run": True, "answers": {}}
