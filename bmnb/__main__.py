"""`python -m bmnb` is the command `bmnb`."""

from bmnb.cli import main

main()
