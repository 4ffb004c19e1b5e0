"""Packages of both families of distributions: how they are seen, fetched and upgraded."""

from bmnb.packages import apt, dnf
from bmnb.packages.tool import Tool

TOOLS = {tool.name: tool for tool in (apt.APTITUDE, apt.APT_GET, dnf.YUM, dnf.DNF)}

__all__ = ["TOOLS", "Tool"]
