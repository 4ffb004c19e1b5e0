"""Servers over SSH: connections, commands, units that outlive a connection, the API of the core."""

from bmnb.remote.connection import Identity
from bmnb.remote.servers import Servers
from bmnb.remote.units import UnitState

__all__ = ["Identity", "Servers", "UnitState"]
