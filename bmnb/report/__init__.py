"""The report of a run, made from its journal, its notebook and the probes' record."""

from bmnb.report.write import Wish, write

__all__ = ["Wish", "write"]
