"""Guided runbook notebooks for BlueMind servers."""

__version__ = "0.1.0"
