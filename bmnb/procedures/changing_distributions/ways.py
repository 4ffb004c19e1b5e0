"""Switching servers where the target does not take the address over: it is moved by hand, or stays where it is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bmnb.bluemind import own_address as own
from bmnb.bluemind import serving
from bmnb.procedures.changing_distributions.services import start_postgresql
from bmnb.procedures.changing_distributions.settings import BY_HAND, NEW_ADDRESS, TAKE_OVER, Settings
from bmnb.procedures.checks import done, nothing_printed, something_printed
from bmnb.steps import ANY, TRUE_OR_FALSE, Action, Check, Command, Condition, Manual, Result, Verdict
from bmnb.transfer import address
from bmnb.verification import names


def at_stake(settings: Settings) -> str:
    """What the switch does, and what the way back costs from then on."""
    origin, target, moves = settings.origin, settings.target, settings.address
    return {
        TAKE_OVER: f"{origin} loses its address {moves} to {target}; "
        "from then on the way back costs the mail that the target will have accepted",
        BY_HAND: f"{origin} stops for good, and {moves} is moved to {target} by hand; from then on the way back costs "
        "the mail that the target will have accepted, and the address must be moved back by hand",
        NEW_ADDRESS: f"{origin} stops for good, and {target} serves at {settings.new_address}; from then on the way back "
        "costs the mail that the target will have accepted, and the time until the names lead back",
    }[settings.switch]


def price(settings: Settings) -> str:
    """What giving up the target costs; the mail was listed before."""
    origin, target, moves = settings.origin, settings.target, settings.address
    kept = "the mail above is kept and brought back, but for the queue, and what waited there at the switch may be sent twice"
    return {
        TAKE_OVER: f"{target} stops, {origin} takes its place again as it was at the switch; {kept}",
        BY_HAND: f"{target} stops, and nobody is served until {moves} was moved back to {origin} by hand, which is as it "
        f"was at the switch; {kept}",
        NEW_ADDRESS: f"{target} stops, and who is led to it by name is not served until the names lead back to {origin}, "
        f"which is as it was at the switch; {kept}",
    }[settings.switch]


def give_up_origin(settings: Settings) -> Iterator[Action]:
    """It keeps its configuration and an address, so that whatever still serves there is stopped, or all of it."""
    origin, target = settings.origin, settings.target
    yield Command(origin, serving.STOP_NGINX, "stop nginx, for good")
    yield Check(
        origin,
        serving.LISTENS,
        nothing_printed,
        "nothing on the origin serves",
        "stop what listens there, and keep it from starting again",
        patience=30,
    )
    if settings.keep_reachable:
        return
    yield Command(origin, "systemctl poweroff", "switch the origin off", farewell=True)
    yield Check(
        target,
        address.answers_no_more(settings.work, origin, settings.address),
        done,
        "the origin is off",
        "look on its console whether it is",
        patience=120,
        answers=TRUE_OR_FALSE,
    )


def take_origin_back(settings: Settings) -> Iterator[Action]:
    origin, moves = settings.origin, settings.address
    by_hand = settings.switch == BY_HAND
    tasks = [
        *([] if settings.keep_reachable else [f"switch {origin} on again"]),
        *([f"have {moves} moved back to {origin}, where it was moved"] if by_hand else []),
    ]
    if tasks:
        yield Manual(origin, "origin-is-back", "; ".join(tasks))
    yield Check(
        origin,
        address.held(moves),
        something_printed,
        f"the origin has {moves}",
        patience=300,
    )
    if by_hand:
        yield answers_there(settings, origin)
    yield Command(origin, serving.START_NGINX, "start nginx")


def moved_by_hand(settings: Settings) -> Iterator[Action]:
    origin, target, moves = settings.origin, settings.target, settings.address
    yield Manual(
        target,
        "address-moved",
        f"have {moves} moved from {origin} to {target} by the provider or the hypervisor, and reconfigure {target} with "
        f"it, so that it can be reached instead of {origin}, also after a restart",
    )
    if settings.keep_reachable:
        yield Check(
            origin,
            address.held(moves),
            nothing_printed,
            f"the origin is off {moves}",
            f"take {moves} off its interface and out of its network configuration: it must not come back with it",
            patience=5,
        )
    yield answers_there(settings, target)
    yield Command(target, "true", "contact the target there", moves_to=moves)
    yield Check(target, address.held(moves), something_printed, f"the target has {moves}")


def answers_there(settings: Settings, server: str) -> Check:
    """Who answers at the address must have the server's host key, and its machine-id."""
    return Check(
        server,
        "cat /etc/machine-id",
        done,
        f"{settings.address} answers, and it is {server}",
        "see to it that the address leads there, and that ssh gets through to it from this machine",
        patience=60,
        at=settings.address,
    )


def undo_moved_by_hand(settings: Settings) -> Iterator[Action]:
    target = settings.target
    yield Command(target, "true", "contact the target at its own address", farewell=True, moves_to=target)


def under_own_address(settings: Settings) -> Iterator[Action]:
    """BlueMind's page on changing a server's address, between the stop of its services and their start."""
    target, old, new = settings.target, settings.address, settings.new_address
    yield Manual(
        target,
        "names-changed",
        f"have the names that lead to {old} changed in DNS to {new}; the prerequisites have named them. It is waited for "
        "at the end",
    )
    yield Command(target, f"touch {_mark(settings)}", "remember that names were changed")
    yield start_postgresql(target)
    yield Command(target, own.in_ini(new), "host and hz-member-address in bm.ini")
    yield Command(
        target,
        own.in_replication(new),
        "core_sync_host in cyrus-replication",
        when=Condition(target, f"test -f {own.REPLICATION}", "no cyrus-replication on the target"),
    )
    yield Command(
        target,
        own.in_elasticsearch(old, new),
        "the address in elasticsearch.yml",
        when=Condition(
            target, f"{own.names(own.ELASTICSEARCH, old)} || false", "it does not name the address"
        ),
    )
    yield Command(
        target, own.in_database(old, new), "t_server, t_systemconf, rc_users and t_domain in the database"
    )
    yield Command(
        target,
        f"touch {_renamed(settings)} && {own.rename_backups(old, new)}",
        "the folder of DataProtect",
        when=Condition(target, own.backups_of(old, new), "no folder of the old address"),
    )
    yield Check(
        target,
        own.show(old, new),
        own.stands_everywhere,
        f"BlueMind of the target is at {new}",
        "see which of the places that are named lacks it, and put it in there",
    )


def undo_under_own_address(settings: Settings) -> Iterator[Action]:
    """Configuration and databases of the target's own are put back by the undo of the steps that replaced them."""
    target, old, new = settings.target, settings.address, settings.new_address
    # the target may have had a folder of its own under that name
    renamed = f"[ -f {_renamed(settings)} ] && {own.backups_of(new, old)}"
    yield Command(
        target,
        f"{own.rename_backups(new, old)} && rm {_renamed(settings)}",
        "the folder of DataProtect",
        when=Condition(target, renamed, "it was not renamed"),
    )


def names_lead_back(settings: Settings) -> Iterator[Action]:
    """Last of all, since the origin serves by then."""
    origin, old = settings.origin, settings.address
    changed = Condition(settings.target, f"test -f {_mark(settings)}", "nobody was asked to change names")
    yield Manual(
        origin,
        "names-back",
        f"have the names lead to {old} again, where they were changed in DNS",
        when=changed,
    )
    yield Check(
        origin,
        names.ASK,
        partial(names.lead_there, old),
        "the external-url leads to the origin",
        "caches keep the other answer until its time to live is over: then go on with this rollback",
        when=changed,
        patience=600,
        decision="accept-names-back",
    )
    yield Command(settings.target, f"rm -f {_mark(settings)}", "forget that names were changed")


def _mark(settings: Settings) -> str:
    return f"{settings.work}/names-changed"


def _renamed(settings: Settings) -> str:
    return f"{settings.work}/backups-renamed"


def old_address_is_gone(settings: Settings) -> Iterator[Action]:
    """Nothing on the target names it any more, and no name leads there."""
    target, old, new = settings.target, settings.address, settings.new_address
    yield Command(
        target,
        "bm-cli tick reconfigure",
        "the monitoring's configuration",
        when=Condition(target, "test -d /etc/bm-tick", "no monitoring on the target"),
    )
    yield Check(
        target,
        own.what_names(old, settings.keycloak_database),
        own.names_nowhere,
        f"nothing on the target names {old}",
        "put the new address in its place, or accept what is named",
        decision="accept-old-address",
    )
    asked = (target, settings.origin) if settings.keep_reachable else (target,)
    yield Check(
        asked,
        names.ASK,
        partial(names.have_moved, old, new),
        "the names lead to the target",
        "have what is named changed in DNS; caches keep the old answer until its time to live is over: then run this "
        "cell again",
        patience=600,
        decision="accept-names-after",
        answers=(0,),
    )


def contacted_elsewhere(address: str, told: Result) -> Verdict:
    at = told.stdout.split()
    if len(at) != 4:
        return Verdict.unmade("ssh does not tell at which address the server is contacted")
    return Verdict(at[2] != address, at[2])


def requirements(settings: Settings) -> Iterator[Action]:
    """What must hold for one of these two ways beside what every switch needs."""
    origin, target, old, new = settings.origin, settings.target, settings.address, settings.new_address
    if settings.switch == BY_HAND:
        yield Check(
            target,
            address.held(old),
            nothing_printed,
            f"the target does not have {old} yet",
            "take it off the target until the switch: by it the target reaches the original server",
        )
        if settings.keep_reachable:
            yield Check(
                origin,
                serving.CONTACTED_AT,
                partial(contacted_elsewhere, old),
                "the origin is contacted at an address that it keeps",
                f"let {origin} lead to another of its addresses in the ssh configuration; or do without: keep_reachable: false",
                answers=ANY,
            )
        return
    yield Check(
        target,
        address.held(new),
        something_printed,
        f"the target has {new}",
        "give the target server's own address as `new_address`",
    )
    yield Check(
        origin,
        own.what_changes(old),
        own.can_be_changed,
        "BlueMind of the origin has its address where it will be changed",
        "have host and hz-member-address once each in /etc/bm/bm.ini of the origin, and its address, not a name alone, in "
        "its server's entry in the administration console",
    )
    yield Check(
        origin,
        names.ASK,
        partial(names.lead_there, old),
        "the external-url leads to the origin",
        "lower the time to live of the names a day ahead. Where the address is translated on the way, or DNS is not "
        "asked by the users, accept what is named, and have that lead to the target when the run asks for the names",
        decision="accept-names-before",
    )
