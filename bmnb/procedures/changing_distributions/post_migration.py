"""Post-migration: what the document does in the administration console, each proven."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from bmnb.bluemind import api, proofs
from bmnb.bluemind.paths import POSTFIX_MAPS, dump_of
from bmnb.procedures.changing_distributions import ways
from bmnb.procedures.changing_distributions.phases import POST_MIGRATION
from bmnb.procedures.changing_distributions.services import running
from bmnb.procedures.changing_distributions.settings import NEW_ADDRESS, Settings
from bmnb.procedures.checks import done, url_answers
from bmnb.steps import (
    ANY,
    TRUE_OR_FALSE,
    Action,
    Call,
    Check,
    Command,
    Condition,
    Manual,
    Result,
    Verdict,
    step,
)
from bmnb.transfer import accepted, databases
from bmnb.transfer.placing import inline
from bmnb.verification import account, dialogue, every_mailbox, first_hour, openid


@step("Save Security > Firewall", POST_MIGRATION)
def save_firewall(settings: Settings) -> Iterator[Action]:
    target = settings.target
    version4, version5 = proofs.version(target, 4), proofs.version(target, 5)
    yield Command(target, proofs.mark_time(settings.work), "remember the time")
    yield Call(
        target, "POST", api.FIREWALL, "regenerate the firewall's rules (4.x)", task=True, when=version4
    )
    yield Command(
        target, "bm-cli maintenance update-fw", "regenerate the firewall's rules (5.x)", when=version5
    )
    yield Manual(
        target,
        "firewall",
        "in the administration console, section Security > Firewall, click Save",
        when=proofs.neither(target, 4, 5),
    )
    yield Check(
        target,
        proofs.firewall(settings.work, settings.serves_at),
        proofs.firewall_written,
        "the rules are new and name the server's address",
        "click Save in the administration console, section Security > Firewall",
        patience=60,
        answers=TRUE_OR_FALSE,
    )


@step("Run System Management > Mail Maintenance", POST_MIGRATION)
def mail_maintenance(settings: Settings) -> Iterator[Action]:
    target = settings.target
    yield Command(target, proofs.mark_time(settings.work), "remember the time")
    yield Call(target, "POST", api.MAIL_MAINTENANCE, "regenerate Postfix's routing tables", task=True)
    yield Check(
        target,
        proofs.newer(settings.work, list(POSTFIX_MAPS)),
        partial(proofs.all_newer, len(POSTFIX_MAPS)),
        "every routing table is new",
        "the task ends before the tables are written: look in /var/log/bm/core.log, then run Mail Maintenance again",
        patience=180,
        answers=TRUE_OR_FALSE,
    )
    if settings.switch == NEW_ADDRESS:
        yield Command(target, "postqueue -f", "deliver what has waited for the new tables")


@step("Save My Networks in System Management > System Configuration", POST_MIGRATION)
def my_networks(settings: Settings) -> Iterator[Action]:
    target = settings.target
    yield Call(
        target,
        "GET",
        api.CONFIGURATION,
        "My Networks excludes no host",
        judge=api.no_exclusions,
        remedy="BlueMind would drop the ! and let the host relay: remove the exclusion, filter it elsewhere",
    )
    yield Call(
        target,
        "POST",
        api.CONFIGURATION,
        "save My Networks",
        change=partial(_networks, settings),
    )
    yield Check(
        target,
        "postconf -h mynetworks",
        partial(proofs.networks, settings.my_networks, _gone(settings)),
        "Postfix lets the right networks relay",
        "replace the old address in My Networks in the administration console",
        patience=60,
    )


def _networks(settings: Settings, current: Any) -> dict[str, str]:
    """The document has the old address replaced by the new one; that is where there is another one."""
    before = current["values"].get("mynetworks", "127.0.0.0/8")
    wanted = settings.my_networks or api.replaced(before, settings.address, settings.serves_at)
    return {"mynetworks": wanted}


def _gone(settings: Settings) -> str:
    """The address that nobody may relay from any more."""
    return "" if settings.serves_at == settings.address else settings.address


@step("BlueMind answers", POST_MIGRATION)
def verify_service(settings: Settings) -> Iterator[Action]:
    target = settings.target
    yield running(target)
    yield Call(target, "GET", api.STATE, "BlueMind's state", judge=api.is_running)
    yield Call(target, "GET", api.VERSION, "version of software and database", judge=proofs.versions_agree)
    yield url_answers(target)
    yield Check(
        target,
        inline(dialogue, settings.serves_at),
        done,
        "mail for users is taken",
        "look in /var/log/mail.log",
        patience=60,
        answers=ANY,
    )
    yield Check(
        target,
        inline(openid),
        secrets_are_taken,
        "Keycloak takes the secret of each domain, as at a login by OpenID",
        "look in /var/log/bm-keycloak; the secret of the domain's client in Keycloak's console and that of the domain must be "
        "one: OPENID_CLIENT_SECRET",
        when=settings.where_it_is(settings.keycloak_database),
        patience=120,
        decision="accept-openid",
        answers=TRUE_OR_FALSE,
    )
    if settings.test_account:
        yield from _try(settings)
    if not settings.proven_late:
        yield from look_at_every_mailbox(settings)


def secrets_are_taken(asked: Result) -> Verdict:
    """A line a domain; without one that is refused, an exit status says that nothing could be asked."""
    told = [line.partition(" ") for line in asked.stdout.splitlines()]
    refused = tuple({"item": domain, "what": said} for domain, _, said in told if said != openid.TAKEN)
    if not asked.ok and not refused:
        return Verdict.unmade((asked.stderr.strip().splitlines() or ["no answer"])[-1])
    seen = "; ".join(f"{one['item']}: {one['what']}" for one in refused)
    return Verdict(not refused, seen or f"{len(told)} domains", refused)


def look_at_every_mailbox(settings: Settings) -> Iterator[Action]:
    """Users work meanwhile: what they change is told apart. A late proof comes before it, and brings what is missing."""
    target, folder = settings.target, settings.work
    cyrus = Condition(target, every_mailbox.CYRUS, every_mailbox.NO_CYRUS)
    yield Command(
        target, every_mailbox.look(folder), "look at every mailbox over IMAP", when=cyrus, ensure=True
    )
    yield Check(
        target,
        every_mailbox.show(folder),
        every_mailbox.as_they_were,
        "every mailbox is over IMAP as it was at the stop",
        "run this cell again: it goes on with what was not looked at, and looks again at what has differed; what is "
        "missing is on the original server, in the folder that is named",
        when=cyrus,
        decision="accept-mailboxes",
        answers=ANY,
    )


def _try(settings: Settings) -> Iterator[Action]:
    target, folder = settings.target, settings.work
    yield Command(
        target, accepted.install(folder), "the program that works in mailboxes", text=accepted.program()
    )
    yield Check(
        target,
        account.attempt(folder, settings.test_account),
        account.works,
        "mail to the test account arrives, and is read by IMAP",
        "look in /var/log/mail.log and at the queue: postqueue -p",
        answers=ANY,
    )


@step("Nothing leads to the old address", POST_MIGRATION)
def leave_old_address(settings: Settings) -> Iterator[Action]:
    if settings.switch == NEW_ADDRESS:
        yield from ways.old_address_is_gone(settings)


@step("Watch the first hour", POST_MIGRATION)
def first_hour_of_service(settings: Settings) -> Iterator[Action]:
    """Before anything of the way back is removed. What is asked for is short, or nobody waits: 0 watches nothing."""
    if not settings.watch_minutes:
        return
    target, folder = settings.target, settings.work
    yield Command(
        target,
        first_hour.watch(folder, settings.serves_at, settings.watch_minutes),
        "watch queue, logs, ports and deliveries",
        text=first_hour.program(),
    )
    yield Check(
        target,
        first_hour.seen(folder),
        first_hour.went_well,
        "the server serves as it should",
        "look in /var/log/mail.log and at the queue: postqueue -p; then watch once more, or accept what was seen",
        decision="accept-first-hour",
    )


@step("Remove what the migration left on the servers", POST_MIGRATION)
def clean_up(settings: Settings) -> Iterator[Action]:
    """The saved configuration stays, and so does the original server, stopped, until someone decides."""
    target, folder = settings.target, settings.work
    files = list(map(dump_of, settings.databases))
    dumps = " ".join(f"{folder}/{file}" for file in files)
    if settings.keep_dumps:
        yield Command(
            target,
            databases.keep_encrypted(folder, files),
            "keep the dumps, encrypted",
            text=settings.keep_dumps,
        )
    yield Command(target, f"rm -f {dumps}", "remove the dumps")
    yield Command(target, f"rm -f {folder}/key {folder}/key.pub", "remove the run's key pair")
    yield Command(target, f"rm -f {folder}/roles-*", "forget how the target's own roles were")
    yield Command(
        target,
        f"rm -rf {folder}/comparing {folder}/databases {folder}/definitions-* {folder}/facts-* {folder}/late {folder}/mailboxes* {folder}/sums {folder}/statements",
        "remove what the verification has worked with",
    )
    if settings.watch_minutes:
        yield Command(target, first_hour.forget(folder), "remove what the watch has written")
    if settings.fast:
        yield from settings.fast.clean_up()
    for database in settings.databases:
        yield Command(target, databases.drop_before(database), f"drop the target's old {database}")
