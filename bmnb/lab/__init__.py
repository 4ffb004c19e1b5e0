"""Real Debian servers on this machine, for rehearsal, demo, tests and benchmarks."""

from bmnb.lab.platform import Lab

__all__ = ["Lab"]
