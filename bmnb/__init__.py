"""Guided runbook notebooks for BlueMind servers."""
