"""Guided runbook notebooks for BlueMind servers."""

import sys

__version__ = "0.1.0"

# jsonschema, which every reader of notebooks loads, compiles a grammar of IRIs with it, which takes more than a second
# of each command and of each kernel; no schema of notebooks asks for IRIs
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
