"""Servers over SSH: connections, commands, units that outlive a connection, the API of the core."""

from bmnb.remote.connection import Identity
from bmnb.remote.servers import Servers
from bmnb.remote.units import Look, UnitState

__all__ = ["Identity", "Look", "Servers", "UnitState"]
