"""Prerequisites: everything is checked before anything is touched."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bmnb.procedures.changing_distributions import requirements, surroundings, swapped, ways
from bmnb.procedures.changing_distributions.gate import allow, withdraw_key
from bmnb.procedures.changing_distributions.guarding import trees_are_there
from bmnb.procedures.changing_distributions.phases import PREREQUISITES
from bmnb.procedures.changing_distributions.settings import NEW_ADDRESS, Settings
from bmnb.procedures.checks import done
from bmnb.steps import ANY, TRUE_OR_FALSE, Action, Check, Command, Condition, step
from bmnb.transfer import accepted, access, guards


@step("Prerequisites on both servers", PREREQUISITES)
def prerequisites(settings: Settings) -> Iterator[Action]:
    """Everything is checked before anything is touched, and reported at once."""
    origin, target = settings.origin, settings.target
    yield from requirements.servers(origin, target, settings.address)
    yield swapped.check(origin, target, settings.databases)
    yield from requirements.network(settings)
    yield from requirements.bluemind(origin, target)
    yield from surroundings.prerequisites(settings)
    yield trees_are_there(settings)
    yield from requirements.files(
        origin, target, settings.trees, settings.carry_forgotten, settings.engine == "literal"
    )
    yield from requirements.running_beside(origin, target, settings.trees)
    yield from requirements.login(origin, target, settings.address, settings.make_key)


def _at_once(settings: Settings) -> int:
    """Streams that were asked for begin at once, beside one for each database."""
    return max(access.SIDE_BY_SIDE, settings.streams + len(settings.databases))


def undo_key_authentication(settings: Settings) -> Iterator[Action]:
    """The last of the way back: the origin serves again, and gets the mail that came to the target."""
    origin, target, folder = settings.origin, settings.target, settings.work
    if settings.make_key:
        yield withdraw_key(settings)
    yield Command(target, f"rm -f {folder}/key {folder}/key.pub", "remove the run's key")
    if settings.fast:
        yield settings.fast.close_line()
        for server in (origin, target):
            yield from settings.fast.forget(server)
    yield Command(target, accepted.keep(folder, settings.trees), "keep the mail that the target has accepted")
    came = Condition(target, f"test -f {accepted.archive(folder)}", "the target has accepted no mail")
    yield Command(
        origin,
        accepted.install(folder),
        "the program that works in mailboxes",
        when=came,
        text=accepted.program(),
    )
    yield Command(
        origin,
        accepted.bring_back(folder),
        "bring back the mail that the target has accepted",
        when=came,
        feed=(target, f"cat {accepted.archive(folder)}"),
        read=accepted.read_counts,
        remedy="it is kept on the target; what was brought back already is not brought back twice",
    )
    yield Check(
        origin,
        accepted.show_kept(folder),
        partial(accepted.only_kept, folder),
        "mail that is only kept",
        when=came,
    )
    if settings.switch == NEW_ADDRESS:
        yield from ways.names_lead_back(settings)


@step(
    "The target system's root user can log in on the original server",
    PREREQUISITES,
    undo=undo_key_authentication,
)
def key_authentication(settings: Settings) -> Iterator[Action]:
    origin, target, folder = settings.origin, settings.target, settings.work
    login = guards.over_there(folder, origin, access.LOGIN)
    missing = Condition(target, f"! {login} 2> /dev/null", "root can log in already")
    if settings.make_key:
        yield withdraw_key(settings, "withdraw the key that an earlier run has left")
    yield Command(
        target,
        access.write_ssh_config(folder, origin, settings.address),
        "ssh configuration of this run, with the original server's host keys",
        feed=(origin, access.host(settings.address)),
    )
    if settings.make_key:
        yield Command(target, access.make_key(folder), "make a key pair for this run", when=missing)
        yield allow(settings)
        yield Command(
            origin,
            access.allow_key(folder, settings.address),
            "allow that key, from the target system only",
            when=missing,
            feed=(target, access.show_key(folder, settings.address)),
        )
    yield Check(
        target,
        login,
        requirements.logs_in,
        "log in as root on the original server",
        requirements.KEY_REMEDY
        + "; let ssh through from the target where a firewall or fail2ban keeps it out",
        answers=ANY,
    )
    yield Check(
        target,
        access.many_logins(folder, origin, _at_once(settings)),
        done,
        "many logins at once, as copies need them",
        "on the original server let no firewall count the logins of the target (ufw allow from ADDRESS), and see "
        "that its sshd has MaxStartups 10:30:100, as by default; more `streams` than eight need more",
        answers=TRUE_OR_FALSE,
    )
    yield Command(origin, guards.remember(folder, "origin"), "remember which machine and installation it is")
    yield Command(target, guards.remember(folder, "target"), "remember which machine and installation it is")
