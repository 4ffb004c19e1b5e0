"""Passphrases of SSH keys, in a field that Jupyter empties at once: they are in no widget, file or output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from getpass import getpass
from pathlib import Path
from typing import Any

from bmnb.errors import ConnectionFailed, InputError
from bmnb.forms.view import View, marked
from bmnb.language import _
from bmnb.phrases import phrase
from bmnb.redact import Secret
from bmnb.remote import keys
from bmnb.remote.config import Config
from bmnb.remote.questions import answers_can_be_typed
from bmnb.run import Run
from bmnb.settings import server_names


def unlock(run: Run) -> View:
    """Ask for the passphrase of each key that is locked, and for what a server asks; then all are connected.

    An empty passphrase leaves the key to the agent.
    """
    said = [] if run.settings.dry_run else [marked(_open(path)) for path in locked(run.settings)]
    none = _("No key waits for a passphrase. Where one does in a run, it is asked for here.")
    return View(("".join(said) or marked(none)) + "".join(_connected(run)))


def _connected(run: Run) -> Iterator[str]:
    """Connect while somebody is there to answer what a server asks; what is wrong, the prerequisites tell as well."""
    for host in [] if run.settings.dry_run or not answers_can_be_typed() else server_names(run.settings):
        try:
            run.servers.connect(host)
        except ConnectionFailed as error:
            yield marked(phrase(str(error)), "wrong")


def locked(settings: Any) -> list[str]:
    """The locked keys that ssh's configuration names for the servers of a run."""
    config = Config(Path(settings.ssh_config).expanduser())
    addresses = [config.find(host) for host in server_names(settings)]
    addresses += [config.find(hop) for address in addresses for hop in address.jump]
    found = set[str]()
    for address in addresses:
        with closing(keys.Agent(address.agent)) as agent:
            found.update(keys.locked(address, agent))
    return sorted(found)


def _open(path: str) -> str:
    asked = _("Passphrase of {path}: ").format(path=path)
    given = Secret(getpass(asked) if answers_can_be_typed() else "")
    if not given:
        return _("{path} is left to the agent").format(path=path)
    try:
        keys.unlock(path, given)
    except InputError as error:
        return phrase(str(error))
    return _("{path} is open until the kernel ends").format(path=path)
