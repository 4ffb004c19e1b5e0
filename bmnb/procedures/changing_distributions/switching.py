"""Switching servers: the target takes the place of the origin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from bmnb.bluemind import api, proofs
from bmnb.procedures.changing_distributions import ways
from bmnb.procedures.changing_distributions.gate import withdraw_key
from bmnb.procedures.changing_distributions.guarding import still_as_verified
from bmnb.procedures.changing_distributions.phases import SWITCHING
from bmnb.procedures.changing_distributions.services import restart, running, stop, stopped
from bmnb.procedures.changing_distributions.settings import BY_HAND, DURING, NEW_ADDRESS, TAKE_OVER, Settings
from bmnb.procedures.checks import done, something_printed
from bmnb.steps import ANY, TRUE_OR_FALSE, Action, Call, Check, Command, Condition, Manual, Together, step
from bmnb.transfer import accepted, address, configuration, labels, naming
from bmnb.verification import every_mailbox


def undo_stop_origin(settings: Settings) -> Iterator[Action]:
    """Where the origin is out of reach, the program on its console makes it reachable again."""
    origin, folder = settings.origin, settings.work
    if settings.switch != TAKE_OVER:
        yield from ways.take_origin_back(settings)
        return
    if not settings.keep_reachable:
        yield Manual(
            origin,
            "origin-is-back",
            f"on the console of {origin}: bash {folder}/give-back",
        )
    yield from address.put(origin, folder)
    yield Command(
        origin,
        address.give_back(folder),
        f"give {settings.address} back, tell the neighbours",
        moves_to=origin,
    )
    yield Check(
        origin, address.held(settings.address), something_printed, f"the origin has {settings.address}"
    )
    for server, own in zip((origin, settings.target), address.parked(settings.address), strict=True):
        yield Command(server, address.unpark(own), f"take {own} off")


@step("Stop the original server", SWITCHING, once=True, undo=undo_stop_origin)
def stop_origin(settings: Settings) -> Iterator[Action]:
    origin, target = settings.origin, settings.target
    yield Manual(
        origin,
        "switch-servers",
        ways.at_stake(settings),
        expect=origin,
    )
    yield from still_as_verified(settings)
    key = [withdraw_key(settings)] if settings.make_key else []
    forgotten = settings.fast.forget(origin) if settings.fast else ()
    if settings.switch != TAKE_OVER:
        yield from _side_by_side(settings, [*key, *forgotten])
        yield from ways.give_up_origin(settings)
        return
    last = [
        *key,
        Command(origin, address.save(settings.work), "save the network configuration"),
        *address.put(origin, settings.work),
        Command(
            origin,
            f"umask 077; cat > {settings.work}/give-back",
            "the way back as a program, for its console",
            text=address.give_back(settings.work),
        ),
    ]
    yield from _side_by_side(settings, [*last, *forgotten, *_park(settings)])
    yield Command(
        target,
        address.keep_moving(settings.work),
        "remember the addresses of IPv6 that come with it",
        feed=(origin, address.moving(settings.work, settings.address)),
    )
    if settings.keep_reachable:
        yield from _keep_reachable(settings)
    yield Command(
        origin,
        address.take_off(settings.work, settings.address),
        f"take {settings.address} off",
        farewell=not settings.keep_reachable,
    )
    yield Check(
        target,
        address.who_holds(settings.address, 0.2 if settings.keep_reachable else 0.5),
        address.free,
        f"nobody answers for {settings.address}",
        "look on the console of the original server whether it still has the address",
        patience=60,
    )


def _side_by_side(settings: Settings, commands: Sequence[Command]) -> Iterator[Action]:
    """Commands of which none waits for another; as in the document, one by one."""
    yield from [Together(tuple(commands))] if settings.fast else commands


def _park(settings: Settings) -> Iterator[Command]:
    """Link-local addresses by which the origin stays in the target's reach; a restart forgets them."""
    if settings.keep_reachable:
        own, other = address.parked(settings.address)
        to_target, to_origin = (address.park(settings.address, one) for one in (other, own))
        yield Command(settings.target, to_target, f"reach the origin from {other}")
        yield Command(settings.origin, to_origin, f"be reached at {own}")


def _keep_reachable(settings: Settings) -> Iterator[Action]:
    origin, target = settings.origin, settings.target
    own, _ = address.parked(settings.address)
    yield Check(
        target,
        address.answers_ssh(settings.work, origin, own),
        done,
        f"the origin answers at {own}",
        "let ssh through from the target, or do without: keep_reachable: false",
        answers=ANY,
    )
    yield Command(origin, "true", "contact the origin there", moves_to=own, moves_via=target)


def undo_take_over_address(settings: Settings) -> Iterator[Action]:
    target = settings.target
    if settings.switch == BY_HAND:
        yield from ways.undo_moved_by_hand(settings)
    if settings.switch != TAKE_OVER:
        return
    yield from address.put(target, settings.work)
    yield Command(
        target,
        address.give_up(settings.work),
        f"take {settings.address} off",
        farewell=True,
        moves_to=target,
    )
    yield Check(
        target,
        f"! {address.held(settings.address)} | grep -q .",
        done,
        f"the target is off {settings.address}",
        patience=60,
        answers=TRUE_OR_FALSE,
    )


@step(
    "Reconfigure the target server with the original server's IP address",
    SWITCHING,
    once=True,
    undo=undo_take_over_address,
)
def take_over_address(settings: Settings) -> Iterator[Action]:
    target = settings.target
    if settings.switch == BY_HAND:
        yield from ways.moved_by_hand(settings)
    if settings.switch != TAKE_OVER:
        return
    yield Command(target, address.save(settings.work), "save the network configuration")
    yield from address.put(target, settings.work)
    yield Command(
        target,
        address.take_over(settings.work, settings.address),
        f"take {settings.address} over, tell the neighbours",
        moves_to=settings.address,
    )
    yield Check(
        target, address.held(settings.address), something_printed, f"the target has {settings.address}"
    )


def undo_change_address(settings: Settings) -> Iterator[Action]:
    if settings.switch == NEW_ADDRESS:
        yield from ways.undo_under_own_address(settings)


@step("Change the address in BlueMind of the target server", SWITCHING, undo=undo_change_address)
def change_address(settings: Settings) -> Iterator[Action]:
    """Only where the target keeps its own: what was copied names the origin's."""
    if settings.switch == NEW_ADDRESS:
        yield from ways.under_own_address(settings)


def undo_restart_target(settings: Settings) -> Iterator[Action]:
    """The price first, then the target stops. Its mail is kept where it lies: first the origin serves again."""
    target, folder = settings.target, settings.work
    yield Check(
        target,
        accepted.show(folder, settings.trees),
        partial(accepted.price, folder),
        "mail that the target has accepted",
    )
    yield Manual(
        target,
        "give-up-target",
        ways.price(settings),
        expect=target,
    )
    yield from stop(target)
    yield stopped(target)
    if settings.keep_reachable and settings.switch == TAKE_OVER:
        _, own = address.parked(settings.address)
        yield Command(target, address.park(settings.address, own), "keep the origin in reach")


@step("Restart the target server", SWITCHING, undo=undo_restart_target)
def restart_target(settings: Settings) -> Iterator[Action]:
    target, folder = settings.target, settings.work
    if settings.restart_target == DURING:
        yield from restart(target, folder, settings.trees)
        yield Check(
            target,
            address.held(settings.serves_at),
            something_printed,
            f"it has {settings.serves_at}",
            patience=60,
        )
    nginx = Condition(
        target, f"test -x {configuration.CONFIGURE_NGINX}", "no configure-nginx.sh on the target"
    )
    cyrus = Condition(target, every_mailbox.CYRUS, every_mailbox.NO_CYRUS)
    ready = (
        Command(target, configuration.CONFIGURE_NGINX, "virtual hosts of the client's domains", when=nginx),
        Command(
            target,
            every_mailbox.upgrade(folder),
            "Cyrus's databases in the form of the target's Cyrus",
            when=cyrus,
        ),
    )
    starts = [
        Command(target, proofs.RESTART_NGINX, "nginx with the copied certificate"),
        Command(target, "systemctl enable --no-reload bluemind.target postfix", "enable the services"),
        Command(target, "bmctl start", "start BlueMind", ensure=True),
        Command(target, "systemctl start postfix", "start Postfix", ensure=True),
    ]
    if settings.switch == TAKE_OVER:
        told = address.announce(settings.address, 1)
        starts.append(Command(target, told, "tell the neighbours again", ensure=True))
    selinux = Condition(target, labels.IS_ON, "no SELinux on the target")
    yield Command(target, naming.KEEP_PACKAGED, "Postfix keeps the folders of its package", ensure=True)
    yield Command(target, labels.restore(settings.trees), "labels of SELinux", when=selinux, ensure=True)
    # by its time the late proof tells what has changed since: an upgraded database is never brought anew
    yield Command(target, accepted.mark(folder), "remember when it begins to serve")
    yield from _side_by_side(settings, ready)
    yield from _side_by_side(settings, starts)
    if settings.switch == NEW_ADDRESS:
        yield Command(target, "systemctl restart bm-node", "bm-node at the new address")
    yield running(target)
    yield Call(target, "GET", api.STATE, "BlueMind's state", judge=api.is_running, patience=600)
    yield Check(
        target,
        every_mailbox.unknown(folder),
        every_mailbox.all_known,
        "Cyrus lists every folder of the original server",
        "look for Cyrus in the log; see that /etc/cyrus.conf of the target has ctl_cyrusdb -r in START, and restart "
        "bm-cyrus-imapd",
        when=cyrus,
        patience=120,
        decision="accept-folders",
        answers=ANY,
    )
