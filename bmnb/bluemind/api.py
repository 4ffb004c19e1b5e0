"""Calls of BlueMind's API that the procedures use, and how their answers read.

Paths and answers: interfaces IInstallation, IServer, ISystemConfiguration, ISecurityMgmt,
IMailDeliveryMgmt and IJob, the same in 4.x and 5.x unless told.
"""

import re
from typing import Any

from bmnb.steps import Verdict

STATE = "/api/system/installation/state"
VERSION = "/api/system/installation/version"
SUBSCRIPTION = "/api/system/installation/subscription"
PREPARE = f"{SUBSCRIPTION}/_version"
UPGRADE = "/api/system/installation/_upgrade"
POST_INSTALL = "/api/system/installation/_postinst"
SERVERS = "/api/servers/default/_complete"
CONFIGURATION = "/api/configuration"
EXECUTIONS = "/api/scheduledjobs/_searchExecution"
FIREWALL = "/api/system/security/_updatefirewallrules"
"""4.x only: in 5.x the console's Save does nothing where no value changed."""
MAIL_MAINTENANCE = "/api/system/maildelivery/mgmt/_repair"

RUNNING_JOBS = {"active": True, "from": 0, "size": -1}


AWAITS_SOMEBODY = ("UPGRADE", "NOT_INSTALLED")
"""What BlueMind's state stays at until the setup wizard has done its work."""


def is_running(state: Any) -> Verdict:
    return Verdict(str(state).endswith("RUNNING"), str(state), final=str(state).endswith(AWAITS_SOMEBODY))


def single_server(servers: Any) -> Verdict:
    names = [f"{one['uid']} ({one['value'].get('ip')})" for one in servers]
    return Verdict(len(names) == 1, ", ".join(names) or "no server")


def has_address(address: str, servers: Any) -> Verdict:
    """Where a server is known by its name alone, that leads to whatever address it has."""
    known = [one["value"].get("ip") or one["value"].get("fqdn") or "nothing" for one in servers]
    wrong = [one for one in known if one != address and re.fullmatch(r"[0-9.]+", one)]
    return Verdict(bool(known) and not wrong, ", ".join(known) or "no server")


def mail_is_here(configuration: Any) -> Verdict:
    kind = configuration["values"].get("archive_kind") or "none"
    return Verdict(kind in ("none", "cyrus"), f"archive_kind {kind}")


def no_job_runs(executions: Any) -> Verdict:
    jobs = [one["jobId"] if "jobId" in one else one["execution"]["jobId"] for one in executions["values"]]
    return Verdict(not jobs, ", ".join(jobs) or "no job runs")


def no_exclusions(configuration: Any) -> Verdict:
    """BlueMind drops a leading ! when it saves My Networks, so that the excluded host becomes allowed."""
    networks = split_networks(configuration["values"].get("mynetworks", ""))
    excluded = [one for one in networks if one.startswith("!")]
    return Verdict(not excluded, ", ".join(excluded) or f"{len(networks)} networks, no exclusion")


def without_mask(network: str) -> str:
    """A single address, by whichever of its two ways to be written."""
    return network.removesuffix("/32")


def replaced(networks: str, old: str, new: str) -> str:
    """My Networks with an address in place of another one."""
    return ", ".join(
        dict.fromkeys(f"{new}/32" if without_mask(one) == old else one for one in split_networks(networks))
    )


def split_networks(text: str) -> list[str]:
    """My Networks as a list; they are separated by commas or spaces."""
    return text.replace(",", " ").split()
