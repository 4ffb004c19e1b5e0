"""Runs with BlueMind's own published client, netbluemind4, and prints what it reads as JSON.

Arguments: base of the API; on standard input the password of admin0.
"""

import json
import sys

from netbluemind.dataprotect.api.IDataProtect import IDataProtect
from netbluemind.mailbox.api.IMailboxes import IMailboxes
from netbluemind.python.client import BMClient, ServerFault
from netbluemind.scheduledjob.api.JobExecutionQuery import JobExecutionQuery
from netbluemind.scheduledjob.api.JobQuery import JobQuery
from netbluemind.system.api.IMailDeliveryMgmt import IMailDeliveryMgmt
from netbluemind.system.api.ISecurityMgmt import ISecurityMgmt
from netbluemind.system.api.ISystemConfiguration import ISystemConfiguration

base, password = sys.argv[1], sys.stdin.read()
client = BMClient(base)


def fault(work):
    try:
        return work()
    except ServerFault as error:
        return list(error.args)


def task(work):
    reference = work()
    status = client.waitTask(reference)
    return [status.state.name, status.lastLogEntry, client.task(reference).getCurrentLogs(0)]


refused = fault(lambda: client.login("admin0@global.virt", "wrong"))
client.apiKey = "wrong"
rejected = fault(lambda: client.installation().getVersion())
client.login("admin0@global.virt", password)
installation, configuration = client.installation(), client.instance(ISystemConfiguration)
version, subscription = installation.getVersion(), installation.getSubscriptionInformations()
query, executions = JobQuery(), JobExecutionQuery()
query.jobId = executions.jobId = "DataProtect"
domain = next(one.uid for one in client.domains().all() if not one.value.global_)
told = {
    "refused": refused,
    "rejected": rejected,
    "state": installation.getSystemState().name,
    "infos": installation.getInfos().softwareVersion,
    "version": [version.softwareVersion, version.databaseVersion, version.needsUpgrade],
    "subscription": [subscription.kind.name, subscription.valid, subscription.ends.year],
    "kind": installation.getSubscriptionKind().name,
    "servers": [[one.uid, one.value.ip, one.value.tags] for one in client.servers("default").allComplete()],
    "assignments": sorted(one.tag for one in client.servers("default").getAssignments(domain)),
    "domains": [one.value.name for one in client.domains().all()],
    "users": len(client.users(domain).allUids()),
    "mailboxes": len(client.instance(IMailboxes, domain).listUids()),
    "configuration": configuration.getValues().values,
    "saved": configuration.updateMutableValues({"relayhost": ""}),
    "job": [one.id for one in client.jobs().searchJob(query).values],
    "executions": [one.status.name for one in client.jobs().searchExecution(executions).values],
    "generations": [
        [one.withErrors, one.parts[0].valid.name]
        for one in client.instance(IDataProtect).getAvailableGenerations()
    ],
    "mail maintenance": task(client.instance(IMailDeliveryMgmt).repair),
    "firewall": task(client.instance(ISecurityMgmt).updateFirewallRules),
    "schema": installation.upgradeStatus().state.name,
}
print(json.dumps(told))
