"""Ask a core through BlueMind's own generated client, unmodified; runs in an environment that has it.

The client installs as `netbluemind` for 4.x and for 5.x alike, verifies no TLS and takes HTTP 400 for
success: here it only tells whether the stand-in answers as BlueMind's core does.
"""

import json
import sys

from netbluemind.python.client import BMClient
from netbluemind.system.api.IInstallation import IInstallation
from netbluemind.system.api.IMailDeliveryMgmt import IMailDeliveryMgmt
from netbluemind.system.api.ISystemConfiguration import ISystemConfiguration

client = BMClient(sys.argv[1], sys.stdin.readline().strip())
installation = client.instance(IInstallation)
version = installation.getVersion()
subscription = installation.getSubscriptionInformations()
servers = client.servers("default").allComplete()
task = client.waitTask(client.instance(IMailDeliveryMgmt).repair())
told = {
    "version": [version.softwareVersion, version.databaseVersion, version.needsUpgrade],
    "state": installation.getSystemState().name,
    "subscription": [subscription.valid, subscription.kind.name],
    "servers": [[one.uid, one.value.ip] for one in servers],
    "networks": client.instance(ISystemConfiguration).getValues().values["mynetworks"],
    "task": task.state.name,
}
print(json.dumps(told))
