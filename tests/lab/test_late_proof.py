"""With `verify: after` the whole copy is proven while the target serves: what rests there is brought, the rest is named."""

import json
import subprocess
from pathlib import Path

import pytest

from bmnb.lab import Lab
from bmnb.lab.demo import unexpected
from tests.lab.migration import BMNB, client_file, done, finish, journal, kill_all, start, wait_for

pytestmark = pytest.mark.lab

SETTINGS = {"engine": "fast", "restart_target": "never", "verify": "after"}
QUIET = "/var/spool/bm-docs/quiet"
"""A folder that the lab's users don't work in."""
COMPARES = "compare the whole copy with the frozen origin"
HOLDS = "the whole copy is the same as the frozen origin"

HOLD = """cat > /usr/local/bin/ionice <<'END'
#!/bin/bash
while [ -e /root/hold ]; do case "$*" in *"compare list"*) sleep 0.1 ;; *) break ;; esac; done
exec /usr/bin/ionice "$@"
END
chmod +x /usr/local/bin/ionice; touch /root/hold"""
"""The comparison waits as long as a file is there."""


def status(runs: Path) -> dict[str, str]:
    (run,) = [path.parent for path in runs.glob("*/journal.jsonl")]
    told = subprocess.run([*BMNB, "status", str(run), "--json"], capture_output=True, text=True, check=True)
    state: dict[str, str] = json.loads(told.stdout)
    return state


def test_what_was_planted_is_brought_and_what_users_have_changed_stays(lab: Lab, tmp_path: Path):
    names = f"{QUIET}/missing {QUIET}/differs {QUIET}/users"
    lab.origin.must(f"mkdir {QUIET}; for one in {names}; do echo origin > $one; done; chown -R cyrus {QUIET}")
    code, said = finish(client_file(lab, tmp_path, **SETTINGS, through="cold-synchronization"))
    assert code == 0, said
    assert not done(tmp_path, "compare the trees", "verify-copy")
    lab.target.must(
        f"cd {QUIET} && cp -p differs kept && echo TARGET > differs && touch -r kept differs && rm kept missing"
    )
    lab.target.must(HOLD)

    client = client_file(lab, tmp_path, **SETTINGS)
    running = start(client)
    wait_for(running, tmp_path, COMPARES, "verify-whole")
    lab.target.must(f"echo by a user > {QUIET}/users")
    kill_all(running)
    assert status(tmp_path)["proof"] == "switched, not yet proven whole"
    lab.target.must("rm /root/hold /usr/local/bin/ionice")
    code, said = finish(client)
    assert code == 0, said

    shown = lab.target.must(f"cd {QUIET} && head -n 1 missing differs users; stat -c %U missing differs")
    assert shown.count("origin") == 2
    assert shown.count("by a user") == 1
    assert shown.split()[-2:] == ["cyrus", "cyrus"]
    (proof,) = [line for line in journal(tmp_path) if line["event"] == "done" and line.get("title") == HOLDS]
    assert "cannot be compared, since they were changed on the target" in proof["seen"]
    why = {item["item"].removeprefix(f"{QUIET}/"): item["why"] for item in proof["items"]}
    assert why["missing"] == why["differs"] == "brought from the origin"
    assert why["users"] == "changed on the target since its start"
    assert [one for one in unexpected(lab) if not one.name.startswith(QUIET)] == []
    assert status(tmp_path)["proof"].startswith("proven whole at")
    assert "active" not in lab.origin.must("systemctl is-active bluemind.target postfix || true").split()
