"""Print `docs/servers.md`."""

from bmnb.lab.habits.page import page

print(page(), end="")
