"""Forms without a browser: what they say, what they keep, what they leave for the cells."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bmnb.errors import ConnectionFailed
from bmnb.forms import ask, form, notes, offers, passphrases, unlock
from bmnb.forms.answers import fields
from bmnb.forms.notes import Notes
from bmnb.forms.parameters import Parameters, asked, folded, held_in, is_essential
from bmnb.forms.view import View
from bmnb.journal import Journal
from bmnb.procedures import changing_distributions as procedure
from bmnb.remote import keys
from bmnb.run import Run, begin
from bmnb.saving import WIDGET
from bmnb.settings import defaults, read, write
from bmnb.steps import Manual, Result
from bmnb.transfer.address import ADDRESSES
from tests.fakes import FakeServers, World


def opened(folder: Path, **given) -> Parameters:
    now = {**defaults(procedure.Settings), "folder": str(folder), **given}
    return Parameters(procedure.Settings, {"folder": str(folder), **given}, now)


def widget(shown: Parameters, label: str):
    return next(one for one in shown.widgets.values() if one.description == label)


def test_each_field_has_a_label_and_its_help(tmp_path: Path):
    shown = opened(tmp_path)
    assert [*shown.widgets] == [field.name for field in asked(procedure.Settings)]
    assert all(one.description for one in shown.widgets.values())
    assert "which the target server takes over" in shown.texts["address"].value


def test_a_wrong_value_is_named_at_its_field_and_on_top_and_kept(tmp_path: Path):
    shown = opened(tmp_path)
    widget(shown, "Address").value = "192.0.2"
    assert "Expected 4 octets" in shown.texts["address"].value
    assert "Address: Expected 4 octets" in shown.summary.value
    assert read(tmp_path / "client.yaml")["address"] == "192.0.2"
    widget(shown, "Address").value = "192.0.2.7"
    assert "octets" not in shown.texts["address"].value
    assert "All values can be used" in shown.summary.value


def test_values_come_back_and_what_the_form_does_not_ask_stays(tmp_path: Path):
    write(tmp_path / "client.yaml", {"client": "x", "answers": {"a": "b"}})
    widget(opened(tmp_path), "Hot synchronizations").value = 3
    assert read(tmp_path / "client.yaml") == {"client": "x", "answers": {"a": "b"}, "hot_passes": 3}
    assert begin(procedure.PROCEDURE, {"folder": str(tmp_path)}).settings.hot_passes == 3


def test_what_the_notebooks_cell_fixes_cannot_be_typed(tmp_path: Path):
    shown = opened(tmp_path, origin="elsewhere")
    assert widget(shown, "Original server").disabled
    assert "set in the cell of parameters" in shown.texts["origin"].value
    assert not widget(shown, "Target server").disabled


def test_a_choice_that_is_written_by_hand_and_is_none_is_told_at_its_field(tmp_path: Path):
    shown = opened(tmp_path, switch="somehow", hot_passes="two")
    assert widget(shown, "Switch").value == "somehow"
    assert "is not one of take-over, by-hand, new-address" in shown.texts["switch"].value
    assert "is not of type int" in shown.texts["hot_passes"].value


def test_servers_address_and_whether_to_carry_it_out_come_first():
    names = [field.name for field in asked(procedure.Settings)]
    assert names[:5] == ["origin", "target", "address", "ssh_config", "dry_run"]
    assert len(names) == len(set(names))


def test_an_example_of_the_document_is_wrong_where_it_is_to_be_carried_out(tmp_path: Path):
    shown = opened(tmp_path)
    assert "All values can be used" in shown.summary.value
    widget(shown, "Carry it out?").value = False
    assert "Original server: still the example" in shown.summary.value
    widget(shown, "Original server").value = "old"
    widget(shown, "Target server").value = "new"
    assert "Address: still the example" in shown.summary.value
    widget(shown, "Address").value = "198.51.100.7"
    assert "All values can be used" in shown.summary.value


def test_what_steps_have_proven_cannot_be_typed(tmp_path: Path):
    journal = Journal(tmp_path / "journal.jsonl")
    assert held_in(tmp_path, procedure.PROCEDURE) == set()
    journal.write("opened", settings=vars(procedure.Settings(folder=str(tmp_path))))
    journal.write("step done", step="prerequisites")
    names = held_in(tmp_path, procedure.PROCEDURE)
    now = {**defaults(procedure.Settings), "folder": str(tmp_path)}
    shown = Parameters(procedure.Settings, {"folder": str(tmp_path)}, now, names)
    assert widget(shown, "Address").disabled
    assert "needs a new run" in shown.texts["address"].value
    assert not widget(shown, "Hot synchronizations").disabled


def test_servers_are_offered_as_ssh_names_them(tmp_path: Path):
    (tmp_path / "config").write_text("Host mail new\nHost *.example.org\n")
    assert list(widget(opened(tmp_path, ssh_config=str(tmp_path / "config")), "Original server").options) == [
        "mail",
        "new",
    ]


def test_servers_offer_values_when_they_are_asked_and_say_why_they_do_not(tmp_path: Path, monkeypatch):
    world = World()
    world.answers[ADDRESSES] = [Result("old", ADDRESSES, 0, "192.0.2.7 eth0\n198.51.100.7 eth1\n")]
    monkeypatch.setattr(offers, "Servers", world.servers)
    shown = opened(tmp_path, origin="old")
    assert widget(shown, "Address").options == ()
    shown.reader.click()
    assert widget(shown, "Address").options == ("192.0.2.7", "198.51.100.7")
    assert "old: 192.0.2.7 eth0, 198.51.100.7 eth1" in shown.texts["address"].value

    world.answers[ADDRESSES] = [Result("old", ADDRESSES, 127, "", "ip: not found")]
    shown.reader.click()
    assert "✗ old: ip: not found" in shown.texts["address"].value


def group(shown: Parameters, title: str):
    return next(one for one in shown.groups if one.title == title)


def test_what_not_every_run_needs_is_folded_up_and_says_what_differs(tmp_path: Path):
    shown = opened(tmp_path, streams=4)
    speed = group(shown, "Speed")
    assert speed.rows.layout.display == "none"
    assert speed.button.description == "▸ Speed: Streams 4"
    assert group(shown, "Network").button.description == "▸ Network"
    widget(shown, "Engine").value = "literal"
    assert speed.button.description == "▸ Speed: Engine literal, as in the document, Streams 4"
    speed.button.value = True
    assert speed.rows.layout.display == ""
    assert speed.button.description.startswith("▾ Speed")


def test_what_is_wrong_is_not_left_folded_up(tmp_path: Path):
    shown = opened(tmp_path)
    widget(shown, "Hot synchronizations").value = 0
    assert group(shown, "Speed").button.description == "▾ ✗ Speed: Hot synchronizations 0"
    assert group(shown, "Speed").rows.layout.display == ""


def test_every_field_of_the_form_is_shown_once():
    names = [field.name for field in asked(procedure.Settings)]
    essential = [field.name for field in asked(procedure.Settings) if is_essential(field)]
    in_groups = [field.name for _title, some in folded(procedure.Settings) for field in some]
    assert essential + in_groups == names
    assert [title for title, _some in folded(procedure.Settings)][:3] == ["Speed", "Verification", "Network"]


def test_the_help_follows_the_choice(tmp_path: Path):
    shown = opened(tmp_path)
    assert "takes the address over" in shown.texts["switch"].value
    assert shown.rows["new_address"].layout.display == "none"
    widget(shown, "Switch").value = "new-address"
    assert "a person changes the names in DNS" in shown.texts["switch"].value
    assert shown.rows["new_address"].layout.display == ""
    widget(shown, "New address").value = "198.51.100.9"
    widget(shown, "Switch").value = "take-over"
    assert shown.rows["new_address"].layout.display == "", "it is set, and wrong"
    assert "only with switch" in shown.texts["new_address"].value


def reading(monkeypatch: pytest.MonkeyPatch, origin: str, target: str) -> None:
    """Servers `old` and `new` with these addresses."""
    world = World()
    told = {"old": origin, "new": target}
    world.answer = lambda host, line: Result(host, line, 0, f"{told[host]} eth0\n")  # type: ignore[method-assign]
    monkeypatch.setattr(offers, "Servers", world.servers)


def test_what_the_servers_say_fills_in_what_nobody_has_given(tmp_path: Path, monkeypatch):
    reading(monkeypatch, "203.0.113.1", "203.0.113.2")
    shown = opened(tmp_path)
    widget(shown, "Original server").value = "old"
    widget(shown, "Target server").value = "new"
    shown.reader.click()
    assert widget(shown, "Address").value == "203.0.113.1"
    assert read(tmp_path / "client.yaml")["address"] == "203.0.113.1"
    assert widget(shown, "New address").value == "", "it is not asked for"


def test_what_the_servers_say_contradicts_what_is_wrong_at_its_field(tmp_path: Path, monkeypatch):
    reading(monkeypatch, "203.0.113.1", "203.0.113.2")
    shown = opened(tmp_path)
    widget(shown, "Original server").value = "old"
    widget(shown, "Target server").value = "new"
    widget(shown, "Address").value = "203.0.113.9"
    shown.reader.click()
    assert widget(shown, "Address").value == "203.0.113.9", "a person has given it"
    assert "✗ old does not have 203.0.113.9" in shown.texts["address"].value
    assert "Address: old does not have 203.0.113.9" in shown.summary.value
    widget(shown, "Address").value = "203.0.113.2"
    assert "old does not have 203.0.113.2, but new has: are they swapped?" in shown.texts["address"].value
    widget(shown, "Original server").value = "other"
    assert "does not have" not in shown.texts["address"].value, "it was not read"


def test_a_server_that_does_not_answer_is_told_at_the_field_that_names_it(tmp_path: Path, monkeypatch):
    world = World()

    def silent(host: str, line: str) -> Result:
        raise ConnectionFailed(f"{host} does not answer")

    world.answer = silent  # type: ignore[method-assign]
    monkeypatch.setattr(offers, "Servers", world.servers)
    shown = opened(tmp_path, origin="old", target="new")
    shown.reader.click()
    assert "✗ old does not answer" in shown.texts["origin"].value
    assert "✗ new does not answer" in shown.texts["target"].value
    assert "does not answer" not in shown.texts["address"].value


def test_where_nobody_can_type_a_form_is_a_sentence(tmp_path: Path):
    for shown in (form(procedure.PROCEDURE, {}), form(procedure.PROCEDURE, {"folder": str(tmp_path)})):
        bundle = shown._repr_mimebundle_()
        assert WIDGET not in bundle
        assert len(bundle["text/html"]) > 40


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return begin(
        procedure.PROCEDURE, {"folder": str(tmp_path), "origin": "old", "target": "new", "dry_run": False}
    )


def test_a_confirmation_says_what_happens_in_the_words_of_the_refusal(run: Run):
    static = ask(run, procedure.stop_services).static
    assert "users of old are cut off until new answers in its place" in static
    assert "the way back is" in static
    assert "type the server&#x27;s name: old" in static
    assert "It costs: the downtime until then" in static


def test_a_confirmation_shows_what_is_there_now(run: Run):
    there = World(answers={"look": [Result("new", "look", 0, "20")]})
    run.servers = FakeServers(there)  # type: ignore[assignment]
    manual = Manual(
        "new",
        "erase-target",
        "it goes",
        expect="new",
        look="look",
        tell=lambda seen: f"{int(seen.stdout)} <messages>",
    )
    assert "<b>20 &lt;messages&gt;</b>" in fields(run, manual)[0].value
    there.answers["look"] = [Result("new", "look", 2, "", "PostgreSQL is down")]
    assert "PostgreSQL is down" in fields(run, manual)[0].value


def test_what_is_typed_is_for_the_next_cell_and_on_no_disk(run: Run, tmp_path: Path):
    manual = Manual("old", "stop-service", "users are cut off", expect="old")
    _, field, message = fields(run, manual)
    field.value = "new"
    assert "not the server" in message.value
    field.value = "old"
    assert run.typed == {"stop-service": "old"}
    assert list(tmp_path.iterdir()) == []


def test_an_answer_on_record_is_shown_in_place_of_the_field(run: Run):
    run.confirm("stop-service", "old")
    shown = fields(run, Manual("old", "stop-service", "users are cut off", expect="old"))
    assert "Answered: old" in shown[1].value


def test_a_step_by_hand_takes_who_and_a_file(run: Run, tmp_path: Path):
    _, field, _, note, upload = fields(run, Manual("new", "firewall", "click Save"))
    field.value = "Ann, seen in the console"
    note.value = "two rules more"
    assert run.journal.last("note")["text"] == "click Save: two rules more"
    upload.value = (uploaded("shot.png", b"png"),)
    assert run.typed["firewall"] == "Ann, seen in the console"
    assert (tmp_path / "files" / "1-shot.png").read_bytes() == b"png"
    assert run.journal.last("note")["text"] == "click Save"


def test_an_answer_that_names_nobody_is_asked_for_again(run: Run):
    manual = Manual("new", "backup", "name the backup")
    run.confirm("backup", "none")
    _, field, message, *_ = fields(run, manual)
    field.value = "no"
    assert "does not say who" in message.value
    field.value = "vzdump, Anna"
    assert "does not say who" not in message.value


def test_a_note_lands_in_the_journal_with_its_file(run: Run, tmp_path: Path):
    shown = Notes(run)
    shown.text.value = "Mme Dupont called"
    shown.keep.click()
    assert shown.text.value == ""
    assert "Mme Dupont called" in shown.table.value
    shown.upload.value = (uploaded("shot.png", b"png"),)
    shown.keep.click()
    assert run.journal.last("note")["file"] == "files/1-shot.png"
    assert "files/1-shot.png" in notes(run).static


def uploaded(name: str, content: bytes) -> dict:
    now = datetime.now(UTC)
    return {
        "name": name,
        "type": "image/png",
        "size": len(content),
        "content": content,
        "last_modified": now,
    }


def test_a_passphrase_opens_a_key_and_is_kept_nowhere(tmp_path: Path, monkeypatch):
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "hunter2", "-f", key], check=True)
    (tmp_path / "config").write_text(f"Host old new\n  IdentityFile {key}\n")
    given = {"folder": str(tmp_path), "origin": "old", "target": "new", "dry_run": False}
    run = begin(procedure.PROCEDURE, {**given, "ssh_config": str(tmp_path / "config")})
    monkeypatch.setattr(passphrases, "answers_can_be_typed", lambda: True)
    for typed, said in (("", "left to the agent"), ("x", "does not open"), ("hunter2", "is open until")):
        monkeypatch.setattr(passphrases, "getpass", lambda prompt, typed=typed: typed)
        shown = unlock(run)
        assert said in shown.static
        assert shown.widget is None
    assert keys._opened[str(key)].get_name() == "ssh-ed25519"
    assert "No key waits" in unlock(run).static


def test_a_view_without_a_widget_is_its_text():
    assert View("<p>text</p>")._repr_mimebundle_() == {"text/html": "<p>text</p>", "text/plain": "form"}
