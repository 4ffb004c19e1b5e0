"""How fast the cold phase is, as ratios within one run, on the lab's servers."""
