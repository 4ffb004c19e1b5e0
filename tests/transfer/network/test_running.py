"""Addresses as the kernel has them."""

from pathlib import Path

import pytest

from bmnb.transfer.network import running
from bmnb.transfer.network.edit import Refused


def test_where_the_addresses_cannot_be_asked_for_none_is_taken_for_gone(monkeypatch, tmp_path: Path):
    failing = tmp_path / "ip"
    failing.write_text("#!/bin/sh\necho 'Cannot open netlink socket' >&2; exit 1\n")
    failing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(Refused, match="Cannot open netlink socket"):
        running.held()
