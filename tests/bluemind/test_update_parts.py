"""Small parts of an update: what is seen of backups, logs, mail, keys, folders and the wizard."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from bmnb.bluemind import backups, logs, mail, own_files, repository, virtual_folders, wizard
from bmnb.steps import Result


def told(text: str, host: str = "core", exit: int = 0) -> Result:
    return Result(host, "", exit, text)


def test_the_newest_backup_is_told_with_its_age():
    hours = [
        {"protectionTime": (time.time() - age * 3600) * 1000, "withErrors": age == 2, "withWarnings": False}
        for age in (26, 2)
    ]
    assert backups.newest(hours).seen == "DataProtect's last one is 2 hours old, with errors"
    assert backups.newest([]).seen == "DataProtect has saved nothing"
    runs = [{"startDate": 1, "status": "SUCCESS"}, {"startDate": 2, "status": "FAILURE"}]
    assert backups.last_run({"values": runs}).seen == "the job's last run: FAILURE"
    assert backups.last_run({"values": []}).seen == "the job has not run"
    assert backups.files(told("")).seen == "nothing under /var/backups/bluemind"
    assert backups.files(told(f"1200 5000000 {time.time() - 7200:.0f}\n")).seen == (
        "1,200 files, 5 MB, the last one 2 hours old"
    )


def test_errors_are_counted_from_where_the_log_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    log = tmp_path / "core.log"
    monkeypatch.setattr(logs, "LOGS", (str(log),))

    def bash(script: str) -> Result:
        return told(subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout)

    log.write_text("2026-01-01 [main] a.B ERROR - before\n")
    bash(logs.remember(str(tmp_path)))
    assert logs.seen(bash(logs.errors(str(tmp_path)))).seen == "0 lines of level ERROR"
    with log.open("a") as file:
        file.write("2026-01-02 [main] a.B INFO - all well\n2026-01-02 [main] a.B ERROR - Upgrade failed\n")
    found = logs.seen(bash(logs.errors(str(tmp_path))))
    assert found.seen == "1 lines of level ERROR"
    assert found.items == ({"log": "core.log", "line": "2026-01-02 [main] a.B ERROR - Upgrade failed"},)
    log.rename(tmp_path / "core.log.1")
    log.write_text("2026-01-03 [main] a.B ERROR - after rotation\n")
    assert "after rotation" in logs.seen(bash(logs.errors(str(tmp_path)))).items[0]["line"]


def test_mail_counts_when_one_server_has_handed_it_on():
    line = "Jan 1 core postfix/lmtp[1]: 4F: to=<a@b.c>, relay=127.0.0.1[127.0.0.1]:2400, status=sent (250)"
    assert mail.sent(told("end\n"), told(f"{line}\nend\n", "edge")).holds
    assert not mail.sent(told(f"{line.replace('sent', 'deferred')}\nend\n")).holds
    assert mail.sent(told("end\n")).seen == "in no server's log"


KEY = """pub:-:2048:1:0123456789ABCDEF:1700000000:1857680000::-:::scSC::::::23::0:
fpr:::::::::AAAABBBBCCCCDDDDEEEEFFFF0123456789ABCDEF:
uid:-::::1700000000::hash::BlueMind packages <packages@example.org>::::::::::0:
"""


def test_a_key_is_shown_by_fingerprint_owner_and_end():
    assert repository.read_key(told(KEY)) == {
        "fingerprint": "AAAABBBBCCCCDDDDEEEEFFFF0123456789ABCDEF",
        "owner": "BlueMind packages <packages@example.org>",
        "valid until": "2028-11-12",
    }
    assert repository.read_key(told(KEY.replace("1857680000", "")))["valid until"] == "no end"


@pytest.mark.parametrize(
    "line",
    [
        "deb http://pkg/4.9 ./",
        "deb [arch=amd64] http://pkg/4.9 ./",
        "deb\t[arch=amd64] http://pkg/4.9 ./",
        "deb  http://pkg/4.9 ./",
        "deb  [arch=amd64] http://pkg/4.9 ./",
        "deb [signed-by=/etc/a.asc] http://pkg/4.9 ./",
    ],
)
def test_the_repository_is_bound_to_its_key_once(tmp_path: Path, line: str):
    file = tmp_path / "bm.list"
    file.write_text(f"# head\n{line}\n")
    edit = repository.install().partition("\n")[2].replace(repository.LIST, str(file))
    subprocess.run(["bash", "-c", f"({edit}) && ({edit})"], check=True)
    head, found = file.read_text().splitlines()
    assert head == "# head"
    assert found.count("signed-by=") == 1
    assert found.split()[1].startswith("[")
    assert found.endswith("] http://pkg/4.9 ./")


def test_virtual_folders_are_listed_by_user():
    users = [["user", "U1", "anais"], ["user", "U2", "marc"]]
    folders = [["folder", "U2", "Pro\tjets\u2028"], ["folder", "U2", "Clients"], ["folder", "U9", "Old"]]
    rows = [json.dumps(row, ensure_ascii=False) for row in (*users, *folders)]
    found = virtual_folders.by_user(told("\n".join(rows)))
    assert (found.holds, found.seen) == (False, "3 folders: 1 of U9, 2 of marc")
    assert found.items[1:] == (
        {"user": "marc", "folder": "Clients"},
        {"user": "marc", "folder": "Pro\tjets\u2028"},
    )
    assert virtual_folders.by_user(told(rows[0])).holds
    assert virtual_folders.by_user(told("", exit=2)).items == ()
    assert not virtual_folders.by_user(told("", exit=2)).holds


def test_virtual_folders_that_were_moved_are_known_after_the_update(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def bash(script: str) -> Result:
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
        return told(done.stdout, exit=done.returncode)

    def there(*rows: list[str]) -> None:
        listed = "\n".join(json.dumps(row) for row in rows)
        monkeypatch.setattr(virtual_folders, "LIST", f"cat <<'END'\n{listed}\nEND")

    folder, users = str(tmp_path / "work"), [["user", "U1", "anais"], ["user", "U2", "marc"]]
    there(*users, ["folder", "U1", "Old 'n new"], ["folder", "U2", "Clients"], ["folder", "U2", "Kept"])
    assert bash(virtual_folders.note(folder)).ok
    assert bash(virtual_folders.any_moved(folder)).exit == 1, "nobody has moved one yet"
    there(*users, ["folder", "U2", "Kept"])
    assert bash(virtual_folders.note_moved(folder)).ok
    assert bash(virtual_folders.any_moved(folder)).ok
    assert (
        virtual_folders.read_moved(bash(virtual_folders.show_moved(folder)))
        == "anais: Old 'n new; marc: Clients"
    )
    there(*users, ["folder", "U1", "Old 'n new"], ["folder", "U2", "Clients"], ["folder", "U2", "Kept"])
    bash(virtual_folders.note_moved(folder))
    assert bash(virtual_folders.any_moved(folder)).exit == 1, "all were accepted as lost"


def test_the_wizard_is_protected_when_it_asks_and_accepts():
    assert wizard.protected(told("without password: 401\naccepted\n")).holds
    assert wizard.protected(told("without password: 200\nrefused\n")).seen.endswith("its answer is 200")
    assert not wizard.protected(told("without password: 401\nrefused\n")).holds
    missing = wizard.protected(told("without password: 401\nunknown\n"))
    assert (missing.holds, missing.seen.split(":")[0]) == (False, "htpasswd is missing")
    assert wizard.recovered(told("without password: 401\nwith the new one: 200\n")).holds
    assert not wizard.recovered(told("without password: 401\nwith the new one: 401\n")).holds
    assert wizard.success(told("Upgrade Complete: Success\n")).holds
    assert not wizard.success(told("Upgrade Complete: Failure\n")).holds
    assert wizard.success(told("")).holds, "the versions are looked at next"


@pytest.mark.parametrize(
    ("answer", "status"),
    [('{"needsUpgrade":false}', 0), ('{"needsUpgrade" : true}', 1), ("{}", 1), ("", 1)],
)
def test_the_wizard_has_done_its_work_when_the_core_says_that_the_versions_agree(answer: str, status: int):
    fake = f"cat() {{ [ $# -eq 0 ] || echo token; }}; curl() {{ echo '{answer}'; }}\n"
    assert subprocess.run(["bash", "-c", fake + wizard.has_updated()], check=False).returncode == status


def test_changes_are_named_and_nothing_of_them_shown():
    text = """Files ./etc/nginx/sites-available/bm-client-access and /etc/nginx/sites-available/bm-client-access differ
Only in ./etc/nginx/sites-enabled: intranet
Only in /etc/bm/default: bm-core.ini.dpkg-dist
postfix mynetworks
beside /etc/bm/default/bm-core.ini.dpkg-dist
end
"""
    found = own_files.what_changed(told(text))
    assert found.seen.startswith(
        "1 overwritten, 1 gone, 1 new, 1 setting of Postfix changed, 1 local file kept"
    )
    assert [item["what"] for item in found.items] == [
        "/etc/nginx/sites-available/bm-client-access",
        "/etc/nginx/sites-enabled/intranet",
        "/etc/bm/default/bm-core.ini.dpkg-dist",
        "mynetworks",
        "/etc/bm/default/bm-core.ini.dpkg-dist",
    ]
    assert own_files.what_changed(told("end\n")).seen == "nothing changed"
    assert not own_files.what_changed(told("")).holds


def test_the_databases_have_changed_when_their_version_has_or_the_wizard_has_begun(tmp_path: Path):
    def bash(line: str, version: str) -> int:
        """Exit status of the line where the databases have this version, or where nobody tells it."""
        fake = f"runuser() {{ {f'echo {version}' if version else 'return 2'}; }}\n"
        return subprocess.run(["bash", "-c", fake + line], check=False).returncode

    folder = str(tmp_path)
    assert bash(wizard.note_databases(folder), "4.9.9") == 0
    assert bash(wizard.databases_are("=", folder), "4.9.9") == 0
    assert bash(wizard.databases_are("!=", folder), "4.9.9") == 1
    assert bash(wizard.databases_are("!=", folder), "4.9.10") == 0
    assert bash(wizard.databases_are("=", folder), "") == 2, "nobody knows"
    assert bash(wizard.begin(folder), "") == 0
    assert bash(wizard.databases_are("!=", folder), "4.9.9") == 0
    assert bash(wizard.databases_are("=", folder), "") == 1


def test_what_was_saved_is_put_back_and_folders_above_it_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(own_files, "PLACES", (f"{tmp_path}/etc/postfix", f"{tmp_path}/etc/ssl/cert.pem"))
    monkeypatch.setattr(own_files, "MORE", f"{tmp_path}/etc/none-*")
    (tmp_path / "etc/postfix").mkdir(parents=True)
    (tmp_path / "etc/ssl").mkdir()
    (tmp_path / "etc").chmod(0o755)
    (tmp_path / "etc/postfix/main.cf").write_text("by hand")
    (tmp_path / "etc/ssl/cert.pem").write_text("certificate")
    fakes = "bmctl() { :; }; postconf() { :; }; dpkg-query() { :; }\n"

    def bash(script: str) -> None:
        subprocess.run(["bash", "-c", fakes + script], check=True)

    bash(own_files.save(f"{tmp_path}/work"))
    (tmp_path / "etc/postfix/main.cf").write_text("by the update")
    (tmp_path / "etc/postfix/new.cf").write_text("new")
    (tmp_path / "etc/ssl/cert.pem").unlink()
    bash(own_files.put_back(f"{tmp_path}/work").split("! test -d /etc/nginx")[0])
    assert (tmp_path / "etc/postfix/main.cf").read_text() == "by hand"
    assert (tmp_path / "etc/postfix/new.cf").exists()
    assert (tmp_path / "etc/ssl/cert.pem").read_text() == "certificate"
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "etc", tmp_path / "etc/ssl")] == [
        0o755,
        0o755,
    ]


def test_one_virtual_host_that_nginx_refuses_does_not_keep_the_others_disabled(tmp_path: Path):
    sites = tmp_path / "enabled"
    saved = tmp_path / "work/before" / str(sites).lstrip("/")
    sites.mkdir()
    saved.mkdir(parents=True)
    for name in ("bad", "good", "with space"):
        (saved / name).write_text(name)
    fakes = f"nginx() {{ ! grep -qx bad {sites}/*; }}; systemctl() {{ echo reloaded; }}\n"
    line = own_files.enable_hosts(f"{tmp_path}/work").replace(own_files.SITES, str(sites))
    done = subprocess.run(["bash", "-c", fakes + line], capture_output=True, text=True, check=False)
    assert {path.name for path in sites.iterdir()} == {"good", "with space"}
    assert (done.returncode, done.stderr) == (1, "nginx refuses: bad\n")
    assert done.stdout == "enabled again: good with space\nreloaded\n"


def test_what_a_client_had_before_somebody_updated_packages_is_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "intranet").touch()
    monkeypatch.setattr(own_files, "PLACES", (f"{tmp_path}/sites",))
    monkeypatch.setattr(own_files, "MORE", f"{tmp_path}/none-*")

    def save(line: str, version: str) -> list[str]:
        fakes = (
            f"bmctl() {{ :; }}; postconf() {{ :; }}; dpkg-query() {{ echo installed bm-node {version}; }}\n"
        )
        subprocess.run(["bash", "-o", "pipefail", "-c", fakes + line], check=True)
        saved = tmp_path / "work/before" / str(tmp_path / "sites").lstrip("/")
        return sorted(path.name for path in saved.iterdir())

    again = own_files.save_again(f"{tmp_path}/work")
    assert save(own_files.save(f"{tmp_path}/work"), "4.9.9") == ["intranet"]
    (tmp_path / "sites" / "more").touch()
    assert save(again, "4.9.9") == ["intranet", "more"]
    (tmp_path / "sites" / "intranet").unlink()
    assert save(again, "4.9.10") == ["intranet", "more"]
