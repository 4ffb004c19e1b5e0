"""Guided runbook notebooks for BlueMind servers."""

import sys

__version__ = "0.1.0"

if sys.platform == "win32":
    sys.exit("bmnb runs on Linux and macOS, and on Windows in WSL2: `wsl --install`, then install bmnb there")

# jsonschema, which every reader of notebooks loads, compiles a grammar of IRIs with it, which takes more than a second
# of each command and of each kernel; no schema of notebooks asks for IRIs
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
