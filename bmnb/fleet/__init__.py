"""Many clients: the same client files and notebooks as a fleet, on this machine or on several."""
